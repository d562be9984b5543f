/** What the command line of certify asks for. Pure. */
import type { KeyLine, StoredKeyLine } from '../../src/keys/key-line.ts';
import type { KmsReference } from '../../src/keys/key-reference.ts';
import {
  parseTerms,
  type CertificateKind,
  type CertificateTerms,
} from '../../src/keys/certificate-options.ts';
import { invalid, type Common, type Line, type Values } from '../command-line/parse.ts';
import { parseAccount, type Account } from '../command-line/account.ts';
import { parseAnyKey } from '../command-line/settings.ts';
import type { certifyOptions } from './options.ts';

/** The key of the authority: stored, or in KMS. */
export type AuthorityWish = { readonly stored: StoredKeyLine } | { readonly kms: KmsReference };

export interface CertifyWish {
  /** A path, or `-` for standard input. */
  readonly file: string;
  readonly kind: CertificateKind;
  readonly authority: AuthorityWish;
  readonly terms: CertificateTerms;
  readonly keyId: string;
  /** Absent: a random one. */
  readonly serial?: bigint;
  readonly account: Account;
}

type CertifyValues = Values<typeof certifyOptions> & Common;

/** @throws INPUT_INVALID */
export function parseWish({ values, words, behind }: Line<typeof certifyOptions>): CertifyWish {
  const [file, more] = [...words, ...(behind ?? [])];
  if (file === undefined) {
    throw invalid(
      'certify has no public key to sign',
      'write its file, or - for standard input: certify id_ed25519.pub --ca REF --principals NAMES',
    );
  }
  if (more !== undefined)
    throw invalid('certify signs one key, and got more than one file', 'run it once for each key');
  const kind = values.host ? 'host' : 'user';
  const terms = parseTerms(textsOf(values), (option) => `--${option}`, kind);
  const serial = parseSerial(values.serial);
  return {
    ...{ file, kind, terms, authority: parseAuthority(values.ca) },
    keyId: parseKeyId(values['key-id']) ?? terms.principals.join(','),
    ...(serial !== undefined && { serial }),
    account: parseAccount(values),
  };
}

const termNames = ['principals', 'valid', 'extensions', 'source-address', 'force-command'] as const;

function textsOf(values: CertifyValues): Map<string, string> {
  return new Map(
    termNames.flatMap((name): [string, string][] => {
      const text = values[name];
      return text === undefined ? [] : [[name, text]];
    }),
  );
}

function parseAuthority(text: string | undefined): AuthorityWish {
  if (text === undefined) {
    throw invalid(
      '--ca is missing: an authority signs the certificate',
      'write where its key is: --ca kms:alias/user-ca',
    );
  }
  const line = parseAnyKey(text, '--ca');
  const { reference, signing } = line;
  if (!signing && isBare(line)) return { stored: line };
  if (reference.kind === 'kms' && isBare(line)) return { kms: reference };
  throw invalid(
    `--ca has more than the key of an authority: "${text}"`,
    'write REF, or "REF passphrase=REF" for a stored key that has one',
  );
}

/** Whether the line is a key alone, with nothing about its use. */
function isBare({ repositories, certificate, signing }: KeyLine): boolean {
  const rules = Object.values(signing ?? {}).every((rule) => rule === 'refuse');
  return repositories.length === 0 && certificate === undefined && rules;
}

/** sshd writes it to its log: one line, of a length that a reader sees whole. */
function parseKeyId(text: string | undefined): string | undefined {
  if (text === undefined || /^[^\p{C}\u2028\u2029]{1,255}$/u.test(text)) return text;
  throw invalid(
    '--key-id is not one line of at most 255 characters',
    'write a name, for example octo@laptop',
  );
}

function parseSerial(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const serial = /^\d{1,20}$/.test(text) ? BigInt(text) : -1n;
  if (serial >= 0n && serial < 2n ** 64n) return serial;
  throw invalid(
    `--serial is not a serial number: "${text}"`,
    'write a number from 0 to 18446744073709551615',
  );
}
