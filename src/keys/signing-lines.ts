/** The lines of a job's keys that our agent signs with: `NUMBER LINE`, with the number of the route. Pure. */
import { isStoredLine, parseKeyLine, type KeyLine, type SigningKeyLine } from './key-line.ts';
import { keyLineText } from './key-line-text.ts';

/** Empty if there are none. Stored keys are left out: their names are not needed to use them. */
export function renderSigningLines(lines: readonly KeyLine[]): string {
  const written = lines.map((line, number) => (isStoredLine(line) ? '' : `${number} ${keyLineText(line)}\n`));
  return written.join('');
}

/** @throws INPUT_INVALID for what renderSigningLines did not make */
export function readSigningLines(text: string): ReadonlyMap<number, SigningKeyLine> {
  return new Map(
    [...text.matchAll(/^(\d+) (.*)$/gm)].flatMap(([, number, written = '']) => {
      const line = parseKeyLine(written);
      return isStoredLine(line) ? [] : [[Number(number), line] as const];
    }),
  );
}
