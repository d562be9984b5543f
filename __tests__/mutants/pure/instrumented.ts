/** Stryker's mutants of source files, all in one text of each file: a global variable says which one is active. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Instrumenter } from '@stryker-mutator/instrumenter';

export interface Mutant {
  readonly id: string;
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** The whole line, without the space around it. */
  readonly text: string;
  readonly was: string;
  readonly becomes: string;
}

export interface Instrumented {
  readonly sources: Readonly<Record<string, string>>;
  readonly mutants: readonly Mutant[];
}

const silent = () => undefined;
const no = () => false;
const logger = {
  ...{ isTraceEnabled: no, isDebugEnabled: no, isInfoEnabled: no },
  ...{ isWarnEnabled: no, isErrorEnabled: no, isFatalEnabled: no },
  ...{ trace: silent, debug: silent, info: silent, warn: silent, error: silent, fatal: silent },
};

/** @param files paths relative to the root, in the order of the mutants */
export async function instrument(root: string, files: readonly string[]): Promise<Instrumented> {
  const contents = Object.fromEntries(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
  const { files: outputs, mutants } = await new Instrumenter(logger).instrument(
    Object.entries(contents).map(([name, content]) => ({ name, content, mutate: true })),
    { plugins: null, excludedMutations: [], ignorers: [] },
  );
  return {
    sources: Object.fromEntries(outputs.map(({ name, content }) => [name, content])),
    mutants: mutants.map(({ id, fileName, location, replacement }) => {
      const lines = (contents[fileName] ?? '').split('\n');
      const { start, end } = location;
      const cut = lines.slice(start.line, end.line + 1);
      cut.push((cut.pop() ?? '').slice(0, end.column));
      cut[0] = (cut[0] ?? '').slice(start.column);
      return {
        id,
        file: fileName,
        line: start.line + 1,
        text: lines[start.line]?.trim() ?? '',
        was: inOneLine(cut.join('\n')),
        becomes: inOneLine(replacement),
      };
    }),
  };
}

const inOneLine = (code: string): string => code.replace(/\s+/g, ' ').trim();
