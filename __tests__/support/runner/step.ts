/** Runs one step of a job and keeps its variables, paths and masks for the next ones. */
import { createFileCommands } from './file-commands.ts';
import type { FileCommandResults } from './file-commands.ts';
import type { Masks } from './masks.ts';
import { runnerPatience, runStepProcess } from './step-process.ts';
import type { Ended, Moment, Patience, StepProcess } from './step-process.ts';
import { StepLog } from './workflow-commands.ts';
import type { Annotation } from './workflow-commands.ts';

export interface StepOptions {
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The user cancels the run: SIGINT, later SIGTERM, later SIGKILL. */
  readonly cancelWhen?: Moment | undefined;
  /** The process is killed by SIGKILL at once, as under memory pressure. */
  readonly killWhen?: Moment | undefined;
  /** Shorter waits than the runner's. */
  readonly patience?: Partial<Patience> | undefined;
}

export interface StepResult {
  readonly outcome: 'success' | 'failure' | 'cancelled';
  readonly exitCode: number;
  readonly signal: NodeJS.Signals | null;
  /** The visible log: workflow commands are executed, secrets masked. */
  readonly log: string;
  /** Standard output and standard error, line by line in order, before any masking. */
  readonly raw: string;
  readonly annotations: readonly Annotation[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly state: Readonly<Record<string, string>>;
  readonly paths: readonly string[];
  readonly summary: string;
  /** Every mask of the job so far. */
  readonly masks: readonly string[];
  /** A remaining process still held the output open: the real runner waits five seconds for that. */
  readonly outputHeld: boolean;
}

/** The shared state of steps. */
export interface JobMemory {
  readonly temp: string;
  readonly masks: Masks;
  readonly debug: boolean;
  /** From GITHUB_ENV. */
  readonly exported: Map<string, string>;
  /** From GITHUB_PATH; the last one comes first in PATH. */
  paths: string[];
  readonly running: Set<number>;
}

export interface Step extends StepOptions {
  readonly process: Pick<StepProcess, 'file' | 'args' | 'cwd'>;
  /** The whole environment, except for variables of this step only. */
  readonly environment: Readonly<Record<string, string>>;
  /** Lines of the runner before the step starts. */
  readonly prologue?: (log: StepLog) => void;
  /** The exit code of a failed `run:` step is logged; an action logs its own errors. */
  readonly announcesExitCode: boolean;
}

export async function runStep(memory: JobMemory, step: Step): Promise<StepResult> {
  const files = createFileCommands(memory.temp);
  const log = new StepLog(memory.masks, memory.debug);
  const raw: string[] = [];
  let pid: number | undefined;
  step.prologue?.(log);
  const ended = await runStepProcess({
    ...step.process,
    env: { ...step.environment, ...files.environment },
    patience: { ...runnerPatience, ...step.patience },
    cancelWhen: step.cancelWhen,
    killWhen: step.killWhen,
    onStart: (child) => {
      pid = child.pid;
      if (pid !== undefined) memory.running.add(pid);
    },
    onLine: (line) => {
      raw.push(`${line}\n`);
      log.line(line);
    },
  });
  if (pid !== undefined) memory.running.delete(pid);
  const left = files.collect();
  remember(memory, left);
  for (const message of [...left.errors, ...left.fatal]) log.annotate({ level: 'error', message });
  if (ended.cancelled) log.annotate({ level: 'error', message: 'The operation was canceled.' });
  else if (step.announcesExitCode && ended.exitCode !== 0) {
    log.annotate({ level: 'error', message: `Process completed with exit code ${ended.exitCode}.` });
  }
  return resultOf(memory, { ended, left, log, raw: raw.join('') });
}

function remember(memory: JobMemory, { env, paths }: FileCommandResults): void {
  for (const [name, value] of env) memory.exported.set(name, value);
  for (const path of paths) memory.paths = [...memory.paths.filter((other) => other !== path), path];
}

interface Traces {
  readonly ended: Ended;
  readonly left: FileCommandResults;
  readonly log: StepLog;
  readonly raw: string;
}

function resultOf({ masks }: JobMemory, { ended, left, log, raw }: Traces): StepResult {
  const { cancelled, exitCode, signal, outputHeld } = ended;
  const failed = exitCode !== 0 || log.failed || left.fatal.length > 0;
  return {
    ...{ outcome: cancelled ? 'cancelled' : failed ? 'failure' : 'success', exitCode, signal, outputHeld },
    ...{ log: log.text(), raw, annotations: log.annotations },
    outputs: Object.fromEntries([...log.outputs, ...left.outputs]),
    env: Object.fromEntries(left.env),
    state: Object.fromEntries([...log.state, ...left.state]),
    paths: left.paths,
    summary: masks.redact(left.summary),
    masks: masks.values(),
  };
}
