/** From the command line of `policy` to the printed policy. Importing this file loads the AWS SDK. */
import { findPolicyHome } from '../../src/host/policy-home.ts';
import { kmsReferencesOf, referencesOf } from '../../src/keys/key-line.ts';
import { voiceOf } from '../command-line/keys.ts';
import type { Common } from '../command-line/parse.ts';
import type { Running } from '../command-line/command.ts';
import { parseAccount } from '../command-line/account.ts';
import { parseAnyKey } from '../command-line/settings.ts';
import { print } from './formats.ts';
import type { Format } from './options.ts';
import { parsePolicyLine, type PolicyLine } from './wish.ts';

/** Seconds for AWS to answer. */
const timeoutSeconds = 30;

interface Wished {
  readonly values: Omit<PolicyLine, 'references' | 'signing' | 'format'> &
    Common & { readonly format: string | undefined };
  readonly words: readonly string[];
  readonly behind: readonly string[] | undefined;
}

/** @returns the exit code */
export async function printPolicy({ values, words, behind = [] }: Wished, running: Running): Promise<number> {
  const format = (values.format ?? 'json') as Format;
  const keys = [...words, ...behind].map((text) => parseAnyKey(text, `"${text.split(/\s/, 1)[0] ?? ''}"`));
  const named = { references: referencesOf(keys), signing: kmsReferencesOf(keys) };
  const wish = parsePolicyLine({ ...values, ...named, format });
  const { region, roles, profile } = parseAccount(values);
  const env = profile === undefined ? running.env : { ...running.env, AWS_PROFILE: profile };
  const voice = voiceOf(values, running);
  const host = { region, roles, timeoutSeconds };
  const found = await findPolicyHome({ ...wish, host }, { ...running, env, voice });
  for (const note of [...found.notes, ...wish.notes]) voice.warn(note);
  running.out(print(wish.render(found), format));
  return 0;
}
