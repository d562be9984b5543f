/** A job whose main and post run under strace, with everything that it leaves and tells. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { actionPath, told } from '../e2e/stage.ts';
import type { ReadyWorld } from '../support/aws/world.ts';
import { createJob, type Job, type StepResult } from '../support/runner/job.ts';
import { runningProcesses } from '../support/runner/process-table.ts';
import { leaksIn } from './leaks.ts';
import type { Secret } from './secrets.ts';
import { readTraces, tracedNode } from './trace.ts';

export interface TracedJob {
  readonly name: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: readonly Secret[];
  readonly actionPath?: string;
  /** Whether an agent of ours runs, which gets the token for OIDC requests by its standard input, a socket. */
  readonly hasFront?: boolean;
}

export interface JobOutcome {
  /** Of main's error; empty if there is none. */
  readonly code: string;
  readonly leaks: readonly string[];
  /** Whether ssh-agent switched core dumps and tracing by its own user off (prctl(2)). */
  readonly hidesMemory: boolean;
}

export async function runTracedJob(traced: TracedJob): Promise<JobOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'traced-'));
  const traces = join(folder, 'traces');
  mkdirSync(traces);
  const place = { actionPath, ...(traced.actionPath !== undefined && { actionPath: traced.actionPath }) };
  const job = createJob({ ...place, env: traced.env, nodePath: tracedNode(traces), debug: true });
  try {
    const patience = { output: 100 };
    const main = await job.uses({ with: traced.inputs, patience });
    const between = textsOf('main', main, job);
    const { posts } = await job.finish({ patience });
    const after = posts.map((post) => textsOf('post', post, job));
    // strace goes on until the agent ends.
    while (isTraced(folder)) await sleep(20);
    const ofCaller = secretsIn(traced);
    const secrets = [...traced.secrets, ...ofCaller];
    const texts = Object.assign({}, between, ...after) as Record<string, string>;
    const given = ofCaller.map(({ name }) => name);
    const calls = readTraces(traces);
    const leaks = leaksIn({ name: traced.name, calls, secrets, texts, given });
    const hidesMemory = calls.some(({ text }) => text.includes('prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE'));
    return { code: told(main).code, leaks, hidesMemory };
  } finally {
    job.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether a strace still writes. */
export const isTraced = (folder: string): boolean =>
  runningProcesses().some(({ command }) => command.includes(folder) && command.includes('strace'));

/** What a step told, and each file that is there after it. */
function textsOf(step: string, result: StepResult, job: Job): Record<string, string> {
  const { log, raw, annotations, outputs, env, state, paths, summary } = result;
  const files = job.files();
  return {
    [`the log of ${step}`]: log,
    [`what ${step} printed`]: raw.replace(/^::add-mask::.*$/gm, ''),
    ...Object.fromEntries(
      Object.entries({ annotations, outputs, env, state, paths, summary }).map(([name, value]) => [
        `${name} of ${step}`,
        JSON.stringify(value),
      ]),
    ),
    [`the names of files after ${step}`]: files.map(({ path }) => path).join('\n'),
    ...Object.fromEntries(
      files
        .filter(({ kind }) => kind === 'file')
        .map(({ path }) => [`${path} after ${step}`, readFileSync(path, 'latin1')]),
    ),
  };
}

/** Secrets of the caller's environment. GitHub's token goes to GitHub's service, session tokens go to AWS. */
function secretsIn({ env, hasFront = false }: TracedJob): Secret[] {
  const sent = ['ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'AWS_SESSION_TOKEN'];
  return [...sent, 'AWS_SECRET_ACCESS_KEY'].flatMap((name) => {
    const text = env[name];
    if (text === undefined || text.length < 12) return [];
    if (hasFront && name === sent[0]) return { name, text, mayGo: ['server', 'agent'] };
    return { name, text, mayGo: sent.includes(name) ? ['server'] : [] };
  });
}

export type Arranged = (world: ReadyWorld) => Omit<TracedJob, 'secrets' | 'name'>;
