/** OpenSSH's sshd with a separate configuration, as root or as the user who runs the tests. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { accessSync, closeSync, constants, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { descendantsOf, killAll, runningProcesses, type RunningProcess } from '../runner/process-table.ts';
import { address, maxAuthTries } from './server.ts';
import type { ServerSetup, SshServer } from './server.ts';

const systemFolders = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin'];

/** sshd's absolute path (it refuses to start by another one); undefined if it is not installed. */
export function findSshd(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...systemFolders];
  return folders
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, 'sshd'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

export async function startOpenSshServer(setup: ServerSetup): Promise<SshServer> {
  const sshd = findSshd();
  if (sshd === undefined) throw new Error('sshd is not installed');
  makePrivilegeSeparationFolder();
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    // An sshd that does not know a new option does not start.
    const child = launch(sshd, writeConfiguration(setup, port, attempt <= 2), setup.journal);
    if (await listens(child, port, setup.journal)) {
      const { username: user } = userInfo();
      return { name: 'openssh', port, user, pid: child.pid, stop: () => stop(child, setup.folder) };
    }
    // Another process may have taken the port meanwhile.
    if (attempt === 4) throw new Error(`sshd does not start:\n${readFileSync(setup.journal, 'utf8')}`);
  }
}

/** As root, sshd needs the folder that Debian's start script creates (sshd(8), FILES). */
function makePrivilegeSeparationFolder(): void {
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  }
}

function writeConfiguration(setup: ServerSetup, port: number, isModern: boolean): string {
  const file = join(setup.folder, 'sshd_config');
  const hostKeyFiles = setup.hostKeys.map(({ privateKey }, index) => {
    const hostKeyFile = join(setup.folder, `host-key-${index}`);
    writeFileSync(hostKeyFile, privateKey, { mode: 0o600 });
    return hostKeyFile;
  });
  const lines = [
    `ListenAddress ${address}:${port}`,
    ...hostKeyFiles.map((hostKeyFile) => `HostKey "${hostKeyFile}"`),
    `AuthorizedKeysFile "${setup.grants.authorizedKeysFile}"`,
    ...['PidFile none', 'StrictModes no', 'UsePAM no', 'UseDNS no', 'PermitRootLogin yes'],
    ...['AuthenticationMethods publickey', 'PasswordAuthentication no', 'KbdInteractiveAuthentication no'],
    ...['AcceptEnv GIT_PROTOCOL', 'LogLevel VERBOSE', 'MaxStartups 100', `MaxAuthTries ${maxAuthTries}`],
    ...['PrintMotd no', 'PrintLastLog no', 'Subsystem sftp internal-sftp'],
    // The post-quantum key exchange takes half of a connection's processor time.
    // The second name is the older one, which paramiko has.
    'KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org',
    // A login shell may read its owner's start files (bash does under sshd), which takes time and does not belong to
    // the host.
    `SetEnv "HOME=${setup.folder}"`,
    ...(setup.settings ?? []),
  ];
  // OpenSSH 9.8 blocks an address after repeated refused keys. Here, that is the address of every test.
  if (isModern) lines.push('PerSourcePenalties no');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

function launch(sshd: string, configuration: string, journal: string): ChildProcess {
  const log = openSync(journal, 'a');
  try {
    return spawn(sshd, ['-D', '-e', '-f', configuration], { stdio: ['ignore', 'ignore', log] });
  } finally {
    closeSync(log);
  }
}

async function listens(child: ChildProcess, port: number, journal: string): Promise<boolean> {
  const line = `Server listening on ${address} port ${port}.`;
  while (child.exitCode === null && child.signalCode === null) {
    if (readFileSync(journal, 'utf8').includes(line)) return true;
    await sleep(5);
  }
  return false;
}

/** sshd leaves running sessions and their processes alone when it ends. All of them have the host's folder as HOME. */
async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const sessions = descendantsOf(child.pid);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
  killAll(sessions.map((pid) => ({ pid })));
  const orphans = (): RunningProcess[] =>
    runningProcesses().filter(({ environment }) => environment.includes(`HOME=${folder}\0`));
  // A shell may start one more program before it is killed.
  for (let left = orphans(); left.length > 0; left = orphans()) killAll(left);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, address, () => {
      const bound = probe.address();
      probe.close(() => {
        if (bound !== null && typeof bound === 'object') resolve(bound.port);
      });
    });
  });
}
