/** A secret instead of its name in AWS, in a setting, a variable or an argument: it is refused and never shown. */
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect } from '@jest/globals';
import { program, project, type Ran } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { tokens } from '../../support/tokens.ts';
import { useHost } from './use-host.ts';
import { itInTurn as it } from '../../support/parts.ts';

const agent = join(project, 'helper/ssm-ssh-agent');
const credentialHelper = join(project, 'helper/git-credential-ssm');
const phrase = 'correct horse battery staple';
const json = '{"username":"deploy","password":"hunter2-hunter2"}';

describeOnHost('a secret instead of its name', () => {
  const stand = useHost();
  let argv: string;

  beforeEach(() => {
    // A Node that records what other users of the machine could read.
    argv = join(stand.host.home, 'argv');
    const node = join(stand.host.home, 'noting-node');
    writeFileSync(node, `#!/bin/sh\nprintf '%s\\n' "$@" >>'${argv}'\nexec '${process.execPath}' "$@"\n`);
    chmodSync(node, 0o755);
    stand.host.env['SSM_SSH_NODE'] = node;
  });

  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  /** Parts of eight characters of the secret, which occur nowhere else here. */
  const piecesOf = (secret: string): string[] =>
    secret
      .split(/\s+/)
      .flatMap((word) => (word.length < 8 ? [] : [word.slice(0, 8), word.slice(-8)]))
      .filter((piece) => !/^-+|^[A-Z-]+$|^PRIVATE/.test(piece));
  const shows = (secret: string, text: string): string[] =>
    [...piecesOf(secret), secret].filter((piece) => text.includes(piece));

  const expectRefused = (secret: string, { code, stdout, stderr }: Ran, says = 'INPUT_INVALID'): void => {
    const { host } = stand;
    const names = readdirSync(host.home, { recursive: true }).join('\n');
    const files = [...host.files()].filter(([path]) => !path.endsWith('.gitconfig')).map(([, text]) => text);
    expect(code).not.toBe(0);
    expect(stderr).toContain(says);
    for (const text of [stdout, stderr, names, ...files]) expect(shows(secret, text)).toEqual([]);
    // Ensures that Node was started, so that the check above is valid.
    expect(existsSync(argv) && readFileSync(argv, 'utf8')).toContain('dist/programs/index.js');
    expect(stand.calls()).toBe(0);
  };

  const secrets = (): Record<string, string> => ({
    'a private key': stand.key.privateKey,
    'a private key without its lines': stand.key.privateKey.split('\n').slice(1, -2).join(''),
    'a private key in base64': base64(stand.key.privateKey),
    'a private key in JSON': JSON.stringify({ key: stand.key.privateKey }),
    ...tokens,
  });
  const kinds = ['a private key', 'a private key without its lines', 'a private key in base64'] as const;
  const more = ['a private key in JSON', ...Object.keys(tokens)];
  const fetch = (): string => `${program} ${stand.git.address} true`;

  it.each([...kinds, ...more])('is refused as SSM_SSH_KEY: %s', async (kind) => {
    const secret = secrets()[kind] ?? '';
    expectRefused(secret, await stand.host.run(fetch(), { SSM_SSH_KEY: secret }));
  });

  it.each(kinds)('is refused as the key of a section: %s', async (kind) => {
    const secret = secrets()[kind] ?? '';
    const value = JSON.stringify(secret);
    stand.host.configure([`[ssm "${stand.git.address}"]`, `key = ${value}`]);
    expectRefused(secret, await stand.host.run(fetch(), { SSM_SSH_KEY: '' }));
  });

  it.each(['SSM_SSH_PASSPHRASE', 'SSM_SSH_CERTIFICATE'])('is refused as %s', async (name) => {
    for (const secret of [stand.key.privateKey, base64(stand.key.privateKey), phrase, 'hunter2-hunter2!'])
      expectRefused(secret, await stand.host.run(fetch(), { [name]: secret }));
  });

  it('is not used as a file name, even if it has the form of a name', async () => {
    const { host } = stand;
    const { stderr } = await host.run(fetch(), { SSM_SSH_PASSPHRASE: 'hunter2hunter2' });
    expect(stderr).toContain('KEY_');
    const names = readdirSync(host.home, { recursive: true }).join('\n');
    expect(names).not.toMatch(/hunter2|ci.key/);
    expect(readFileSync(argv, 'utf8')).not.toMatch(/hunter2/);
  });

  it.each([...Object.entries(tokens), ['JSON', json] as const, ['a phrase', phrase] as const])(
    'is refused as a credential for HTTPS: %s',
    async (_, secret) => {
      const asked = `printf 'protocol=https\\nhost=git.test\\npath=acme/lib\\n\\n' | ${credentialHelper} get`;
      stand.host.configure(['[ssm "git.test"]', `credential = ${JSON.stringify(secret)}`]);
      expectRefused(secret, await stand.host.run(asked));
      stand.host.configure([]);
      const env = { SSM_SSH_CREDENTIAL: secret, SSM_SSH_CREDENTIAL_HOST: 'git.test' };
      expectRefused(secret, await stand.host.run(asked, env));
    },
  );

  it.each([
    ['exec --key "$SECRET" -- true'],
    ['exec "--key=$SECRET" -- true'],
    ['exec --key "/ci/key passphrase=$SECRET" -- true'],
    ['exec -- "$SECRET"'],
    ['add "$SECRET"'],
    ['add -- "$SECRET"'],
    ['setup --global "--key=$SECRET"'],
    ['setup --global --key /ci/key "--passphrase=$SECRET"'],
    ['setup --global "--credential=$SECRET" github.com'],
    ['setup --global --credential "/ci/token username=x $SECRET" github.com'],
    ['flush "$SECRET"'],
    ['"$SECRET"'],
  ])('is refused as an argument: ssm-ssh-agent %s', async (words) => {
    // An AWS secret key has the form of a path.
    const other = words.includes('username=x') ? 'GitHub' : 'AWS, secret access key';
    for (const kind of [kinds[0], kinds[2], other]) {
      const secret = secrets()[kind] ?? '';
      const { host } = stand;
      const { stdout, stderr, code } = await host.run(`${agent} ${words}`, { SECRET: secret });
      expect([kind, code, stderr]).toEqual([kind, 2, expect.stringContaining('INPUT_INVALID') as unknown]);
      expect(shows(secret, `${stdout}${stderr}`)).toEqual([]);
    }
    const { stderr } = await stand.host.run(`${agent} ${words}`, { SECRET: json });
    expect(stderr).not.toContain('hunter2');
  });

  it('in the old configuration is not repeated by setup, which replaces it', async () => {
    const { host } = stand;
    const secret = stand.key.privateKey;
    host.configure(['[ssm]', `key = ${JSON.stringify(secret)}`]);
    const { stderr, stdout, code } = await host.run(`${agent} setup --global --key /ci/key`);
    expect(code).toBe(0);
    expect(shows(secret, `${stdout}${stderr}`)).toEqual([]);
  });
});
