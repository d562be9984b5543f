/** The headings under which the README shows the inputs of action.yml. Each input stands under one of them. */

/** Heading → names, in the order of action.yml. */
export const inputGroups: Readonly<Record<string, readonly string[]>> = {
  Keys: ['keys', 'key-lifetime', 'git-signing'],
  'AWS credentials': [
    ...['aws-region', 'role-to-assume', 'role-session-name', 'role-duration-seconds', 'role-external-id'],
    ...['audience', 'web-identity-token-file', 'force-skip-oidc', 'use-existing-credentials'],
    ...['session-policy', 'managed-session-policies', 'custom-tags', 'transitive-tag-keys'],
    'allowed-account-ids',
  ],
  ssh: ['known-hosts', 'strict-host-key-checking', 'restrict-to-hosts', 'ssh-config'],
  'Limits and log': ['max-attempts', 'timeout-seconds', 'mask-aws-account-id', 'summary'],
};

/** What is wrong with the groups, for inputs in this order: each line names an input and says what to do. */
export function problemsOfGroups(
  inputs: readonly string[],
  groups: Readonly<Record<string, readonly string[]>>,
): string[] {
  const grouped = Object.values(groups).flat();
  const without = inputs.filter((name) => !grouped.includes(name));
  const gone = grouped.filter((name) => !inputs.includes(name));
  const twice = grouped.filter((name, index) => grouped.indexOf(name) < index);
  const problems = [
    ...without.map((name) => `${name} has no group: add it to build/input-groups.ts`),
    ...gone.map((name) => `${name} is not an input of action.yml: remove it from build/input-groups.ts`),
    ...twice.map((name) => `${name} has two groups in build/input-groups.ts: remove one`),
  ];
  if (problems.length > 0) return problems;
  const late = inputs.find((name, index) => name !== grouped[index]);
  return late === undefined ? [] : [`${late} stands elsewhere in action.yml: give both files the same order`];
}
