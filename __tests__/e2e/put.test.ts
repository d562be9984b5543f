import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { describeWith } from '../support/needs.ts';
import { itInTurn as it } from '../support/parts.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { launcher, openEc2Host, type Ec2Host, type Ended, type RunOptions } from './ec2-host.ts';
import { storedParameter, storedSecret, writer } from './key-writer.ts';

describe('ssm-ssh-agent put', () => {
  let host: Ec2Host;
  let key: SshKey;

  beforeAll(async () => {
    key = await makeSshKey({ comment: 'deploy@acme' });
  });
  beforeEach(async () => {
    host = await openEc2Host();
  });
  afterEach(async () => {
    expect(host.leftovers()).toEqual([]);
    await host.close();
  });

  const put = (args: readonly string[], options: RunOptions = {}): Promise<Ended> =>
    host.agent(['put', ...args], { ...options, env: { ...writer(host), ...options.env } });
  const file = (text: string | Uint8Array, name = 'id_ed25519'): string => {
    const path = join(host.folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const stored = (): string | undefined => storedParameter(host, '/ci/deploy-key');

  it('stores the key of a file, and prints its public half', async () => {
    const { exitCode, stdout, stderr } = await put(['/ci/deploy-key', file(key.privateKey)]);
    expect(stderr).toBe(`ssm-ssh-agent: stored /ci/deploy-key (version 1): ssh-ed25519 ${key.fingerprint}\n`);
    expect([exitCode, stdout]).toEqual([0, `${key.publicKey}\n`]);
    expect(stored()).toBe(key.privateKey);
  });

  it.each([
    ['a pipe, with CRLF', [], (text: string) => text.replaceAll('\n', '\r\n').trim()],
    ['a pipe that is named -, in base64', ['-'], (text: string) => Buffer.from(text).toString('base64')],
    ['a pipe, with literal line ends', [], (text: string) => JSON.stringify(text)],
    ['a pipe, indented', [], (text: string) => text.replaceAll(/^/gm, '\t')],
  ])('repairs the text of %s', async (_, args, damage) => {
    const { stdout } = await put(['/ci/deploy-key', ...args], { input: damage(key.privateKey) });
    expect([stdout, stored()]).toEqual([`${key.publicKey}\n`, key.privateKey]);
  });

  it.each([
    ['a pipe without a name', '"$1" put /ci/deploy-key <(cat "$2")'],
    ['a pipe that another program writes slowly', '"$1" put /ci/deploy-key <(sleep 0.3; cat "$2")'],
    [
      'a named pipe, before its writer opens it',
      'mkfifo p; (sleep 0.3; cat "$2" >p) & "$1" put /ci/deploy-key p',
    ],
    ['/dev/stdin', 'cat "$2" | "$1" put /ci/deploy-key /dev/stdin'],
  ])('reads %s', async (_, script) => {
    const argv = ['bash', '-c', script, 'bash', launcher, file(key.privateKey)];
    const ended = await host.start(argv, { env: writer(host) }).ended;
    expect(ended).toMatchObject({ exitCode: 0, stdout: `${key.publicKey}\n` });
    expect(stored()).toBe(key.privateKey);
  });

  it.each([
    ['put', 'exec "$1" put /ci/odd p'],
    ['exec --known-hosts', 'exec "$1" exec --key /ci/deploy-key --known-hosts p -- true'],
    ['rotate --known-hosts', 'exec "$1" rotate /ci/deploy-key --known-hosts p'],
    ['put with a pipe that nobody ends', 'exec "$1" put /ci/odd /dev/fd/9 9< <(exec sleep 9)'],
  ])('can be ended while it waits for a pipe: %s', async (_, command) => {
    const script = `mkfifo p; timeout --signal=TERM --kill-after=5 2 bash -c '${command}' bash "$1"; echo "$?"`;
    const { stdout, stderr } = await host.start(['bash', '-c', script, 'bash', launcher], {
      env: writer(host),
    }).ended;
    expect([stdout, stderr]).toEqual(['124\n', '']);
  });

  it('reads a file in UTF-16, as PowerShell writes it, and one in DER', async () => {
    const utf16 = Buffer.from(`\uFEFF${key.privateKey}`, 'utf16le');
    expect((await put(['/ci/deploy-key', file(utf16)])).stdout).toBe(`${key.publicKey}\n`);
    const rsa = await makeSshKey({ type: 'rsa', format: 'PEM' });
    const der = Buffer.from(rsa.privateKey.replaceAll(/-----.*-----/g, ''), 'base64');
    const { stdout } = await put(['/ci/rsa-key', file(der, 'key.der')]);
    expect(stdout.split(' ').slice(0, 2)).toEqual(rsa.publicKey.split(' ').slice(0, 2));
  });

  it('describes with --json what it stored', async () => {
    const { stdout } = await put(['/ci/deploy-key', file(key.privateKey), '--json', '--quiet']);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ reference: '/ci/deploy-key', version: '1', type: 'ssh-ed25519' },
      ...{ fingerprint: key.fingerprint, publicKey: key.publicKey },
    });
  });

  it('stores a key that has a passphrase, and says how to name it', async () => {
    const made = await makeSshKey({ passphrase: 'a secret word' });
    const { exitCode, stdout, stderr } = await put(['/ci/deploy-key', file(made.privateKey)]);
    expect([exitCode, stdout]).toEqual([0, `${made.publicKey}\n`]);
    expect(stderr).toContain('write "/ci/deploy-key passphrase=REFERENCE" where the key is used');
    host.world.put('/ci/word', 'a secret word');
    const again = await host.agent(['public', '/ci/deploy-key passphrase=/ci/word'], { env: writer(host) });
    expect(again.stdout.trim().split(' ').slice(0, 2).join(' ')).toBe(made.publicKey);
    const pem = await makeSshKey({ type: 'rsa', format: 'PEM', passphrase: 'a secret word' });
    const hidden = await put(['/ci/pem-key', file(pem.privateKey), '--json']);
    expect(JSON.parse(hidden.stdout)).toMatchObject({
      version: '1',
      type: null,
      fingerprint: null,
      publicKey: null,
    });
    expect(hidden.stderr).toContain(
      "ssm-ssh-agent public '/ci/pem-key passphrase=REFERENCE' prints its public key",
    );
  });

  it('replaces one member of a JSON secret with --overwrite, and keeps the rest', async () => {
    host.world.putSecret('ci/deploy', '{"port": 22.0, "private_key": "old"}');
    const path = file(key.privateKey);
    const refused = await put(['secretsmanager:ci/deploy:private_key', path]);
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('was not changed')]);
    await put(['secretsmanager:ci/deploy:private_key', path, '--overwrite']);
    expect(storedSecret(host, 'ci/deploy')).toBe(
      `{"port": 22.0, "private_key": ${JSON.stringify(key.privateKey)}}`,
    );
  });

  it.each<[string, () => string, string, RegExp]>([
    ['a public key', () => key.publicKey, 'KEY_NOT_PRIVATE', /the file without \.pub/],
    ['half a key', () => key.privateKey.slice(0, 250), 'KEY_MALFORMED', /ssh-keygen -y -f FILE/],
    [
      "a key in PuTTY's format",
      () => `PuTTY-User-Key-File-3: ssh-rsa\n${'AAAAsecret'.repeat(9)}`,
      'KEY_UNSUPPORTED',
      /puttygen/,
    ],
    ['a token', () => `github_pat_${'a1B2'.repeat(9)}`, 'KEY_NOT_PRIVATE', /docs\/https\.md/],
    ['nothing', () => '', 'KEY_EMPTY', /put NAME FILE/],
  ])('refuses %s, and repeats none of it', async (...[, text, code, hint]) => {
    const { exitCode, stdout, stderr } = await put(['/ci/deploy-key', file(text())]);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(new RegExp(`^ssm-ssh-agent: ${code}: .*\\nhint: .*\\n$`));
    expect(stderr).toMatch(hint);
    for (const word of text()
      .split(/\s+/)
      .filter(({ length }) => length > 20))
      expect(stderr).not.toContain(word);
    expect(host.world.aws.calls).toEqual([]);
  });

  it('refuses a key that is too large for its tier before anything is asked', async () => {
    const large = await makeSshKey({ type: 'rsa', bits: 4096, comment: 'x'.repeat(900) });
    const { exitCode, stderr } = await put(['/ci/deploy-key', file(large.privateKey), '--tier', 'standard']);
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringMatching(/and a standard parameter holds 4096\n.*--tier advanced/),
    ]);
    expect(host.world.aws.calls).toEqual([]);
  });

  it.each([
    [['/ci/deploy-key', 'nowhere'], 'there is no file nowhere'],
    [['/ci/deploy-key', '.'], '. is a folder, not a file'],
    [['/ci/deploy-key', '/dev/zero'], '/dev/zero has more than 262144 bytes'],
    [[], 'put has no name'],
    [['/ci/one', 'a', 'b'], 'got more than one file'],
  ])('refuses %j', async (args, message) => {
    const { exitCode, stderr } = await put(args);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(host.world.aws.calls).toEqual([]);
  });

  describeWith('script')('at a terminal', () => {
    /** util-linux's script gives the program a terminal, and shows what the terminal shows. */
    const typing = async (text: string): Promise<Ended> => {
      const script = ['script', '-qec', `${launcher} put /ci/deploy-key`, '/dev/null'];
      const child = host.start(script, { env: writer(host), keepsInput: true });
      while (!child.said().includes('Ctrl-D')) await sleep(20);
      child.child.stdin?.write(text);
      return await child.ended;
    };

    it('says what to paste, does not show it, and ends with Ctrl-D', async () => {
      const { exitCode, stdout } = await typing(`${key.privateKey.replaceAll('\n', '\r')}\x04`);
      expect(stdout).toContain('paste the private key (it is not shown), then press Enter and Ctrl-D');
      expect([exitCode, stored()]).toEqual([0, key.privateKey]);
      expect(stdout).toContain(key.publicKey);
      for (const line of key.privateKey.split('\n').slice(1, -1)) expect(stdout).not.toContain(line);
    });

    it('stores nothing after Ctrl-C', async () => {
      const { exitCode } = await typing('-----BEGIN\x03');
      expect([exitCode, stored()]).toEqual([130, undefined]);
      expect(host.world.aws.calls).toEqual([]);
    });
  });
});
