/** The processes of this machine, to find our own agents by the socket that their command line names. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
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
