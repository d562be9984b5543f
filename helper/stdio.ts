/** Standard input and output of this process as one end of a connection, and the signals that end it. */
import { Failure } from '../src/errors.ts';
import type { Stdio } from './proxy/carry.ts';

/**
 * ssh sends SIGHUP to end its ProxyCommand. A killed ssh cannot, but then this process gets a new parent. SIGPIPE is
 * not in the list: Node ignores it unless there is a listener. With a listener, every write to a reset socket would
 * count as the end. A closed standard output is noticed by the stream's EPIPE error.
 */
const signals = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGQUIT'] as const;

/** Milliseconds. */
const parentInterval = 200;

/** @param shell the process id of ssm-ssh: if it is killed, ssh continues without it */
export function stdioOfProcess(shell?: number): Stdio {
  const controller = new AbortController();
  const end = (by: string): void => {
    controller.abort(new Failure('TIMEOUT', `interrupted by ${by}`, { hint: 'connect again' }));
  };
  for (const name of signals) {
    process.on(name, () => {
      end(name);
    });
  }
  const parent = process.ppid;
  let isOpen = false;
  const watch = setInterval(() => {
    if (process.ppid === parent) {
      if (shell !== undefined && !isAlive(shell)) end('the end of ssm-ssh');
    } else if (isOpen) {
      // `ssh -f` continues in a child process. The end of standard input tells when it ends.
      clearInterval(watch);
    } else {
      end('the end of ssh');
    }
  }, parentInterval).unref();
  process.stdin.once('resume', () => {
    isOpen = true;
    // From here on, the end of standard input is enough.
    if (shell === undefined) clearInterval(watch);
  });
  return { input: process.stdin, output: process.stdout, signal: controller.signal };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
