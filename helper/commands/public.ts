/** `public`: print the public keys of stored keys. */
import type { StoredKeyLine } from '../../src/keys/key-line.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import type { LoadedKey } from '../../src/host/open-key.ts';
import { command, type Running } from '../command-line/command.ts';
import { readKeys } from '../command-line/keys.ts';
import { invalid, type Line } from '../command-line/parse.ts';
import { parseAccount, parseKey } from '../command-line/settings.ts';

const options = {} as const;

export const printPublic = command({
  name: 'public',
  summary: 'Print the public keys of stored keys, one line each',
  synopsis: 'REF … [OPTION …]',
  examples: [
    ['public /ci/deploy-key', 'as in authorized_keys'],
    ["public '/ci/deploy-key passphrase=/ci/passphrase'", 'of a key that has a passphrase'],
    ['public --json /ci/deploy-key:1 /ci/deploy-key', 'of two versions, for a program'],
  ],
  options,
  run: runPublic,
});

async function runPublic(line: Line<typeof options>, running: Running): Promise<number> {
  const { values } = line;
  const keys = await readKeys(linesOf(line), { ...values, ...parseAccount(values) }, running);
  running.out(
    values.json
      ? `${JSON.stringify(keys.map(record), null, 2)}\n`
      : keys.map(({ publicKey }) => `${authorizedKeysLine(publicKey)}\n`).join(''),
  );
  return 0;
}

function linesOf({ words, behind = [] }: Line<typeof options>): StoredKeyLine[] {
  const lines = [...words, ...behind].map((text) => parseKey(text, `"${text.split(/\s/, 1)[0] ?? ''}"`));
  if (lines.length === 0)
    throw invalid('public has no key to print', 'write its name: public /ci/deploy-key');
  const odd = lines.find(({ repositories, certificate }) => repositories.length > 0 || certificate);
  if (!odd) return lines;
  throw invalid(
    `public prints the key of ${odd.reference.text}, and takes no certificate and no repository`,
    'write REFERENCE, or REFERENCE passphrase=REFERENCE in quotes',
  );
}

function record({ secret, publicKey, fingerprint }: LoadedKey): object {
  const { reference, version } = secret;
  return {
    ...{ reference: reference.text, version, type: publicKey.type, fingerprint },
    publicKey: authorizedKeysLine(publicKey),
  };
}
