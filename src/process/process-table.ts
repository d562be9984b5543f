/** Lists and ends this user's processes, to find our daemons by the socket in their command line. */
import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { inLanes } from '../in-lanes.ts';

export interface Process {
  readonly pid: number;
  /** The arguments, joined by spaces. */
  readonly command: string;
}

type Wanted = (process: Process) => boolean;

/**
 * Only this user's processes: other users' processes cannot be ended and may have any command line. Reads `/proc`,
 * which minimal container images without `ps` have, too; runs `ps` if there is no `/proc` (macOS).
 *
 * @throws if the list cannot be read, which does not mean that it is empty
 * @source proc(5), ps(1)
 */
export async function listProcesses(wanted: Wanted = () => true): Promise<Process[]> {
  const entries = await readdir('/proc').catch(unless('ENOENT', []));
  const pids = entries.filter((entry) => /^\d+$/.test(entry));
  if (pids.length === 0) return (await askPs()).filter(wanted);
  return (await inLanes(pids, (pid) => readProc(pid, wanted))).flat();
}

/** The owner of the folder in `/proc` is the effective user, but a setuid program belongs to the user who started it. */
async function readProc(pid: string, wanted: Wanted): Promise<Process[]> {
  const folder = `/proc/${pid}`;
  const owner = await stat(folder).catch(unlessGone(undefined));
  if (owner?.uid !== ownId()) return [];
  const text = await readFile(`${folder}/cmdline`, 'utf8').catch(unlessGone(''));
  const found = { pid: Number(pid), command: text.replace(/\0+$/, '').replaceAll('\0', ' ') };
  if (found.command === '' || !wanted(found)) return [];
  const [, real] =
    /^Uid:\s+(\d+)/m.exec(await readFile(`${folder}/status`, 'utf8').catch(unlessGone(''))) ?? [];
  return Number(real) === ownId() ? [found] : [];
}

async function askPs(): Promise<Process[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,uid=,ruid=,args='], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, effective, real, command] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    const ours = [effective, real].every((id) => Number(id) === ownId());
    return pid && command && ours ? [{ pid: Number(pid), command }] : [];
  });
}

function ownId(): number | undefined {
  return process.geteuid?.();
}

/** ESRCH: it ended meanwhile. EACCES, EPERM: it is another user's. */
function unlessGone<T>(nothing: T): (error: unknown) => T {
  return unless(['ENOENT', 'ESRCH', 'EACCES', 'EPERM'], nothing);
}

function unless<T>(codes: string | readonly string[], nothing: T): (error: unknown) => T {
  return (error) => {
    if ([codes].flat().includes((error as NodeJS.ErrnoException).code ?? '')) return nothing;
    throw error;
  };
}

/** Milliseconds between SIGTERM and SIGKILL. */
const patience = 4000;

/**
 * Lists the processes again before each signal, because process ids are reused and new processes may have started.
 *
 * @returns the processes that were found
 */
export async function endProcesses(wanted: Wanted): Promise<Process[]> {
  const ended = new Map<number, Process>();
  const limit = performance.now() + patience;
  for (let wait = 5; ; wait = Math.min(wait * 2, 40)) {
    const there = await listProcesses(wanted);
    if (there.length === 0) return [...ended.values()];
    const late = performance.now() > limit;
    for (const found of there) {
      if (late || !ended.has(found.pid)) send(found.pid, late ? 'SIGKILL' : 'SIGTERM');
      ended.set(found.pid, found);
    }
    if (late) return [...ended.values()];
    await sleep(wait);
  }
}

function send(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has already ended.
  }
}
