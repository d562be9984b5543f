/** The processes of this machine, to find our own daemons by the socket that their command line names, and to end them. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

export interface Process {
  readonly pid: number;
  /** The arguments, joined by spaces. */
  readonly command: string;
}

/**
 * What `/proc` shows, which minimal container images without `ps` have too; `ps` where there is no `/proc` (macOS).
 *
 * @source proc(5), ps(1)
 */
export async function listProcesses(): Promise<Process[]> {
  const entries = await readdir('/proc').catch(() => []);
  const pids = entries.filter((entry) => /^\d+$/.test(entry));
  return pids.length > 0 ? await readProc(pids) : await askPs();
}

async function readProc(pids: readonly string[]): Promise<Process[]> {
  const commands = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return pids.map((pid, index) => ({
    pid: Number(pid),
    command: (commands[index] ?? '').replace(/\0+$/, '').replaceAll('\0', ' '),
  }));
}

async function askPs(): Promise<Process[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,args=']).catch(() => ({
    stdout: '',
  }));
  return stdout.split('\n').flatMap((line) => {
    const [, pid, command] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid && command ? [{ pid: Number(pid), command }] : [];
  });
}

/**
 * They are looked for anew before each signal: a number that another process has by now gets none.
 *
 * @returns whether there was one
 */
export async function endProcesses(wanted: (process: Process) => boolean): Promise<boolean> {
  const find = async (): Promise<Process[]> => (await listProcesses()).filter(wanted);
  const found = await find();
  for (const { pid } of found) send(pid, 'SIGTERM');
  for (let waited = 0; waited < 2000; waited += 20) {
    if ((await find()).length === 0) return found.length > 0;
    await sleep(20);
  }
  for (const { pid } of await find()) send(pid, 'SIGKILL');
  return true;
}

function send(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself meanwhile, which is what we want.
  }
}
