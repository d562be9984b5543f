/** Values of other files beside those of setup: which does not count, takes precedence, or counts as well. Pure. */
import type { ValueInFile } from '../../src/git/config-file.ts';
import { withoutSecrets } from '../../src/keys/secret-text.ts';
import type { Scope } from '../../src/git/listing.ts';
import { isOurs } from './plan.ts';

/**
 * @param listed in git's order: the last one counts
 * @param ours what setup wrote
 * @returns what to warn of
 */
export function overriddenWarnings(
  listed: readonly ValueInFile[],
  ours: ValueInFile,
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

/**
 * The roles of all files are assumed one after the other.
 *
 * @param listed all values of ssm.roleArn, in git's order
 * @param file that of setup
 */
export function chainWarnings(listed: readonly ValueInFile[], file: string): readonly string[] {
  const others = listed.filter((one) => one.file !== file);
  if (others.length === 0 || others.length === listed.length) return [];
  const named = others.map((one) => `${one.value} (${one.file})`).join(', ');
  return [
    `the role of setup is one of a chain: git's other files have ssm.roleArn, too: ${named}\n` +
      'hint: remove it there if only the role of setup is to be assumed',
  ];
}
