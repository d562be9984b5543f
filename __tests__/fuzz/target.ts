/** A parser under hostile input: what it reads, inputs near its grammar, and what has to hold for each input. */
import { createContext, Script } from 'node:vm';
import type fc from 'fast-check';
import { catalogue, Failure } from '../../src/errors.ts';

/** Bytes are texts in latin1, so that every parser takes a text. */
export interface Target {
  readonly name: string;
  /** Right inputs. Keys are made at run time. */
  readonly seeds: readonly string[];
  /** Inputs near the grammar. */
  readonly near: fc.Arbitrary<string>;
  /** Throws a Failure for what it refuses, and anything else if a property does not hold. */
  readonly read: (text: string) => void;
  /** The parts of an input that no message may show. */
  readonly secrets?: (text: string) => readonly string[];
  /** Whether the input is the text of a service, which has no secret of ours. */
  readonly isForeign?: boolean;
  /** Whether the corpus keeps inputs that reach new code: not where they may have parts of keys. */
  readonly isKept?: boolean;
}

/** A parser that waits: for a service, a file or a key derivation. */
export interface AsyncTarget extends Omit<Target, 'read'> {
  readonly isAsync: true;
  readonly read: (text: string) => Promise<void>;
}

/** A token that no message may show. Made of parts: scanners of repositories look for such texts. */
export const marker = ['ghp', 'Zq7Rt2Wv9Xy4Ub6Nm1Kj8Hg5Fd3Sa0Qw2Er4'].join('_');

const markerAlone = new RegExp(`(?<=^|[\\s"',=])${marker}(?=$|[\\s"',])`);

/** Characters that end a line, move a cursor or turn the direction of text, and the runner's old commands. */
export const acts = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]|##\[/u;

/** Characters of a message and its hint. */
const longestMessage = 16_001;

/** @returns what does not hold for the error; undefined for a failure as promised */
export function problemOf(error: unknown, secrets: readonly string[]): string | undefined {
  if (!(error instanceof Failure)) {
    return error instanceof Error
      ? (error.stack ?? error.message).split('\n').slice(0, 4).join(' ')
      : `a ${typeof error}`;
  }
  const said = `${error.message} ${error.hint}`;
  if (!(error.code in catalogue) || error.code === 'INTERNAL') return `the code is ${error.code}: ${said}`;
  if (acts.test(said)) return `control characters in ${JSON.stringify(said)}`;
  if (error.render('x').split('\n').length !== 2) return `more than two lines: ${said}`;
  if (said.length > longestMessage) return `a message of ${said.length} characters: ${said.slice(0, 200)}`;
  const shown = secrets.find((secret) => said.includes(secret));
  return shown === undefined ? undefined : `the message has the secret ${shown}: ${said}`;
}

function secretsOf(target: Pick<Target, 'secrets' | 'isForeign'>, text: string): readonly string[] {
  return [
    ...(!target.isForeign && markerAlone.test(text) ? [marker] : []),
    ...(target.secrets?.(text) ?? []),
  ];
}

/** @returns undefined if everything holds */
export function problemWith(target: Target, text: string): string | undefined {
  try {
    target.read(text);
    return undefined;
  } catch (error) {
    return problemOf(error, secretsOf(target, text));
  }
}

export async function problemLater(target: AsyncTarget, text: string): Promise<string | undefined> {
  try {
    await target.read(text);
    return undefined;
  } catch (error) {
    return problemOf(error, secretsOf(target, text));
  }
}

const work: { run?: () => void } = {};
const script = new Script('run()');
const context = createContext(work);

/** Ends work that hangs, also inside of a regular expression. @returns whether it ended by itself */
export function endsWithin(milliseconds: number, run: () => void): boolean {
  work.run = run;
  try {
    script.runInContext(context, { timeout: milliseconds });
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return false;
    throw error;
  }
}

/** For properties of a target. */
export function holds(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}
