/** The certificate of a key with `ca=`: made when it is first asked for, and anew while the key's lifetime lasts. */
import { randomBytes } from 'node:crypto';
import type { Certificate } from '../keys/certificate.ts';
import type { CertificateTerms } from '../keys/certificate-options.ts';
import { newCertificate, type CertificateOrder } from '../keys/new-certificate.ts';
import { CertificateRenewal, systemClock, type Renewing } from './certificate-renewal.ts';

export interface UserCertificateOrder extends Pick<CertificateOrder, 'publicKey' | 'authority' | 'until'> {
  /** Of the line: `signing.certificate`. */
  readonly terms: CertificateTerms;
  /** From runKeyId. */
  readonly keyId: string;
}

export interface Keeping extends Pick<Renewing, 'isWanted' | 'onMade' | 'onFailed'> {
  /** One that was made already, for example by another process. */
  readonly first?: Certificate;
  readonly clock?: Renewing['clock'];
}

/** Asks nobody before `current` is called, unless `first` is given. */
export function userCertificate(
  order: UserCertificateOrder,
  { first, clock = systemClock, ...keeping }: Keeping = {},
): CertificateRenewal {
  const make = async (signal: AbortSignal): Promise<Certificate> => {
    const surroundings = { now: clock.now(), randomBytes, signal };
    return (await newCertificate({ kind: 'user', ...order }, surroundings)).certificate;
  };
  return new CertificateRenewal({ make, clock, random: Math.random, until: order.until, ...keeping }, first);
}
