/** What put does: checks a private key, repairs its text, stores it, and prints its public half. */
import { checkKey } from '../../src/keys/checked-key.ts';
import { visible } from '../../src/keys/visible-text.ts';
import type { Running } from '../command-line/command.ts';
import { readKeyText } from './key-text.ts';
import { invalid, type Line } from '../command-line/parse.ts';
import { isKmsName, putKmsKey } from './kms-key.ts';
import type { storeOptions } from './options.ts';
import { parseStoring, reportStored, storeKey } from './store-key.ts';

export async function putKey(
  { values, words, behind }: Line<typeof storeOptions>,
  running: Running,
): Promise<number> {
  const [name, file = '-', more] = [...words, ...(behind ?? [])];
  if (name === undefined) {
    throw invalid('put has no name for the key', 'write where it is stored: put /ci/deploy-key FILE');
  }
  if (more !== undefined)
    throw invalid('put stores one key, and got more than one file', 'run it once for each key');
  if (isKmsName(name)) return await putKmsKey({ name, file }, values, running);
  const storing = parseStoring(name, values);
  const { reference } = storing;
  const text = await readKeyText(file, running);
  const key = checkKey(text, file === '-' ? 'standard input' : file);
  const { quiet, verbose, json } = values;
  const stored = await storeKey(storing, key.text, { ...running, quiet, verbose });
  // Reading gives a key without a comment the reference as its comment.
  const publicKey = key.publicKey && {
    ...key.publicKey,
    comment: key.publicKey.comment || (key.encrypted ? '' : reference.text),
  };
  reportStored({ reference, ...stored, publicKey }, { ...running, json, quiet });
  if (key.encrypted && !quiet) running.err(aboutPassphrase(reference.text, publicKey !== undefined));
  return 0;
}

function aboutPassphrase(name: string, isKnown: boolean): string {
  const line = `${visible(name)} passphrase=REFERENCE`;
  const print = isKnown ? '' : `; ssm-ssh-agent public '${line}' prints its public key`;
  return `ssm-ssh-agent: the key has a passphrase, so that its private half was not checked: store the passphrase, too, and write "${line}" where the key is used${print}\n`;
}
