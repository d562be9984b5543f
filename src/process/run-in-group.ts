/** Runs a program that ends, with all that it has started, when this process ends, even if this process is killed. */
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { finished, type Finished, type RunOptions } from './run.ts';

/**
 * The descriptor 3 ends when this process closes it or ends. The guard then ends the group, itself included. By `cat`,
 * standard input can be opened as /dev/stdin: Node's own pipes are sockets, which cannot.
 */
const guarded = `(trap '' HUP INT QUIT TERM; read -r _ <&3; kill -TERM 0; sleep 1; kill -KILL 0) >/dev/null 2>&1 </dev/null &
guard=$!
{ cat | "$@"; } 3<&-
code=$?
kill -KILL "$guard"
exit "$code"`;

/**
 * Resolves for any exit code: 127 if there is no such program. Rejects with the signal's reason if it is aborted. The program
 * has a session of its own, without a terminal.
 */
export async function runInGroup(
  argv: readonly [string, ...string[]],
  { env, input = '', cwd, signal }: RunOptions,
): Promise<Finished> {
  signal.throwIfAborted();
  const child = spawn('sh', ['-c', guarded, 'sh', ...argv], {
    ...{ env, cwd, signal, detached: true, killSignal: 'SIGKILL' },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  const lifeline = child.stdio[3] as Socket;
  lifeline.on('error', () => undefined);
  const close = (): void => {
    lifeline.destroy();
  };
  signal.addEventListener('abort', close);
  try {
    return await finished(child, { program: 'sh', input, signal });
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}
