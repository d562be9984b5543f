/** Draws the sample: the same places for the same seed and the same sources. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
// @ts-expect-error the lint configuration has no types
import * as lint from '../../../eslint.config.js';
import { changesOf, type Change } from '../changes.ts';
import { wholeFolders } from '../pure/folders.ts';

const { pureFiles } = lint as unknown as { readonly pureFiles: readonly string[] };

/** A change with its number in the order of drawing, counted from 1. */
export interface Drawn extends Change {
  readonly id: number;
}

export const trackedFiles = (root: string): string[] =>
  execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n');

/** All places of src and helper, without the files that `npm run test:mutants -- pure` tries as a whole. */
export function placesIn(root: string): Change[] {
  const tried = new Set(
    globSync([...pureFiles], { cwd: root }).filter((file) =>
      wholeFolders.some((folder) => file.startsWith(`${folder}/`)),
    ),
  );
  return trackedFiles(root)
    .filter((file) => /^(src|helper)\//.test(file) && !file.endsWith('.d.ts') && !tried.has(file))
    .flatMap((file) => changesOf(file, readFileSync(join(root, file), 'utf8')));
}

/** mulberry32. */
function randomOf(state: number): () => number {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** No place twice. */
export function draw<T>(places: readonly T[], count: number, seed: number): T[] {
  const random = randomOf(seed);
  const drawn = new Set<T>();
  while (drawn.size < Math.min(count, places.length))
    drawn.add(places[Math.floor(random() * places.length)] as T);
  return [...drawn];
}

export const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
