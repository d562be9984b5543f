/** What certify says about a certificate. Pure. */
import type { CertificateContents } from '../../src/keys/certificate-writer.ts';
import type { NewCertificate } from '../../src/keys/new-certificate.ts';
import { fingerprint, type PublicKey } from '../../src/keys/public-key.ts';
import { visible } from '../../src/keys/visible-text.ts';

export interface Signed extends NewCertificate {
  /** Its reference and its public key. */
  readonly authority: { readonly text: string; readonly publicKey: PublicKey };
}

/** For people. */
export function describeCertificate({ contents, authority }: Signed): string {
  const { kind, publicKey, keyId, serial, principals, validFrom, validUntil } = contents;
  const rows = [
    ['key id', keyId],
    ['serial', String(serial)],
    ['principals', principals.join(', ')],
    ['valid', `${date(validFrom)} to ${date(validUntil)}`],
    ...contents.criticalOptions.map(({ name, value }) => [name, value] as const),
    ...(kind === 'user' ? [['extensions', extensionsOf(contents).join(', ') || 'none'] as const] : []),
    ['signed by', `${authority.text}: ${nameOf(authority.publicKey)}`],
  ] as const;
  const lines = rows.map(([name, text]) => `  ${name.padEnd(14)}  ${visible(text)}\n`);
  return `ssm-ssh-agent: signed the ${kind}'s key ${nameOf(publicKey)}\n${lines.join('')}`;
}

/** For programs: `--json`. */
export function recordOf({ certificate, contents, authority }: Signed): object {
  const { kind, publicKey, keyId, serial, principals, validFrom, validUntil } = contents;
  return {
    ...{ certificate: certificate.line, kind, type: certificate.type },
    ...{ fingerprint: fingerprint(publicKey), authority: fingerprint(authority.publicKey) },
    // Longer than a number of JSON may be.
    ...{ keyId, serial: String(serial), principals },
    ...{ validFrom: date(validFrom), validUntil: date(validUntil) },
    criticalOptions: Object.fromEntries(contents.criticalOptions.map(({ name, value }) => [name, value])),
    extensions: extensionsOf(contents),
  };
}

function extensionsOf({ extensions }: CertificateContents): string[] {
  return extensions.map(({ name, value }) => (value === '' ? name : `${name}=${value}`));
}

function nameOf(key: PublicKey): string {
  return `${key.type} ${fingerprint(key)}`;
}

/** `2026-11-29T12:00:00Z` */
function date(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
