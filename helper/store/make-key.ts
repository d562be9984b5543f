/** What keygen does: makes a key in memory, stores it, and prints its public half. */
import { abortable } from '../../src/deadline.ts';
import { generateKey, parseKeyKind } from '../../src/keys/generate-key.ts';
import { writeOpensshKey } from '../../src/keys/openssh-key.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import { shownName } from '../../src/keys/storage-name.ts';
import type { Running } from '../command-line/command.ts';
import { invalid, type Line } from '../command-line/parse.ts';
import { today } from '../command-line/today.ts';
import { isKmsName, makeKmsKey } from './kms-key.ts';
import type { keygenOptions } from './options.ts';
import { parseStoring, reportStored, storeKey } from './store-key.ts';
import { whereToPaste } from './where-to-paste.ts';

export async function makeKey(
  { values, words, behind }: Line<typeof keygenOptions>,
  running: Running,
): Promise<number> {
  const [name, more] = [...words, ...(behind ?? [])];
  if (name === undefined) {
    throw invalid('keygen has no name for the key', 'write where it is stored: keygen /ci/deploy-key');
  }
  if (more !== undefined)
    throw invalid('keygen makes one key, and got more than one name', 'run it once for each key');
  if (isKmsName(name)) {
    const named = parseComment(values.comment) ?? `${name} ${today()}`;
    return await makeKmsKey(name, { ...values, named }, running);
  }
  const kind = parseKeyKind(values.type, values.bits);
  const storing = parseStoring(name, values);
  const comment = parseComment(values.comment) ?? `${shownName(storing.reference)} ${today()}`;
  const key = await abortable(generateKey(kind, comment), running.signal);
  const { quiet, verbose, json } = values;
  const stored = await storeKey(storing, writeOpensshKey(key), { ...running, quiet, verbose });
  const { reference } = storing;
  const { publicKey } = key;
  reportStored({ reference, ...stored, publicKey }, { ...running, json, quiet });
  if (!quiet) running.err(whereToPaste(authorizedKeysLine(publicKey), shownName(reference)));
  return 0;
}

/** The public key's line would show other characters in its place. */
function parseComment(text: string | undefined): string | undefined {
  if (text === undefined || /^[^\p{Cc}\p{Bidi_Control}\u2028\u2029]{1,200}$/u.test(text)) return text;
  throw invalid(
    '--comment is not one line of at most 200 characters',
    'write a short name, for example ci@acme',
  );
}
