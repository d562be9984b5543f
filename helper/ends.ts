/** This process as one end of a connection: its standard input and output, and the signals that end it. */
import { Failure } from '../src/errors.ts';
import type { Ends } from './proxy/carry.ts';

/**
 * ssh ends its ProxyCommand by SIGHUP; where it is killed, it cannot, and this process gets another parent. No SIGPIPE: Node
 * ignores it until somebody listens, and then each write to a socket that was reset brings one, as to a closed standard
 * output. A new socket replaces the first; the second is noticed as the stream's EPIPE error.
 */
const signals = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGQUIT'] as const;

/** Milliseconds. Before the way is open, nothing else tells of it. */
const parentInterval = 200;

export function endsOfProcess(): Ends {
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
  const watch = setInterval(() => {
    if (process.ppid !== parent) end('the end of ssh');
  }, parentInterval).unref();
  // From then on the end of its input says it; ssh -f goes on in a child of its own.
  process.stdin.once('resume', () => {
    clearInterval(watch);
  });
  return { input: process.stdin, output: process.stdout, signal: controller.signal };
}
