/** A git host on 127.0.0.1 that handles deploy keys like GitHub, with real SSH and real repositories. */
import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSshKey } from '../ssh-keys.ts';
import type { SshKey } from '../ssh-keys.ts';
import { writeForcedCommand } from './forced-command.ts';
import { Grants } from './grants.ts';
import type { DeployKey, UserKey } from './grants.ts';
import { readJournal } from './journal.ts';
import type { LogEntry } from './journal.ts';
import { findSshd, startOpenSshServer } from './openssh-server.ts';
import { createRepository } from './repository.ts';
import type { Repository } from './repository.ts';
import { address } from './server.ts';
import type { ServerName, SshServer } from './server.ts';

export type { DeployKey, LogEntry, Repository, ServerName, UserKey };

export interface GitHostOptions {
  /** Default: sshd if it works, otherwise the ssh2 package's server. */
  readonly server?: ServerName;
  /** Default: one Ed25519 key. */
  readonly hostKeys?: readonly ('ed25519' | 'ecdsa' | 'rsa')[];
}

export interface GitHost {
  readonly server: ServerName;
  readonly address: string;
  readonly port: number;
  /** The login name in URLs: `git` with ssh2. sshd needs a real account: the user who runs the tests. */
  readonly user: string;
  /** Lines in known_hosts form, one for each host key, including the last newline. */
  readonly knownHosts: string;
  /** `ssh://user@127.0.0.1:port/acme/lib.git` */
  url(repository: string): string;
  createRepository(
    name: string,
    options?: { readonly files?: Readonly<Record<string, string>> },
  ): Promise<Repository>;
  addDeployKey(key: DeployKey): void;
  addUserKey(key: UserKey): void;
  removeKey(publicKey: string): void;
  log(): Promise<LogEntry[]>;
  stop(): Promise<void>;
}

export async function startGitHost(options: GitHostOptions = {}): Promise<GitHost> {
  const name = options.server ?? (await availableServers())[0] ?? 'ssh2';
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'git-host-')));
  const repositories = join(folder, 'repositories');
  const journal = join(folder, 'journal');
  await mkdir(repositories);
  writeFileSync(journal, '');
  const program = writeForcedCommand({ folder, repositories, journal });
  const grants = new Grants(folder, program);
  const hostKeys = await Promise.all((options.hostKeys ?? ['ed25519']).map((type) => makeSshKey({ type })));
  const start = name === 'openssh' ? startOpenSshServer : (await import('./ssh2-server.ts')).startSsh2Server;
  const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  const server = await start({ folder, journal, hostKeys, grants, program }).catch(async (error: unknown) => {
    await removeFolder();
    throw error;
  });
  return {
    ...addresses(server, hostKeys),
    createRepository: (repository, { files = { 'README.md': `# ${repository}\n` } } = {}) =>
      createRepository(repositories, repository, files),
    addDeployKey: (key) => {
      grants.addDeployKey(key);
    },
    addUserKey: (key) => {
      grants.addUserKey(key);
    },
    removeKey: (publicKey) => {
      grants.removeKey(publicKey);
    },
    log: () => readJournal(journal),
    stop: () => server.stop().then(removeFolder),
  };
}

type Addresses = Pick<GitHost, 'server' | 'address' | 'port' | 'user' | 'knownHosts' | 'url'>;

function addresses({ name, port, user }: SshServer, hostKeys: readonly SshKey[]): Addresses {
  return {
    ...{ server: name, address, port, user },
    knownHosts: hostKeys.map(({ publicKey }) => `[${address}]:${port} ${publicKey}\n`).join(''),
    url: (repository) => `ssh://${user}@${address}:${port}/${repository}.git`,
  };
}

let available: Promise<readonly ServerName[]> | undefined;

/**
 * The servers that work on this machine, the better one first. The set-up of a test run finds them once and keeps them
 * in SUITE_SSH_SERVERS.
 */
export function availableServers(): Promise<readonly ServerName[]> {
  const { SUITE_SSH_SERVERS: found } = process.env;
  if (found !== undefined) available ??= Promise.resolve(found.split(' ') as ServerName[]);
  available ??= sshdWorks().then((works) => (works ? ['openssh', 'ssh2'] : ['ssh2']));
  return available;
}

/** A running sshd may still refuse all logins (a locked account, a login shell that refuses), so a login is tried. */
async function sshdWorks(): Promise<boolean> {
  if (findSshd() === undefined) return false;
  const host = await startGitHost({ server: 'openssh' }).catch(() => undefined);
  if (host === undefined) return false;
  const folder = await mkdtemp(join(tmpdir(), 'git-host-probe-'));
  try {
    const key = await makeSshKey();
    await writeFile(join(folder, 'key'), key.privateKey, { mode: 0o600 });
    host.addUserKey({ user: 'probe', publicKey: key.publicKey, repositories: [] });
    return (await greeting(host, join(folder, 'key'))).includes('Hi probe!');
  } finally {
    await host.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The output of `ssh -T` on standard error. */
function greeting({ port, user }: GitHost, keyFile: string): Promise<string> {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null'];
  const args = [
    '-F',
    'none',
    '-T',
    '-i',
    keyFile,
    '-p',
    String(port),
    ...options.flatMap((option) => ['-o', option]),
  ];
  return new Promise((resolve) => {
    execFile('ssh', [...args, `${user}@${address}`], { timeout: 10_000 }, (_error, _stdout, stderr) => {
      resolve(stderr);
    });
  });
}
