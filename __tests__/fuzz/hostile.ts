/** Parts of hostile texts, and texts near a grammar. */
import fc from 'fast-check';
import { marker } from './target.ts';
import { anyText } from '../support/any-text.ts';

/** What acts on a log, a terminal, a file of lines, Markdown, a shell, git or JSON. */
export const hostileParts: readonly string[] = [
  ...[
    '\n',
    '\r',
    '\r\n',
    '\0',
    '\u001b[2J',
    '\u0007',
    '\u0085',
    '\u2028',
    '\u2029',
    '\u202e',
    '\u2066',
    '\ufeff',
  ],
  ...[
    '::set-env name=A::b',
    '\n::add-mask::x',
    '##[command]',
    '##[add-mask]x',
    '%0A',
    '%0a::x::',
    '%25',
    '%00',
  ],
  ...[
    "'",
    '"',
    '`',
    '$(id)',
    '${HOME}',
    '${{ github.token }}',
    '\\',
    '\\n',
    '\\\\n',
    ';',
    '|',
    '||',
    '&&',
    '>',
    '<',
  ],
  ...[
    '-',
    '--',
    '-oProxyCommand=id',
    '-----BEGIN PRIVATE KEY-----',
    '-----END PRIVATE KEY-----',
    '#',
    '@',
    '!',
  ],
  ...[
    '<script>',
    '<!--',
    '](https://x.test)',
    '| a |',
    '=',
    '==',
    ':',
    '::',
    '/',
    '//',
    '/../',
    '/./',
    '.git',
    '*',
    '*.',
  ],
  ...['?', '[', ']', '{', '}', '{}', '[]', ',', ',,', '\t', ' ', '  ', '\u00a0', '\u3000', '%20'],
  ...[
    'null',
    'true',
    '0',
    '-1',
    '1e999',
    '9007199254740993',
    '99999999999999999999',
    'NaN',
    '__proto__',
    'constructor',
  ],
  ...['{"toString":1,"valueOf":1}', '"\\ud800"', '\ud800', '\udfff', 'é', '名', '😀', 'İ', 'ſ', marker],
];

export const hostilePart = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...hostileParts) },
  { weight: 1, arbitrary: anyText({ maxLength: 6 }) },
  { weight: 1, arbitrary: fc.constantFrom(...hostileParts).map((part) => part.repeat(200)) },
);

/** A right text with one or two hostile parts in it, or with pieces missing or doubled. */
export function damaged(right: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const change = fc.tuple(fc.nat(4), place, place, hostilePart);
  return fc.tuple(right, fc.array(change, { maxLength: 3 })).map(([text, changes]) => {
    return changes.reduce((so, [kind, one, other, part]) => {
      const [start = 0, end = 0] = [one, other].map((at) => Math.round(at * so.length)).sort((a, b) => a - b);
      if (kind === 0) return so.slice(0, start) + so.slice(end);
      if (kind === 1) return so.slice(0, end) + so.slice(start);
      if (kind === 2) return so.slice(0, start) + part + so.slice(end);
      return so.slice(0, start) + part + so.slice(start);
    }, text);
  });
}

/** Words of a grammar in a row, some of them hostile. */
export function rowOf(words: readonly string[], separator = ''): fc.Arbitrary<string> {
  const word = fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...words) },
    { weight: 1, arbitrary: hostilePart },
  );
  return fc.array(word, { maxLength: 8 }).map((chosen) => chosen.join(separator));
}

/** JSON of any value, also of values without a usual text. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, '', 'x', marker, [], {}, { toString: 1, valueOf: 1 }, [
    [],
  ]),
  fc.constantFrom(...hostileParts),
  fc.jsonValue({ maxDepth: 2 }),
);

/** An object with these members, some of them missing or of another type. */
export function objectNear(members: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const near = Object.fromEntries(
    Object.entries(members).map(([name, right]) => [
      name,
      fc.oneof({ weight: 5, arbitrary: right }, { weight: 1, arbitrary: anyJson }),
    ]),
  );
  const known = fc.record(near, { requiredKeys: [] });
  return fc.oneof({ weight: 12, arbitrary: known }, { weight: 1, arbitrary: anyJson });
}

/** The same as a text, which may be damaged. */
export function jsonNear(members: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<string> {
  const text = objectNear(members).map((value) => JSON.stringify(value));
  return fc.oneof({ weight: 5, arbitrary: text }, { weight: 1, arbitrary: damaged(text) });
}
