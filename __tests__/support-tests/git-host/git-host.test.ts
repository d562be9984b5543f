/** The promises of the git host, tested with each SSH server of this machine. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { availableServers, startGitHost } from '../../support/git-host/git-host.ts';
import type { GitHost } from '../../support/git-host/git-host.ts';
import { gitEnvironment } from '../../support/git-host/repository.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';
import type { SshKey } from '../../support/ssh-keys.ts';

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const servers = await availableServers();
if (!servers.includes('openssh'))
  console.log('sshd does not work on this machine: its half of this suite is absent');

describe.each([...servers])('a git host with %s', (server) => {
  let host: GitHost;
  let folder: string;
  let commit: string;
  const keys = new Map<string, SshKey>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'git-host-test-'));
    host = await startGitHost({ server, hostKeys: ['ed25519', 'ecdsa', 'rsa'] });
    writeFileSync(join(folder, 'known_hosts'), host.knownHosts);
    ({ commit } = await host.createRepository('acme/lib', {
      files: { 'lib.txt': 'v1\n', 'a b/c.txt': 'ä\n' },
    }));
    await host.createRepository('acme/app');
    const [reader, writer, octocat, stranger] = await Promise.all([
      key('reader'),
      key('writer'),
      key('octocat', 'rsa'),
      key('stranger', 'ecdsa'),
    ]);
    host.addDeployKey({ repository: 'acme/lib', publicKey: reader.publicKey });
    host.addDeployKey({ repository: 'acme/app', publicKey: writer.publicKey, write: true });
    host.addUserKey({
      user: 'octocat',
      publicKey: octocat.publicKey,
      repositories: ['acme/lib', 'acme/app'],
    });
    expect(stranger.fingerprint).toMatch(/^SHA256:/);
  });

  afterAll(async () => {
    await host.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function key(name: string, type: 'ed25519' | 'ecdsa' | 'rsa' = 'ed25519'): Promise<SshKey> {
    const made = await makeSshKey({ type, comment: name });
    keys.set(name, made);
    writeFileSync(join(folder, name), made.privateKey, { mode: 0o600 });
    return made;
  }

  const fingerprint = (name: string): string => keys.get(name)?.fingerprint ?? '';

  const sshOptions = (...identities: string[]): string[] => [
    ...['-F', 'none', '-o', 'IdentitiesOnly=yes', '-o', 'IdentityAgent=none', '-o', 'BatchMode=yes'],
    ...['-o', `UserKnownHostsFile=${join(folder, 'known_hosts')}`, '-o', 'StrictHostKeyChecking=yes'],
    ...identities.flatMap((name) => ['-i', join(folder, name)]),
  ];

  async function run(
    program: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Outcome> {
    const child = spawn(program, args, {
      env: { ...gitEnvironment(folder), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { code, stdout, stderr };
  }

  const git = (identities: readonly string[], ...args: string[]): Promise<Outcome> =>
    run('git', args, { GIT_SSH_COMMAND: ['ssh', ...sshOptions(...identities)].join(' ') });

  const ssh = (identities: readonly string[], ...command: string[]): Promise<Outcome> =>
    run('ssh', [
      '-T',
      ...sshOptions(...identities),
      '-p',
      String(host.port),
      `${host.user}@${host.address}`,
      ...command,
    ]);

  const lastEntry = async (): Promise<unknown> => (await host.log()).at(-1);

  test('a deploy key clones its repository, and the log has an entry', async () => {
    const copy = join(folder, 'copy');
    expect(await git(['reader'], 'clone', '-q', host.url('acme/lib'), copy)).toMatchObject({ code: 0 });
    expect(readdirSync(copy).sort()).toEqual(['.git', 'a b', 'lib.txt']);
    expect((await run('git', ['-C', copy, 'rev-parse', 'origin/main'])).stdout.trim()).toBe(commit);
    expect(await lastEntry()).toEqual({
      offered: [fingerprint('reader')],
      accepted: fingerprint('reader'),
      command: "git-upload-pack '/acme/lib.git'",
      verdict: 'allowed',
    });
  });

  test("another repository is not found, whether it exists or not, in GitHub's words", async () => {
    const existing = await git(['reader'], 'ls-remote', host.url('acme/app'));
    const missing = await git(['reader'], 'ls-remote', host.url('acme/none'));
    for (const { code, stderr } of [existing, missing]) {
      expect(code).toBe(128);
      expect(stderr).toContain('ERROR: Repository not found.\nfatal: Could not read from remote repository.');
    }
    expect(await ssh(['reader'], "git-upload-pack '/acme/app.git'")).toEqual({
      code: 1,
      stdout: '',
      stderr: 'ERROR: Repository not found.\n',
    });
    expect(await lastEntry()).toMatchObject({ verdict: 'not-found', accepted: fingerprint('reader') });
  });

  test('the first known key decides: the right one after it is never tried', async () => {
    const { stderr } = await git(['stranger', 'writer', 'reader'], 'ls-remote', host.url('acme/lib'));
    expect(stderr).toContain('ERROR: Repository not found.');
    expect(await lastEntry()).toMatchObject({
      offered: [fingerprint('stranger'), fingerprint('writer')],
      accepted: fingerprint('writer'),
      verdict: 'not-found',
    });
  });

  test('an unknown key is refused before anything else', async () => {
    const { code, stderr } = await ssh(['stranger'], "git-upload-pack '/acme/lib.git'");
    expect(code).toBe(255);
    expect(stderr).toContain(`${host.user}@${host.address}: Permission denied (publickey).`);
    expect(await lastEntry()).toEqual({ offered: [fingerprint('stranger')], verdict: 'permission-denied' });
  });

  test('after six unknown keys, the right one comes too late', async () => {
    const strangers = ['s1', 's2', 's3', 's4', 's5', 's6'];
    await Promise.all(strangers.map((name) => key(name)));
    expect((await ssh([...strangers.slice(0, 5), 'reader'])).stderr).toContain('Hi acme/lib!');
    expect((await ssh([...strangers, 'reader'])).code).toBe(255);
    expect(await lastEntry()).toEqual({ offered: strangers.map(fingerprint), verdict: 'permission-denied' });
  });

  test('without a command the greeting has the name of the key', async () => {
    const words = "You've successfully authenticated, but GitHub does not provide shell access.\n";
    for (const [name, identity] of [
      ['reader', 'acme/lib'],
      ['octocat', 'octocat'],
    ] as const) {
      expect(await ssh([name])).toEqual({ code: 1, stdout: '', stderr: `Hi ${identity}! ${words}` });
    }
    expect(await lastEntry()).toMatchObject({ command: '', verdict: 'no-shell' });
  });

  test('other commands than git’s are not run', async () => {
    expect(await ssh(['reader'], 'id; id')).toEqual({
      code: 1,
      stdout: '',
      stderr: "Invalid command: 'id; id'\n",
    });
    expect(await lastEntry()).toMatchObject({ command: 'id; id', verdict: 'invalid-command' });
    const escape = await ssh(['reader'], "git-upload-pack '/acme/lib.git/../app.git'; id");
    expect(escape).toMatchObject({ code: 1, stdout: '', stderr: 'ERROR: Repository not found.\n' });
  });

  test('a deploy key pushes only with write access', async () => {
    const push = async (identity: string, repository: string): Promise<Outcome> => {
      const copy = join(folder, `push-${repository.replace('/', '-')}`);
      await git(['octocat'], 'clone', '-q', host.url(repository), copy);
      await run('git', ['-C', copy, 'commit', '-q', '--allow-empty', '-m', 'more']);
      return git([identity], '-C', copy, 'push', '-q', 'origin', 'HEAD:more');
    };
    expect(await push('writer', 'acme/app')).toMatchObject({ code: 0 });
    const refused = await push('reader', 'acme/lib');
    expect(refused.stderr).toContain(
      'ERROR: The key you are authenticating with has been marked as read only.',
    );
    expect(refused.code).toBe(128);
    expect(await lastEntry()).toMatchObject({
      verdict: 'read-only',
      command: "git-receive-pack '/acme/lib.git'",
    });
    const seen = await git(['octocat'], 'ls-remote', '--heads', host.url('acme/app'));
    expect(seen.stdout.match(/refs\/heads\/\S+/g)).toEqual(['refs/heads/main', 'refs/heads/more']);
  });

  test.each([
    ["git-upload-pack 'acme/lib.git'"],
    ["git-upload-pack '/acme/lib'"],
    ['git-upload-pack acme/lib'],
    ["git-upload-pack '/ACME/Lib.git'"],
    ["git upload-pack '/acme/lib.git'"],
  ])('%s names the repository', async (command) => {
    // The client disconnects after the advertisement, which git-upload-pack reports as the client's error.
    const { stdout } = await ssh(['reader'], command);
    expect(stdout).toContain(`${commit} HEAD`);
    expect(await lastEntry()).toMatchObject({ command, verdict: 'allowed' });
  });

  test('archives are served', async () => {
    const { code, stdout } = await git(
      ['reader'],
      ...['archive', `--remote=${host.url('acme/lib')}`, 'main', 'lib.txt'],
    );
    expect(code).toBe(0);
    expect(stdout).toContain('v1\n');
  });

  test('protocol v2 works, and v0 if requested', async () => {
    const trace = async (version: string): Promise<string> => {
      const args = ['-c', `protocol.version=${version}`, 'ls-remote', host.url('acme/lib')];
      const ssh = ['ssh', ...sshOptions('reader')].join(' ');
      return (await run('git', args, { GIT_SSH_COMMAND: ssh, GIT_TRACE_PACKET: '1' })).stderr;
    };
    expect(await trace('2')).toContain('< version 2');
    expect(await trace('0')).not.toContain('version 2');
  });

  test('a removed key is unknown for the next connection', async () => {
    const { publicKey } = await key('leaver');
    host.addDeployKey({ repository: 'acme/lib', publicKey });
    expect((await ssh(['leaver'])).stderr).toContain('Hi acme/lib!');
    host.removeKey(publicKey);
    expect((await ssh(['leaver'])).stderr).toContain('Permission denied (publickey).');
  });

  test('a key has one identity: it is refused for a second repository', () => {
    const publicKey = keys.get('reader')?.publicKey ?? '';
    expect(() => {
      host.addDeployKey({ repository: 'acme/app', publicKey });
    }).toThrow('key is already in use');
  });

  test.each(['ssh-ed25519', 'ecdsa-sha2-nistp256', 'rsa-sha2-512'])(
    'it proves its %s host key',
    async (type) => {
      const narrowed = await run('ssh', [
        ...sshOptions('reader'),
        ...['-o', `HostKeyAlgorithms=${type}`, '-p', String(host.port), `${host.user}@${host.address}`],
      ]);
      expect(narrowed.stderr).toContain('Hi acme/lib!');
    },
  );

  test('many clients at once are each served and logged', async () => {
    const before = (await host.log()).length;
    const all = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        git([index % 2 ? 'reader' : 'octocat'], 'ls-remote', host.url('acme/lib')),
      ),
    );
    expect(all.map(({ code }) => code)).toEqual(Array.from({ length: 12 }, () => 0));
    const entries = (await host.log()).slice(before);
    expect(entries.map(({ verdict }) => verdict)).toEqual(Array.from({ length: 12 }, () => 'allowed'));
    expect(entries.filter(({ accepted }) => accepted === fingerprint('reader'))).toHaveLength(6);
  });

  test('stop ends running sessions, closes the port and removes every file', async () => {
    const short = await startGitHost({ server });
    const { publicKey } = await key('short');
    const { directory } = await short.createRepository('acme/short');
    short.addDeployKey({ repository: 'acme/short', publicKey });
    const args = ['-o', 'StrictHostKeyChecking=no', ...sshOptions('short'), '-p', String(short.port)];
    const child = spawn('ssh', [...args, `${short.user}@127.0.0.1`, "git-upload-pack 'acme/short'"], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve).once('end', resolve));
    expect(child.exitCode).toBeNull();
    await short.stop();
    expect(await ended).not.toBe(0);
    expect(existsSync(directory)).toBe(false);
    const refused = await new Promise((resolve) => {
      connect(short.port, short.address).once('error', resolve).once('connect', resolve);
    });
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' });
  });
});
