/** The counts of `npm run test:mutants -- pure`, on a small project whose mutants are known. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import type { Judged, Score } from './pure/score.ts';

const source = `
export const pattern = /^a+$/;
export function isSmall(value: number): boolean {
  return value < 10;
}
export function last(values: number[]): number {
  let at = 0;
  while (at < values.length - 1) at++;
  return at;
}
export function never(): string {
  return 'never';
}
`;
const tests = `
import { describe, expect, it } from '@jest/globals';
import { isSmall, last, pattern } from '../../src/keys/small.ts';
it.each([[1, true], [12, false]])('%j is small: %j', (value, small) => {
  expect(isSmall(value)).toBe(small);
});
describe('last', () => {
  it('counts', () => {
    expect(last([1, 2, 3])).toBe(2);
  });
});
it('matches whole texts', () => {
  expect(['a', 'aa', 'ab', 'ba'].map((text) => pattern.test(text))).toEqual([true, true, false, false]);
});
it('fails with and without mutants', () => {
  expect(isSmall(1)).toBe(false);
});
`;

let result: { judged: Judged[]; scores: Score[]; stale: { why: string }[]; failing: string[] };
beforeAll(() => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'small-')));
  for (const folder of ['src/keys', '__tests__/keys']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'src/keys/small.ts'), source);
  writeFileSync(join(root, '__tests__/keys/small.test.ts'), tests);
  const script = join(import.meta.dirname, 'pure/small-project.ts');
  const printed = execFileSync(process.execPath, ['--no-warnings', script, root], { encoding: 'utf8' });
  result = JSON.parse(printed) as typeof result;
});

const outcomeOf = (change: string): string | undefined =>
  result.judged.find(({ mutant }) => `${mutant.was} → ${mutant.becomes}` === change)?.outcome;

it.each([
  ['a mutant that a test sees', 'value < 10 → value >= 10', 'killed'],
  ['a mutant that no test sees', 'value < 10 → value <= 10', 'survived'],
  ['a mutant that never ends', 'at++ → at--', 'timeout'],
  ['a mutant that no test reaches', `'never' → ""`, 'no test'],
  ['a mutant in what runs while the file is loaded', '/^a+$/ → /^a+/', 'killed'],
])('%s is counted as such', (_, change, outcome) => {
  expect(outcomeOf(change)).toBe(outcome);
});

it('counts in percent what was killed, without what has an explanation', () => {
  const [score] = result.scores;
  const { mutants = 0, killed = 0, timeout = 0, score: percent } = score ?? {};
  expect(score).toMatchObject({ folder: 'src/keys', survived: 0, explained: 2, timeout: 1, 'no test': 2 });
  expect(killed + timeout).toBe(mutants - 2 - 2);
  expect(percent).toBe(Math.floor((1000 * (killed + timeout)) / (mutants - 2)) / 10);
});

it('names an explanation of no mutant, and one of a mutant that a test kills', () => {
  expect(result.stale.map(({ why }) => why)).toEqual(['no such mutant', 'a test kills it']);
});

it('does not use a test that fails without mutants', () => {
  expect(result.failing).toEqual(['__tests__/keys/small.test.ts: fails with and without mutants']);
});
