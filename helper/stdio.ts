/** This process as one end of a connection: its standard input and output, and the signals that end it. */
import { Failure } from '../src/errors.ts';
import type { Stdio } from './proxy/carry.ts';

/**
 * ssh ends its ProxyCommand by SIGHUP; where it is killed, it cannot, and this process gets another parent. No SIGPIPE: Node
 * ignores it until somebody listens, and then each write to a socket that was reset brings one, as to a closed standard
 * output. A new socket replaces the first; the second is noticed as the stream's EPIPE error.
 */
const signals = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGQUIT'] as const;

/** Milliseconds. */
const parentInterval = 200;

/** @param shell the process id of ssm-ssh: where it is killed, ssh goes on */
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
      // ssh -f goes on in a child of its own; the end of our input says when that ends.
      clearInterval(watch);
    } else {
      end('the end of ssh');
    }
  }, parentInterval).unref();
  process.stdin.once('resume', () => {
    isOpen = true;
    // The end of our input says the rest.
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
