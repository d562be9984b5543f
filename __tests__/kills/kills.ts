/**
 * SIGKILL at random moments: a scene runs, is killed, and says what is wrong after that. `npm run test:kills -- N` sets
 * the number of kills of each scene, and prints what is counted here.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../support/aws/session-manager/random.ts';
import { descendantsOf, killAll } from '../support/runner/process-table.ts';

type Pid = { readonly pid: number };

export interface Kill {
  /** Milliseconds from the start. */
  readonly after: number;
  /** Kills one of the processes. @returns it; undefined: there is none */
  readonly one: <Process extends Pid>(of: readonly Process[]) => Process | undefined;
  /** For a scene that kills by itself. */
  readonly hit: () => void;
}

export interface Scene {
  /**
   * Runs to the end, or until it is killed; undefined: it is not disturbed.
   *
   * @returns the milliseconds in which it can be killed
   */
  readonly run: (kill: Kill | undefined) => Promise<number>;
  /** What is wrong after a kill; it also runs the scene again. */
  readonly check: () => Promise<readonly string[]>;
}

/** Of each scene. */
const killCount = Number(process.env['KILLS'] ?? 2);
/** Milliseconds for one test. */
export const killPatience = 120_000 + killCount * 30_000;
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

export async function killMany(name: string, { run, check }: Scene): Promise<void> {
  const random = seededRandom(seed);
  // Later runs are faster or slower; a kill after the end is a run that is not disturbed.
  const duration = (await run(undefined)) * 0.9;
  for (let number = 1; number <= killCount; number++) {
    const moment = random() * duration;
    let hits = 0;
    const hit = (): void => {
      hits = 1;
    };
    const one: Kill['one'] = (of) => {
      const victim = of[Math.floor(random() * of.length)];
      if (victim) hit();
      if (victim) killAll([victim]);
      return victim;
    };
    await run({ after: moment, one, hit });
    const problems = await check();
    record({ name, hit: hits, wrong: problems.length });
    if (problems.length > 0) {
      const when = `${name}: kill ${number} after ${Math.round(moment)} ms, with the seed ${seed}`;
      throw new Error([when, ...problems].join('\n'));
    }
  }
}

export interface KillRecord {
  readonly name: string;
  /** 1: a process was killed; 0: it had ended before. */
  readonly hit: number;
  readonly wrong: number;
}

function record(one: KillRecord): void {
  const file = process.env['KILLS_FILE'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(one)}\n`);
}

/** Waits until nothing is left, or the patience is over. */
export async function nothing<Left>(
  left: () => readonly Left[],
  milliseconds = 15_000,
): Promise<readonly Left[]> {
  const until = Date.now() + milliseconds;
  while (left().length > 0 && Date.now() < until) await sleep(50);
  return left();
}

/** The files with text that only the private half of a key has. */
export function filesWithKey(files: ReadonlyMap<string, string>, privateKey: string): string[] {
  const hidden = privateKey.trim().split('\n').slice(3, -1);
  const has = (text: string): boolean => hidden.some((line) => text.includes(line));
  return [...files].flatMap(([path, text]) => (has(text) ? `key text in ${path}` : []));
}

/** The milliseconds that the work takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** A process and what it started. */
export function pidsOf(pid: number | undefined): Pid[] {
  return pid === undefined ? [] : [pid, ...descendantsOf(pid)].map((one) => ({ pid: one }));
}
