/** All tables of wrong inputs in one list. */
import type { SshKey } from '../ssh-keys.ts';
import type { BadInput } from './bad-input.ts';
import { badInputs } from './bad-inputs.ts';
import { badKeyLines } from './key-lines.ts';
import { badKnownHosts } from './known-hosts.ts';
import { badReferences } from './references.ts';
import { badRoles, badSessions } from './roles.ts';

/** @param key text that people paste instead of its name */
export function everyBadInput(key: SshKey): BadInput[] {
  return [
    ...[...badReferences, ...badKeyLines(key), ...badKnownHosts(key)],
    ...[...badRoles, ...badSessions, ...badInputs],
  ];
}
