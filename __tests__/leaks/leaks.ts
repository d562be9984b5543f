/** What is counted, and what fails: a secret where it must not be. */
import { appendFileSync } from 'node:fs';
import { receivedSecrets } from './harvest.ts';
import { Finder, type Secret } from './secrets.ts';
import type { Call } from './trace.ts';

export interface Searched {
  /** The situation. */
  readonly name: string;
  readonly calls: readonly Call[];
  readonly secrets: readonly Secret[];
  /** Everything that is there afterwards, by its name: files, logs, outputs, state, names of files. */
  readonly texts: Readonly<Record<string, string>>;
  /** Secrets that the caller gave by the environment: the first program has them. */
  readonly given?: readonly string[];
}

export interface LeakRecord {
  readonly name: string;
  readonly calls: number;
  readonly texts: number;
  readonly forms: number;
  /** Calls with a secret that are permitted: the search does find it. */
  readonly permitted: number;
  readonly leaked: number;
}

/** @returns each leak, without the secret */
export function leaksIn({ name, calls, secrets, texts, given = [] }: Searched): string[] {
  const finder = new Finder([...secrets, ...receivedSecrets(calls)]);
  let permitted = 0;
  const byCalls = calls.flatMap(({ to, text, isFirst }) => {
    if (to === undefined) return [];
    return finder.in(text).flatMap((secret) => {
      if (secret.mayGo.includes(to) || (isFirst && given.includes(secret.name))) {
        permitted += 1;
        return [];
      }
      return `${name}: ${secret.name} goes to ${to}: ${/^(?:\d+ +)?(\w+\([^"]*)/.exec(text)?.[1] ?? ''}`;
    });
  });
  const byTexts = Object.entries(texts).flatMap(([where, text]) =>
    finder.in(text).map((secret) => `${name}: ${secret.name} is in ${where}`),
  );
  const leaked = [...byCalls, ...byTexts];
  const counts = { calls: calls.length, texts: Object.keys(texts).length, forms: finder.size };
  record({ name, ...counts, permitted, leaked: leaked.length });
  return leaked;
}

function record(one: LeakRecord): void {
  const file = process.env['LEAKS_FILE'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(one)}\n`);
}
