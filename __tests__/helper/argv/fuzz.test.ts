/** A sample of `npm run fuzz:argv`. */
import { expect } from '@jest/globals';
import { it, itInRest } from '../../support/parts.ts';
import { shells } from '../../support/shells.ts';
import { compareLines, fuzzArguments } from './fuzz.ts';
import { readByShell } from './readings.ts';

/** Another one in each run. A failure prints the command lines. */
const seed = Date.now() % 1_000_000;

it('reads a hundred random command lines as ssh does', () => {
  const { accepted, differing } = fuzzArguments(100, seed);
  expect(differing).toEqual([]);
  expect(accepted).toBeGreaterThan(25);
});

itInRest.each(shells.map((shell) => [shell.join(' '), shell] as const))(
  'reads many random command lines as ssh does, under %s',
  (_, shell) => {
    // 1,000 in all: most shells differ in nothing, and each of them takes its seconds.
    const { differing } = fuzzArguments(250, seed + 1, shell);
    expect(differing).toEqual([]);
  },
);

/** Found by the fuzzer. */
it.each([
  ['a user of a URL that ends at the first @', ['ssh://github.com/acme@evil.test']],
  ['a dot at the end of a URL', ['ssh://github.com.']],
  ['a port of a URL before an option behind it', ['ssh://git.example.com:2222', '-p', '22']],
  ['an empty port of a URL', ['ssh://git.example.com:']],
  ['a port by the name of a service', ['-p', 'https', 'ssh.github.com']],
  ['a port with a plus sign', ['-p', '+2222', 'git.example.com']],
  ['a port by -o with quotes inside', ['-o', 'Port=22"22"', 'git.example.com']],
  ['a host that is empty', ['', 'git.example.com']],
  ['a value -- in front of the host', ['-i', '--', 'git.example.com', '-p', '22']],
  ['a keyword with a quote inside', ['-o', 'Po"rt" 2222', 'git.example.com']],
])('reads %s as ssh does', (_, line) => {
  const { accepted, differing } = compareLines([line]);
  expect(differing).toEqual([]);
  expect(accepted).toBe(1);
});

it.each(['git.example.com\n', 'Git.example.com\n', 'ssh://Git.example.com\n'])(
  'leaves a line feed behind the host in it: %j',
  (target) => {
    // Found by the fuzzer. Newer versions of ssh refuse such a host.
    expect(compareLines([[target]]).differing).toEqual([]);
    expect(readByShell([[target]])[0]?.host).toBe('git.example.com\n');
  },
);

it('refuses for EC2 hosts a user with a quote, also one that a URL hides', () => {
  // New versions of ssh refuse both. Older ones put the quote into the command line of the ProxyCommand.
  const lines = ["a'b@i-0123456789abcdef0", 'ssh://a%27b@i-0123456789abcdef0', 'ab@i-0123456789abcdef0'];
  expect(readByShell(lines.map((line) => [line])).map(({ refused }) => refused)).toEqual(['yes', 'yes', '']);
});
