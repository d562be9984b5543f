/** Makes a certificate from what was asked for, now: its serial number, its time, its nonce. Pure: clock and randomness are given. */
import type { Certificate } from './certificate.ts';
import type { CertificateTerms } from './certificate-options.ts';
import { signCertificate, type CertificateContents, type CertificateOption } from './certificate-writer.ts';
import type { PublicKey } from './public-key.ts';
import type { Signer } from './signer.ts';

export interface CertificateOrder {
  readonly kind: CertificateContents['kind'];
  readonly publicKey: PublicKey;
  readonly authority: Signer;
  readonly terms: CertificateTerms;
  readonly keyId: string;
  /** Milliseconds since the epoch: the end of the key's lifetime, after which no certificate is valid. Absent: no end. */
  readonly until?: number | undefined;
  /** Absent: a random one. */
  readonly serial?: bigint | undefined;
}

export interface Surroundings {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** As `randomBytes` of node:crypto. */
  readonly randomBytes: (size: number) => Buffer;
  readonly signal: AbortSignal;
}

/** A certificate, and what it says. */
export interface NewCertificate {
  readonly certificate: Certificate;
  readonly contents: CertificateContents;
}

/** Seconds. The clocks of hosts are not equal: a certificate is valid a little before it was made. */
const backdated = 300;

/** @throws the errors of the Signer */
export async function newCertificate(
  { authority, terms, until = Infinity, serial, ...order }: CertificateOrder,
  { now, randomBytes, signal }: Surroundings,
): Promise<NewCertificate> {
  const seconds = Math.floor(now / 1000);
  const contents: CertificateContents = {
    ...order,
    // The highest bit stays 0: some programs read it as a sign.
    serial: serial ?? randomBytes(8).readBigUInt64BE() >> 1n,
    validFrom: seconds - backdated,
    validUntil: Math.min(seconds + terms.valid, Math.floor(until / 1000)),
    principals: terms.principals,
    criticalOptions: criticalOptionsOf(terms),
    extensions: terms.extensions,
  };
  return {
    certificate: await signCertificate(contents, { authority, nonce: randomBytes(32), signal }),
    contents,
  };
}

function criticalOptionsOf({ sourceAddress, forceCommand }: CertificateTerms): CertificateOption[] {
  return [
    ...(forceCommand === undefined ? [] : [{ name: 'force-command', value: forceCommand }]),
    ...(sourceAddress ? [{ name: 'source-address', value: sourceAddress.join(',') }] : []),
  ];
}
