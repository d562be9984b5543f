/** The machine's processes with parents, arguments and, if readable, environment. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

export interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  /** The arguments, joined by spaces. */
  readonly command: string;
  /** `NAME=VALUE` entries with some separator; empty if it cannot be read (ssh-agent's, except by root). */
  readonly environment: string;
}

export function runningProcesses(): RunningProcess[] {
  return process.platform === 'linux' ? fromProc() : fromPs();
}

/** Children, their children and so on. */
export function descendantsOf(pid: number): number[] {
  const all = runningProcesses();
  const childrenOf = (parent: number): number[] =>
    all
      .filter((candidate) => candidate.parent === parent)
      .flatMap((child) => [child.pid, ...childrenOf(child.pid)]);
  return childrenOf(pid);
}

/** proc(5). A process without arguments is a kernel thread or a zombie and is ignored. */
function fromProc(): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({
      pid: Number(name),
      // The second field, the name in parentheses, may contain spaces and parentheses.
      parent: Number(/.*\) \S (\d+)/s.exec(read(name, 'stat'))?.[1] ?? 0),
      command: read(name, 'cmdline').replaceAll('\0', ' ').trim(),
      environment: read(name, 'environ'),
    }))
    .filter(({ command }) => command !== '');
}

/** Empty if the process has ended meanwhile, or belongs to another user. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** BSD's `-E` appends the environment to the arguments without a separator. */
function fromPs(): RunningProcess[] {
  const args = ['-A', '-E', '-ww', '-o', 'pid=,ppid=,stat=,command='];
  const lines = execFileSync('ps', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }).split('\n');
  return lines.flatMap((line) => {
    const fields = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line);
    if (fields === null || fields[3]?.startsWith('Z')) return [];
    const command = fields[4] ?? '';
    return [{ pid: Number(fields[1]), parent: Number(fields[2]), command, environment: command }];
  });
}

/** Kills the processes and their new children: the table is not read at one moment. */
export function endAll(find: () => readonly { readonly pid: number }[]): void {
  for (let left = find(), tries = 0; left.length > 0 && tries < 100; left = find(), tries += 1) killAll(left);
}

export function killAll(victims: readonly { readonly pid: number }[]): void {
  for (const { pid } of victims) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
