/** Lists and ends this user's processes, to find our daemons by the socket in their command line. */
import { readdirSync, readFileSync, statSync, type Stats } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { withoutEnd } from '../keys/ends.ts';

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
 * Reads at once, not in turn with other work: that takes a tenth of the time, and the kernel answers from memory.
 *
 * @throws if the list cannot be read, which does not mean that it is empty
 * @source proc(5), ps(1)
 */
export async function listProcesses(wanted: Wanted = () => true): Promise<Process[]> {
  const entries = orNothing(() => readdirSync('/proc'), ['ENOENT']) ?? [];
  const pids = entries.filter((entry) => /^\d+$/.test(entry));
  if (pids.length === 0) return (await askPs()).filter(wanted);
  return pids.flatMap((pid) => readProc(pid) ?? []).filter((found) => wanted(found) && hasRealUser(found));
}

/** The owner of the folder in `/proc` is the effective user. */
function readProc(pid: string): Process | undefined {
  const folder = `/proc/${pid}`;
  if (orNothing(() => statSync(folder))?.uid !== ownId()) return undefined;
  const text = orNothing(() => readFileSync(`${folder}/cmdline`, 'utf8')) ?? '';
  const command = withoutEnd(text, '\0').replaceAll('\0', ' ');
  return command === '' ? undefined : { pid: Number(pid), command };
}

/**
 * Tells processes for which another file is at this path: in a container that shares the process ids, or in a service with
 * a /tmp of its own, an agent of the same user may have the same command line as ours. A process that cannot be examined
 * is judged by its parent. The path is looked up now, because the file is gone when its process has ended.
 *
 * @source proc(5), `/proc/pid/root`
 */
export function seesAnotherFile(path: string): Wanted {
  const ours = orNothing(() => statSync(path));
  const isAnother = (there: Stats): boolean => there.ino !== ours?.ino || there.dev !== ours.dev;
  const judge = (pid: string): boolean => isAnother(statSync(`/proc/${pid}/root${path}`));
  return ({ pid }) =>
    orNothing(() => orNothing(() => judge(String(pid)), refused) ?? judge(readParent(pid))) ?? false;
}

function readParent(pid: number): string {
  const [, parent = ''] = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return parent;
}

/** A setuid program belongs to the user who started it. */
function hasRealUser({ pid }: Process): boolean {
  const status = orNothing(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? '';
  return Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]) === ownId();
}

/** Loaded here: Linux does not need it. */
async function askPs(): Promise<Process[]> {
  const { execFile } = await import('node:child_process');
  const { promisify } = await import('node:util');
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
const usual: readonly string[] = ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'];

/** Not examined: ssh-agent protects its memory from others of the same user. */
const refused: readonly string[] = ['EACCES', 'EPERM'];

/** @returns undefined for an error with one of the codes */
function orNothing<T>(read: () => T, codes = usual): T | undefined {
  try {
    return read();
  } catch (error) {
    if (codes.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
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
  // No step of the clock moves it, and performance.now() would load eight modules of Node.
  const since = process.hrtime.bigint();
  for (let wait = 5; ; wait = Math.min(wait * 2, 40)) {
    const there = await listProcesses(wanted);
    if (there.length === 0) return [...ended.values()];
    const late = process.hrtime.bigint() - since > BigInt(patience) * 1_000_000n;
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
