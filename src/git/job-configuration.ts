/** git's configuration for the steps of a job, by environment variables and by nothing else. Pure. */

/** A variable of git's and its value; git reads them in order. */
export type Entry = readonly [name: string, value: string];

/** @source git-config(1), GIT_CONFIG_COUNT in git(1): added to what is there, in the order of the numbers */
export function configurationVariables(
  env: Readonly<Record<string, string | undefined>>,
  entries: readonly Entry[],
): Record<string, string> {
  if (entries.length === 0) return {};
  const there = Number(/^\d{1,4}$/.exec(env['GIT_CONFIG_COUNT'] ?? '')?.[0] ?? 0);
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(there + entries.length) };
  for (const [index, [key, value]] of entries.entries()) {
    variables[`GIT_CONFIG_KEY_${there + index}`] = key;
    variables[`GIT_CONFIG_VALUE_${there + index}`] = value;
  }
  return variables;
}
