/** Changes an input a little, for the search by coverage. */
import { hostileParts } from './hostile.ts';

export type Random = () => number;

const below = (random: Random, end: number): number => Math.floor(random() * end);

/** Numbers at the borders of fields of one, two and four bytes. */
const borders = [
  '\0',
  '\u0001',
  '\u007f',
  '\u0080',
  '\u00ff',
  '\0\0\0\0',
  '\0\0\0\u0001',
  '\u00ff\u00ff\u00ff\u00ff',
  '\u007f\u00ff\u00ff\u00ff',
];

/** @param other another input of the corpus */
export function mutate(text: string, other: string, random: Random): string {
  let changed = text;
  for (let count = 1 + below(random, 4); count > 0; count--) changed = mutateOnce(changed, other, random);
  return changed.slice(0, 20_000);
}

function mutateOnce(text: string, other: string, random: Random): string {
  const at = below(random, text.length + 1);
  const end = Math.min(text.length, at + 1 + below(random, random() < 0.7 ? 8 : text.length + 1));
  const [before, behind] = [text.slice(0, at), text.slice(end)];
  const part = (): string => hostileParts[below(random, hostileParts.length)] ?? '';
  switch (below(random, 9)) {
    case 0:
      return before + behind;
    case 1:
      return before + text.slice(at, end).repeat(2 + below(random, 3)) + behind;
    case 2:
      return before + part() + text.slice(at);
    case 3:
      return before + part() + behind;
    case 4:
      return (
        before +
        String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << below(random, 8))) +
        text.slice(at + 1)
      );
    case 5:
      return before + (borders[below(random, borders.length)] ?? '') + behind;
    case 6:
      return before + other.slice(below(random, other.length + 1));
    case 7: {
      const start = below(random, other.length + 1);
      return before + other.slice(start, start + 1 + below(random, 12)) + text.slice(at);
    }
    default:
      return before + String.fromCharCode(below(random, 256)) + text.slice(at);
  }
}
