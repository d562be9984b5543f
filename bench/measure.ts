/** Measures commands that take turns, so that the ratios do not depend on the machine's speed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Milliseconds. */
export interface Sample {
  readonly wall: number;
  /** Processor time of the process and of the children that it waited for. Absent: not measured. */
  readonly processor?: number;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** What one round measured, by the name of each way. */
export type Round = Readonly<Record<string, Sample>>;

export const timed = join(import.meta.dirname, 'timed');

/** A program that starts `program` and measures it. Its arguments go to `program`. */
export interface Stopwatch {
  readonly path: string;
  /** The last measurement. */
  readonly read: () => Sample;
}

/** In bash, which passes on variables with hyphens in their names, as inputs have. */
export function stopwatch(folder: string, program: string): Stopwatch {
  const name = program.replace(/\W+/g, '-');
  const [path, file] = [join(folder, `timed${name}`), join(folder, `times${name}`)];
  writeFileSync(path, `#!/bin/bash\nexec '${timed}' '${file}' '${program}' "$@"\n`, { mode: 0o755 });
  return { path, read: () => readTimes(file) };
}

/** The file that `bench/timed` wrote. Some locales write a comma. */
export function readTimes(file: string): Sample {
  const [real, user, system] = readFileSync(file, 'utf8').replaceAll(',', '.').split(' ').map(Number);
  if (real === undefined || user === undefined || system === undefined) throw new Error(`no times: ${file}`);
  return { wall: 1000 * real, processor: 1000 * (user + system) };
}

/** Measures a command in this process's view, without processor time. */
export async function wallOf(work: () => Promise<unknown>): Promise<Sample> {
  const started = performance.now();
  await work();
  return { wall: performance.now() - started };
}

/** Each way measures one command, or several that belong together. */
export type Way = () => Promise<Round>;

/** The ways take turns, and each round starts with another way. The first round is not counted. */
export async function takeTurns(rounds: number, ways: readonly Way[]): Promise<Round[]> {
  const all: Round[] = [];
  for (let number = 0; number <= rounds; number++) {
    const first = number % ways.length;
    let round: Round = {};
    for (const way of [...ways.slice(first), ...ways.slice(0, first)]) round = { ...round, ...(await way()) };
    if (number > 0) all.push(round);
  }
  return all;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? NaN;
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? at(half) : (at(half - 1) + at(half)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}
