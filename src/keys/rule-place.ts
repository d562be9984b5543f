/** Where the rules of a key are written, and what to write there. Pure. */
/** A line of `keys`; the variable, which is a reference alone; or settings of git with this prefix: `ssm.`, `ssm.NAME.`. */
export type RulePlace = 'line' | 'SSM_SSH_KEY' | `ssm.${string}`;

const ofVariable =
  "SSM_SSH_KEY is a reference alone: name the key for the host in git's configuration instead (git config --global ssm.HOST.key REF)";

const inProtected = "in git's global or system configuration";

/** @param rule of signing-names.ts that has to be `allow` */
export function allowHint(rule: 'unbound' | 'forwarding', place: RulePlace): string {
  if (place === 'line') return `write ${rule}=allow in the line of the key`;
  if (place === 'SSM_SSH_KEY') return `${ofVariable}, with ssm.HOST.${rule} = allow`;
  return `set ${place}${rule} to allow ${inProtected}`;
}

/** For a key whose uses are taken. SSM_SSH_KEY has no such rule. */
export function usesHint(place: RulePlace): string {
  return place === 'line' || place === 'SSM_SSH_KEY'
    ? 'write a larger uses=N in the line of the key'
    : `raise ${place}uses ${inProtected}`;
}

/** For a host that the key does not sign for. */
export function hostHint(place: RulePlace): string {
  const check = 'check its known_hosts lines';
  if (place === 'line') return `name a repository of that host in the line of the key, and ${check}`;
  if (place === 'SSM_SSH_KEY') return `${ofVariable}, and ${check}`;
  if (place !== 'ssm.') return `check the known_hosts lines of that host (ssm.knownHosts)`;
  return `ssm.key is for the public git hosts: name the key for the host (git config --global ssm.HOST.key REF), and ${check}`;
}
