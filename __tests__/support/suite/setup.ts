/** Runs before the first test: one folder for all files of the tests, and shared data that is expensive to make. */
import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { nodeFolder } from '../programs-node.ts';
import { availableServers } from '../git-host/git-host.ts';
import { suiteRun, type SuiteRun } from './run.ts';

export default async function setUp(): Promise<void> {
  // A short name: a socket's path has at most 103 bytes on macOS.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 's-')));
  // Some tests run programs as another user, who needs access to the folders below.
  chmodSync(folder, 0o711);
  suiteRun.current = {
    folder,
    watchdog: startWatchdog(folder),
    tmpdir: process.env['TMPDIR'],
  } satisfies SuiteRun;
  const issuerKey = join(folder, 'issuer-key.pem');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(issuerKey, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  // The workers inherit these.
  Object.assign(process.env, { TMPDIR: folder, SUITE_FOLDER: folder, LOCAL_AWS_ISSUER_KEY: issuerKey });
  process.env['PATH'] = [nodeFolder, process.env['PATH']].join(delimiter);
  // Each run starts some thousand Nodes, which would compile the same files of dist.
  process.env['NODE_COMPILE_CACHE'] = join(folder, 'compiled');
  process.env['SUITE_SSH_SERVERS'] = (await availableServers()).join(' ');
}

/** Its standard input ends with this process, however that ends. */
function startWatchdog(folder: string): ChildProcess {
  const watchdog = spawn(process.execPath, [join(import.meta.dirname, 'watchdog.ts'), folder], {
    stdio: ['pipe', 'ignore', 'inherit'],
    // Ctrl-C in the terminal must only reach the tests.
    detached: true,
  });
  watchdog.unref();
  return watchdog;
}
