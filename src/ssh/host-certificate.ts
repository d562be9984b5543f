/**
 * Checks the certificate of a host, as OpenSSH does. Pure.
 *
 * @source openssh-portable: PROTOCOL.certkeys, cert_parse and sshkey_cert_check_host in sshkey.c
 */
import {
  certificateKinds,
  certificateSuffix,
  readCertificateFields,
  type CertificateFields,
} from '../keys/certificate-fields.ts';
import { isSignedBySecurityKey } from '../keys/security-key.ts';
import { verifiedAlgorithm } from '../keys/signature-check.ts';
import { WireReader } from '../keys/wire.ts';
import { matchesPattern } from './host-keys.ts';

export type HostCertificate = Omit<CertificateFields, 'type' | 'signed'>;

export function isCertificate(blob: Buffer): boolean {
  try {
    return new WireReader(blob).string().toString('latin1').endsWith(certificateSuffix);
  } catch {
    return false; // Incomplete.
  }
}

/** @returns undefined if it is incomplete, or if the signature is not that of the authority in it */
export function readHostCertificate(blob: Buffer): HostCertificate | undefined {
  try {
    const certificate = readCertificateFields(blob);
    return isSignedByAuthority(certificate) ? certificate : undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}

/** An authority is a plain key, or one in a security key: neither function knows certificates. */
function isSignedByAuthority({ authority, signed }: CertificateFields): boolean {
  return verifiedAlgorithm(authority, signed) !== undefined || isSignedBySecurityKey(authority, signed);
}

export interface NamedAt {
  /** In known_hosts form. */
  readonly host: string;
  /** Seconds since the epoch. */
  readonly now: number;
}

/** The reason why the certificate is not valid for the host now, whoever signed it; undefined if it is. */
export function invalidity(certificate: HostCertificate, { host, now }: NamedAt): string | undefined {
  const { kind, principals, validFrom, validUntil, hasCriticalOptions } = certificate;
  if (kind !== certificateKinds.host) return 'is not a certificate for a host';
  if (BigInt(now) < validFrom) return 'is not valid yet';
  if (BigInt(now) >= validUntil) return 'is no longer valid';
  const name = withoutPort(host).toLowerCase();
  // The pattern is the principal: sshkey_cert_check_host passes wildcard_pattern.
  if (!principals.some((pattern) => matchesPattern(name, pattern))) return `does not name ${name}`;
  return hasCriticalOptions ? 'has critical options' : undefined;
}

/** A certificate names the host alone, on every port (sshconnect.c, check_host_cert). */
function withoutPort(host: string): string {
  return /^\[(.*)\]:\d+$/.exec(host)?.[1] ?? host;
}
