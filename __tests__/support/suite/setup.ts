/** Before the first test of a run: one folder for all that the tests make, and what they would each find out or make anew. */
import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { availableServers } from '../git-host/git-host.ts';
import { suiteRun, type SuiteRun } from './run.ts';

export default async function setUp(): Promise<void> {
  // A short name: the path of a socket is 103 bytes long at most on macOS.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 's-')));
  // Some tests run programs as another user, who has to get through to what is below.
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
  process.env['SUITE_SSH_SERVERS'] = (await availableServers()).join(' ');
}

/** Its standard input ends with this process, however that ends. */
function startWatchdog(folder: string): ChildProcess {
  const watchdog = spawn(process.execPath, [join(import.meta.dirname, 'watchdog.ts'), folder], {
    stdio: ['pipe', 'ignore', 'inherit'],
    // A Ctrl-C in the terminal is for the tests alone.
    detached: true,
  });
  watchdog.unref();
  return watchdog;
}
