/** Inputs in which a part comes back thousands of times: an expression that goes back over them would never end. */
import { hostileParts } from './hostile.ts';
import type { Found } from './campaign.ts';
import { endsWithin, problemWith, type Target } from './target.ts';

/** What goes back over itself, for the parsers of this program. */
const units: readonly string[] = [
  ...[
    'a',
    'A1a',
    'a.',
    'a/',
    'a=',
    'a,',
    ',a',
    '?a',
    '&a=',
    '?token',
    'x://y:',
    'x://y@',
    'password',
    '"a"',
    '"a":',
  ],
  ...[
    '{"password":',
    '-eyJabcdefghi',
    'eyJabcdefghi.',
    '-----BEGIN ',
    '-----BEGIN RSA PRIVATE KEY-----',
    'a: b\n',
  ],
  ...[
    '%20',
    '%C3%A9',
    'ssh',
    ' -i',
    '|1|',
    '*a',
    '!a,',
    '[ssm]\n',
    '[ssm "a"]\nk=v\n',
    '1h',
    '0:',
    ':0',
    'aws',
    '\\"',
  ],
  ...['\0\0\0\u0001a', '\0\0\0\0', '1 2 3\n', 'a\0', 'a\nb\0'],
];

/** Characters: a value of this length comes from no store of AWS, but from an endpoint in its place. */
const length = 150_000;
/** Milliseconds. What takes linear time takes some, and what takes quadratic time takes minutes. */
const patience = 5000;

/** @param every one of so many inputs */
export function growthProblems(
  target: Target,
  { every = 1, from = 0 } = {},
): { cases: number; found: Found[] } {
  const inputs = [...units, ...hostileParts.filter((part) => part.length < 20)].flatMap((unit) => {
    const many = unit.repeat(length / unit.length);
    const [seed = ''] = target.seeds;
    const half = Math.floor(seed.length / 2);
    return [
      { shown: `${unit}…x`, text: () => `${many}x` },
      { shown: `(a right input)${unit}…x`, text: () => `${seed}${many}x` },
      {
        shown: `(half of one)${unit}…(the other half)`,
        text: () => seed.slice(0, half) + many + seed.slice(half),
      },
    ];
  });
  const chosen = inputs.filter((_, at) => at % every === from % every);
  const found = chosen.flatMap(({ shown, text }): Found[] => {
    let problem: string | undefined;
    const ended = endsWithin(patience, () => (problem = problemWith(target, text())));
    if (!ended) problem = `takes more than ${patience / 1000} seconds for ${length} characters`;
    return problem === undefined ? [] : [{ input: shown, problem }];
  });
  return { cases: chosen.length, found };
}
