/** What public does: reads stored keys, asks KMS for the public halves of its keys, and prints them in order. */
import type { StoredKeyLine } from '../../src/keys/key-line.ts';
import type { KmsReference } from '../../src/keys/key-reference.ts';
import { authorizedKeysLine, fingerprint, type PublicKey } from '../../src/keys/public-key.ts';
import { otherKindOf } from '../../src/keys/reference.ts';
import type { Running } from '../command-line/command.ts';
import { inHost, readKeys, voiceOf, type Speech } from '../command-line/keys.ts';
import { invalid, type Line } from '../command-line/parse.ts';
import { parseAccount, type Account } from '../command-line/account.ts';
import { parseAnyKey, parseKey } from '../command-line/settings.ts';
import type { publicOptions } from './options.ts';

/** A key to print: stored, or in KMS. */
type Wanted = { readonly stored: StoredKeyLine } | { readonly kms: KmsReference };

interface Printed {
  readonly reference: string;
  /** null for a key in KMS: it has none. */
  readonly version: string | null;
  readonly publicKey: PublicKey;
}

export async function printKeys(line: Line<typeof publicOptions>, running: Running): Promise<number> {
  const { values, words, behind = [] } = line;
  const wanted = [...words, ...behind].map(parseWanted);
  const principal = parsePrincipal(values);
  if (wanted.length === 0)
    throw invalid('public has no key to print', 'write its name: public /ci/deploy-key');
  const keys = await readWanted(wanted, { ...values, ...parseAccount(values) }, running);
  if (values.json) running.out(`${JSON.stringify(keys.map(record), null, 2)}\n`);
  else running.out(keys.map(({ publicKey }) => `${lineOf(publicKey, principal)}\n`).join(''));
  return 0;
}

function parseWanted(text: string): Wanted {
  const place = `"${text.split(/\s/, 1)[0] ?? ''}"`;
  const line = otherKindOf(text) === 'kms' ? parseAnyKey(text, place) : parseKey(text, place);
  const { reference, repositories, certificate, signing } = line;
  const bare = !signing || Object.values(signing).every((rule) => rule === 'refuse');
  if (repositories.length > 0 || certificate || !bare) {
    throw invalid(
      `public prints the key of ${reference.text}, and takes no certificate, no rules and no repository`,
      'write REFERENCE, or REFERENCE passphrase=REFERENCE in quotes',
    );
  }
  return reference.kind === 'kms' ? { kms: reference } : { stored: line as StoredKeyLine };
}

/** @returns undefined for lines of authorized_keys */
function parsePrincipal({
  'allowed-signers': isWanted,
  principal,
  json,
}: Line<typeof publicOptions>['values']): string | undefined {
  if (isWanted && json)
    throw invalid('--allowed-signers and --json exclude each other', 'write one of the two');
  if (principal !== undefined && !isWanted) {
    throw invalid('--principal is for --allowed-signers', 'write --allowed-signers, too');
  }
  if (principal === undefined || /^[^\s"\p{C}]+$/u.test(principal))
    return isWanted ? (principal ?? '*') : undefined;
  throw invalid(
    `--principal is not a list of addresses: "${principal}"`,
    "write the committer's address, or a pattern: *@example.com",
  );
}

async function readWanted(
  wanted: readonly Wanted[],
  how: Account & Speech,
  running: Running,
): Promise<Printed[]> {
  const stored = wanted.flatMap((one) => ('stored' in one ? [one.stored] : []));
  const kms = wanted.flatMap((one) => ('kms' in one ? [one.kms] : []));
  const [keys, signers] = await Promise.all([
    stored.length > 0 ? readKeys(stored, how, running) : [],
    kms.length > 0 ? openSigners(kms, how, running) : [],
  ]);
  return wanted.flatMap((one): Printed[] => {
    if ('stored' in one) {
      const key = keys[stored.indexOf(one.stored)];
      return key
        ? [{ reference: key.secret.reference.text, version: key.secret.version, publicKey: key.publicKey }]
        : [];
    }
    const publicKey = signers[kms.indexOf(one.kms)];
    return publicKey ? [{ reference: one.kms.text, version: null, publicKey }] : [];
  });
}

async function openSigners(
  references: readonly KmsReference[],
  how: Account & Speech,
  running: Running,
): Promise<PublicKey[]> {
  return await inHost(how, running, async (host, env) => {
    const { openHostSigners } = await import('../../src/host/kms.ts');
    const options = { env, signal: running.signal, voice: voiceOf(how, running) };
    return (await openHostSigners(references, host, options)).map(({ publicKey }) => publicKey);
  });
}

/**
 * @param principal absent: a line of authorized_keys
 * @source ssh-keygen(1), "ALLOWED SIGNERS"
 */
function lineOf(publicKey: PublicKey, principal: string | undefined): string {
  const line = authorizedKeysLine(publicKey);
  return principal === undefined ? line : `${principal} namespaces="git" ${line}`;
}

function record({ reference, version, publicKey }: Printed): object {
  return {
    ...{ reference, version, type: publicKey.type, fingerprint: fingerprint(publicKey) },
    publicKey: authorizedKeysLine(publicKey),
  };
}
