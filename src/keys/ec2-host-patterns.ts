/**
 * The ids of EC2 hosts as patterns of ssh_config(5): `i-` with 8 or 17 hex digits, `mi-` with 17. A pattern has no sets of
 * characters, so an id is told by its length, and by what is not in it. Pure.
 */

/** As long as an id, and with the same beginning. */
const shapes = ['i-????????', `i-${'?'.repeat(17)}`, `mi-${'?'.repeat(17)}`];

/**
 * What a name can have behind its first `-` and a hex digit is not. The shell's own characters are among them: before 9.6
 * ssh hands a name to the shell of a ProxyCommand as it is. Not to be written in a pattern are `*`, `?`, `,`, `"` and `\`.
 */
const otherCharacters = Array.from(
  "ghijklmnopqrstuvwxyz-._ :+@%/=~$`'();&|<>{}[]!#^",
  (character) => `*-*${character}*`,
);

/**
 * Conditions of a Match line whose ProxyCommand has ssh's `'%n'` and `'%r'` in single quotes: no name that would end them. Before
 * 9.6 (CVE-2023-51385) ssh hands both to a shell as they are, and the URL of a submodule chooses them.
 */
export const quotable = `originalhost "*,!*'*" user "*,!*'*"`;

/** A list for one `host` of a Match line. */
export const ec2HostIds = [...shapes, ...otherCharacters.map((pattern) => `!${pattern}`)].join(',');

/**
 * All other hosts, by two conditions, since a list cannot except something from an exception.
 *
 * @param except patterns of hosts that are left out
 * @returns conditions of two Match lines; a host meets one of them at most
 */
export function allButEc2HostIds(except: readonly string[]): readonly [string, string] {
  const not = (patterns: readonly string[]): string[] => patterns.map((pattern) => `!${pattern}`);
  const others = ['*', ...not([...shapes, ...except])].join(',');
  const shaped = [...shapes, ...not(except)].join(',');
  return [`host "${others}"`, `host "${shaped}" host "${otherCharacters.join(',')}"`];
}
