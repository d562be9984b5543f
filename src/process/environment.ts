/** The environment of a program. Pure. */

/** The variables that are set: the form in which programs are started. */
export function definedIn(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(set);
}
