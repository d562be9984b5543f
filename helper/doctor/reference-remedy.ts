/** The command that repairs the name of a stored key in the setting that has it. Pure. */
import type { HostKey } from '../../src/host/compile.ts';
import { parseKeyReference } from '../../src/keys/key-reference.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { replaceSetting, type Environment, type PlacedSetting } from './setting-remedy.ts';

/** For a reference that lacks its first slash, or `alias/`. undefined: that is not what is wrong with it. */
export function completed(
  { reference, section }: Pick<HostKey, 'reference' | 'section'>,
  entries: readonly PlacedSetting[],
  env: Environment,
): string | undefined {
  const written = reference.trim();
  const text = written.startsWith('kms:') ? written.replace('kms:', 'kms:alias/') : `/${written}`;
  if (isReference(written) || text.startsWith('//') || !isReference(text)) return undefined;
  if (section === undefined && env['SSM_SSH_KEY']) return `export SSM_SSH_KEY=${quoteForShell(text)}`;
  const name = section === undefined ? 'ssm.key' : `ssm.${section}.key`;
  const setting = entries.findLast((entry) => entry.name === name);
  return setting && replaceSetting(setting, text, env);
}

function isReference(text: string): boolean {
  try {
    parseKeyReference(text);
    return true;
  } catch {
    return false;
  }
}
