/**
 * Ids of EC2 hosts as patterns of ssh_config(5): `i-` with 8 or 17 hex digits, `mi-` with 17. Patterns have no
 * character classes, so an id is recognised by its length and by characters that it does not have. Pure.
 */

/** Same length and beginning as an id. */
const shapes = ['i-????????', `i-${'?'.repeat(17)}`, `mi-${'?'.repeat(17)}`];

/**
 * Characters after the first `-` that are not hex digits. They include the shell's special characters, because ssh
 * before 9.6 passes a name unquoted to the shell of a ProxyCommand. A pattern cannot contain `*`, `?`, `,`, `"` and
 * `\`.
 */
const otherCharacters = Array.from(
  "ghijklmnopqrstuvwxyz-._ :+@%/=~$`'();&|<>{}[]!#^",
  (character) => `*-*${character}*`,
);

/**
 * Conditions for a Match line with `'%n'` and `'%r'` of ssh in single quotes in its ProxyCommand. They exclude names
 * that end the quotes. ssh before 9.6 (CVE-2023-51385) passes both unquoted to a shell, and a submodule's URL chooses
 * them.
 */
export const quotable = `originalhost "*,!*'*" user "*,!*'*"`;

/** A list for one `host` condition of a Match line. */
export const ec2HostIds = [...shapes, ...otherCharacters.map((pattern) => `!${pattern}`)].join(',');

/**
 * All other hosts. It needs two conditions, because a list cannot have an exception inside an exception.
 *
 * @param except patterns of hosts to leave out
 * @returns conditions of two Match lines; a host matches at most one of them
 */
export function allButEc2HostIds(except: readonly string[]): readonly [string, string] {
  const not = (patterns: readonly string[]): string[] => patterns.map((pattern) => `!${pattern}`);
  const others = ['*', ...not([...shapes, ...except])].join(',');
  const shaped = [...shapes, ...not(except)].join(',');
  return [`host "${others}"`, `host "${shaped}" host "${otherCharacters.join(',')}"`];
}
