/** What certify does: reads the public key and the authority, signs, and prints the certificate. */
import { randomBytes } from 'node:crypto';
import { abortable } from '../../src/deadline.ts';
import { storedAuthority } from '../../src/host/authority.ts';
import { newCertificate } from '../../src/keys/new-certificate.ts';
import { parsePublicKeyLine } from '../../src/keys/public-key-line.ts';
import type { PublicKey } from '../../src/keys/public-key.ts';
import type { Signer } from '../../src/keys/signer.ts';
import type { Running } from '../command-line/command.ts';
import { inHost, readKeys, voiceOf, type Speech } from '../command-line/keys.ts';
import type { Line } from '../command-line/parse.ts';
import { ownInput, readAll, readFile, textOf, type Expected } from '../command-line/read-input.ts';
import type { certifyOptions } from './options.ts';
import { describeCertificate, recordOf } from './report.ts';
import { parseWish, type AuthorityWish, type CertifyWish } from './wish.ts';

export async function certifyKey(line: Line<typeof certifyOptions>, running: Running): Promise<number> {
  const wish = parseWish(line);
  const { values } = line;
  const publicKey = await readPublicKey(wish.file, running);
  const authority = await openAuthority(wish, { ...values, running });
  const { kind, terms, keyId, serial } = wish;
  const made = await newCertificate(
    { kind, publicKey, authority, terms, keyId, serial },
    { now: Date.now(), randomBytes, signal: running.signal },
  );
  const signed = {
    ...made,
    authority: { text: nameOf(wish.authority), publicKey: authority.publicKey },
  };
  if (!values.quiet) running.err(describeCertificate(signed));
  running.out(values.json ? `${JSON.stringify(recordOf(signed), null, 2)}\n` : `${made.certificate.line}\n`);
  return 0;
}

const expected: Expected = {
  what: 'a public key',
  hint: 'write the path of the .pub file, or - and pipe the public key in',
  mostBytes: 65_536,
};

async function readPublicKey(
  file: string,
  { input, signal, untimed }: Pick<Running, 'input' | 'signal' | 'untimed'>,
): Promise<PublicKey> {
  if (!ownInput.includes(file))
    return parsePublicKeyLine(textOf(await readFile(file, expected, signal)), file);
  const name = 'standard input';
  const reading = readAll(input().stream, name, expected);
  return parsePublicKeyLine(textOf(await untimed(abortable(reading, signal))), name);
}

function nameOf(authority: AuthorityWish): string {
  return ('kms' in authority ? authority.kms : authority.stored.reference).text;
}

async function openAuthority(
  { authority, account }: CertifyWish,
  { running, quiet, verbose }: Speech & { readonly running: Running },
): Promise<Signer> {
  const speech = { quiet, verbose };
  const voice = voiceOf(speech, running);
  if ('kms' in authority) {
    const [signer] = await inHost(account, running, async (host, env) => {
      const { openHostSigners } = await import('../../src/host/kms.ts');
      return await openHostSigners([authority.kms], host, { env, signal: running.signal, voice });
    });
    if (signer) return signer;
    throw new TypeError('one reference is one key');
  }
  const [key] = await readKeys([authority.stored], { ...account, ...speech }, running);
  if (!key) throw new TypeError('one line is one key');
  return storedAuthority(key, voice);
}
