/** Which core.sshCommand of other files does not count beside that of setup, or takes precedence over it. Pure. */
import type { SshCommand } from '../../src/git/config-file.ts';
import { withoutSecrets } from '../../src/keys/secret-text.ts';
import type { Scope } from '../../src/git/listing.ts';
import { isOurs } from './plan.ts';

/**
 * @param listed in git's order: the last one counts
 * @param ours what setup wrote
 * @returns what to warn of
 */
export function overriddenWarnings(
  listed: readonly SshCommand[],
  ours: SshCommand,
  scope: Scope,
): readonly string[] {
  const at = listed.findLastIndex(({ file, value }) => file === ours.file && value === ours.value);
  if (at < 0) return [];
  const [before, after] = [listed[at - 1], at + 1 < listed.length ? listed.at(-1) : undefined];
  const warnings: string[] = [];
  if (before && before.file !== ours.file && !isOurs(before.value))
    warnings.push(
      `core.sshCommand of ${before.file} has no effect any more: ${withoutSecrets(before.value)}\n` +
        `hint: ssm-ssh-agent setup --${scope} --remove brings it back`,
    );
  if (after && !isOurs(after.value))
    warnings.push(
      `core.sshCommand of ${after.file} takes precedence over that of setup: ${withoutSecrets(after.value)}\n` +
        'hint: remove it there if git is to use the keys of setup',
    );
  return warnings;
}
