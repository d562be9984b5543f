/** `put`: check a private key, repair its text, store it, and print its public half. */
import { checkKey } from '../../src/keys/checked-key.ts';
import { visible } from '../../src/keys/visible-text.ts';
import { command, type Running } from '../command-line/command.ts';
import { readKeyText } from '../command-line/key-text.ts';
import { invalid, type Line } from '../command-line/parse.ts';
import { parseStoring, reportStored, storeKey, storeOptions } from '../command-line/store-key.ts';

export const put = command({
  name: 'put',
  summary: 'Check a private key, store it, and print its public key',
  synopsis: 'NAME [FILE] [OPTION …]',
  examples: [
    ['put /ci/deploy-key ~/.ssh/id_ed25519', 'from a file'],
    ['put /ci/deploy-key', 'from standard input: a pipe, or what you paste'],
    ['put /ci/deploy-key FILE --overwrite', 'a new version of a key that exists'],
  ],
  options: storeOptions,
  run: runPut,
});

async function runPut(
  { values, words, behind }: Line<typeof storeOptions>,
  running: Running,
): Promise<number> {
  const [name, file = '-', more] = [...words, ...(behind ?? [])];
  if (name === undefined) {
    throw invalid('put has no name for the key', 'write where it is stored: put /ci/deploy-key FILE');
  }
  if (more !== undefined)
    throw invalid('put stores one key, and got more than one file', 'run it once for each key');
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
