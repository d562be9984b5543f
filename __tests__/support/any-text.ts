/** Any text, with fast-check's dangerous words (`__proto__`, `toString`). */
import fc from 'fast-check';

const surrogates = { first: 0xd800, after: 0xe000 };
const gap = surrogates.after - surrogates.first;

/** For fast-check's own unit `binary` each test file makes a map of a million characters, in a second and 100 MB. */
const character = fc.integer({ min: 0, max: 0x10ffff - gap }).map(
  (place) => String.fromCodePoint(place < surrogates.first ? place : place + gap),
  (text) => {
    const point = typeof text === 'string' ? text.codePointAt(0) : undefined;
    if (point === undefined || text !== String.fromCodePoint(point)) throw new Error('not one character');
    return point < surrogates.first ? point : point - gap;
  },
);

/** @param lengths in characters */
export const anyText = (lengths: { minLength?: number; maxLength?: number } = {}): fc.Arbitrary<string> =>
  fc.string({ ...lengths, unit: character });
