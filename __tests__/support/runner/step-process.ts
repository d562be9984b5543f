/** The process of one step: its output line by line, and cancellation like the runner's. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** A moment: a promise, or a function from the step's process id to one. */
export type Moment = Promise<unknown> | ((pid: number) => Promise<unknown>);

/** In milliseconds. */
export interface Patience {
  /** From SIGINT to SIGTERM, and from there to SIGKILL (ProcessInvoker's 7,500 and 2,500). */
  readonly interrupt: number;
  readonly terminate: number;
  /** How long to wait for output after the process's end, if another process still holds it open. */
  readonly output: number;
}

export const runnerPatience: Patience = { interrupt: 7500, terminate: 2500, output: 5000 };

export interface StepProcess {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
  readonly patience: Patience;
  readonly cancelWhen?: Moment | undefined;
  readonly killWhen?: Moment | undefined;
  readonly onStart?: (child: ChildProcess) => void;
}

export interface Ended {
  /** 128 plus the signal's number if a signal ended the process. */
  readonly exitCode: number;
  readonly signal: NodeJS.Signals | null;
  readonly cancelled: boolean;
  /** A process that outlived the step kept its standard output or error open. */
  readonly outputHeld: boolean;
}

export async function runStepProcess(step: StepProcess): Promise<Ended> {
  const { file, args, cwd, env, patience } = step;
  // Steps read an empty standard input, because the runner closes it at once.
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<Pick<Ended, 'exitCode' | 'signal'>>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      resolve({ exitCode: code ?? 128 + (signal ? constants.signals[signal] : 0), signal });
    });
  });
  const output = Promise.all([child.stdout, child.stderr].map((stream) => readLines(stream, step.onLine)));
  step.onStart?.(child);
  let cancelled = false;
  const { pid } = child;
  const interventions = [
    moment(step.cancelWhen, pid).then(() => {
      cancelled = isRunning(child);
      return cancel(child, patience);
    }),
    moment(step.killWhen, pid).then(() => child.kill('SIGKILL')),
  ].map((intervention) => intervention.then(() => exited));
  const ended = await Promise.race([exited, ...interventions]).catch((error: unknown) => {
    // The moment never came: its promise was rejected, and the step must not outlive that.
    child.kill('SIGKILL');
    throw error;
  });
  const outputHeld = await Promise.race([
    output.then(() => false),
    sleep(patience.output, true, { ref: false }),
  ]);
  if (outputHeld) {
    child.stdout.destroy();
    child.stderr.destroy();
  }
  return { ...ended, cancelled, outputHeld };
}

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;

/** ProcessInvoker.CancelAndKillProcessTree: signals the step's own process, not its group. */
async function cancel(child: ChildProcess, { interrupt, terminate }: Patience): Promise<void> {
  for (const [signal, wait] of [
    ['SIGINT', interrupt],
    ['SIGTERM', terminate],
    ['SIGKILL', 0],
  ] as const) {
    if (!isRunning(child)) return;
    child.kill(signal);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await Promise.race([ended, sleep(wait, undefined, { ref: false })]);
  }
}

/** Never resolves if no moment is given. */
function moment(when: Moment | undefined, pid: number | undefined): Promise<unknown> {
  if (when === undefined || pid === undefined) return new Promise(() => undefined);
  return typeof when === 'function' ? when(pid) : when;
}

async function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  try {
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) onLine(line);
  } catch {
    // Destroyed, because another process held it open.
  }
}
