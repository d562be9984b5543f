/**
 * Takes the place of `@jest/globals` while mutants are tried: tests are loaded once, and then run again and again in one
 * process. Has what the tests of this project use.
 */
import { expect } from 'expect';

export { expect };

type Step = () => unknown;
type Hook = 'beforeAll' | 'afterAll' | 'beforeEach' | 'afterEach';

interface Block extends Record<Hook, Step[]> {
  /** From the outermost block to this one. */
  readonly path: readonly Block[];
}

export interface Case {
  readonly name: string;
  readonly block: Block;
  readonly run: Step;
}

const blockIn = (path: readonly Block[]): Block => {
  const all: Block[] = [...path];
  const block: Block = { path: all, beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] };
  all.push(block);
  return block;
};
let current = blockIn([]);
let collected: Case[] = [];

/** The tests of the file that `load` imports. */
export async function casesOf(load: () => Promise<unknown>): Promise<Case[]> {
  current = blockIn([]);
  collected = [];
  await load();
  return collected;
}

type Define = (name: string, body: (...row: unknown[]) => unknown) => void;

/** `it.each(rows)(name, test)`: a row that is a list becomes the arguments. */
const withRows = (define: Define): unknown =>
  Object.assign(define, {
    each: (rows: readonly unknown[]) => (name: string, body: (...row: unknown[]) => unknown) => {
      rows.forEach((row, index) => {
        const args = Array.isArray(row) ? (row as unknown[]) : [row];
        define(`${name} [${String(index)}]`, () => body(...args));
      });
    },
    skip: Object.assign(() => undefined, { each: () => () => undefined }),
    todo: () => undefined,
  });

export const it = withRows((name, body) => {
  collected.push({ name, block: current, run: () => body() });
});
export const test = it;
export const describe = withRows((_name, body) => {
  const outer = current;
  current = blockIn(outer.path);
  body();
  current = outer;
});

const hook = (kind: Hook) => (step: Step) => void current[kind].push(step);
export const beforeAll = hook('beforeAll');
export const afterAll = hook('afterAll');
export const beforeEach = hook('beforeEach');
export const afterEach = hook('afterEach');

async function inTurn(steps: readonly Step[]): Promise<void> {
  for (const step of steps) await step();
}

/** Sees each test before and after it runs; `before` gets undefined for what several tests share. */
export interface Watch {
  before(test: Case | undefined): void;
  after(test: Case): void;
}

/** Runs them in order until one fails. Returns that one, or undefined. */
export async function firstFailing(cases: readonly Case[], watch?: Watch): Promise<Case | undefined> {
  let entered: readonly Block[] = [];
  const leave = async (kept: readonly Block[]): Promise<void> => {
    watch?.before(undefined);
    for (const block of entered.filter((each) => !kept.includes(each)).reverse())
      await inTurn(block.afterAll);
    entered = kept;
  };
  const attempt = async (one: Case): Promise<void> => {
    const { path } = one.block;
    await leave(path.filter((block) => entered.includes(block)));
    for (const block of path.filter((each) => !entered.includes(each))) {
      entered = [...entered, block];
      await inTurn(block.beforeAll);
    }
    watch?.before(one);
    try {
      for (const block of path) await inTurn(block.beforeEach);
      await one.run();
    } finally {
      for (const block of [...path].reverse()) await inTurn(block.afterEach);
      watch?.after(one);
    }
  };
  for (const one of cases) {
    try {
      await attempt(one);
    } catch {
      await leave([]).catch(() => undefined);
      return one;
    }
  }
  try {
    await leave([]);
  } catch {
    return cases.at(-1);
  }
  return undefined;
}
