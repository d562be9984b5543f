/**
 * Checks the certificate of a host, as OpenSSH does. Pure.
 *
 * @source openssh-portable: PROTOCOL.certkeys, cert_parse and sshkey_cert_check_host in sshkey.c
 */
import { verifiedAlgorithm } from '../keys/signature-check.ts';
import { string, WireReader } from '../keys/wire.ts';
import { matchesPattern } from './host-keys.ts';

const suffix = '-cert-v01@openssh.com';
const hostCertificate = 2;

/** Number of public fields between the nonce and the serial number. */
const keyFields: Readonly<Record<string, number>> = {
  'ssh-ed25519': 1,
  'ssh-rsa': 2,
  'ecdsa-sha2-nistp256': 2,
  'ecdsa-sha2-nistp384': 2,
  'ecdsa-sha2-nistp521': 2,
};

export interface HostCertificate {
  /** The wire form of the plain key that it certifies. */
  readonly certified: Buffer;
  readonly authority: Buffer;
  readonly kind: number;
  readonly principals: readonly string[];
  /** Seconds since the epoch. */
  readonly validFrom: bigint;
  readonly validUntil: bigint;
  readonly hasCriticalOptions: boolean;
}

export function isCertificate(blob: Buffer): boolean {
  try {
    return new WireReader(blob).string().toString('latin1').endsWith(suffix);
  } catch {
    return false; // Incomplete.
  }
}

/** @returns undefined if it is incomplete, or if the signature is not that of the authority in it */
export function readHostCertificate(blob: Buffer): HostCertificate | undefined {
  try {
    const reader = new WireReader(blob);
    const type = reader.string().toString('latin1');
    const plain = type.slice(0, -suffix.length);
    const count = type.endsWith(suffix) && Object.hasOwn(keyFields, plain) ? keyFields[plain] : undefined;
    if (count === undefined) return undefined;
    return readFields(reader, { plain, count, blob });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}

interface Kind {
  readonly plain: string;
  readonly count: number;
  readonly blob: Buffer;
}

function readFields(reader: WireReader, { plain, count, blob }: Kind): HostCertificate | undefined {
  reader.string(); // The nonce.
  const fields = Array.from({ length: count }, () => string(reader.string()));
  reader.uint64(); // The serial number.
  const kind = reader.uint32();
  reader.string(); // The key id.
  const principals = readAll(reader.string());
  const [validFrom, validUntil] = [reader.uint64(), reader.uint64()];
  const critical = reader.string();
  reader.string(); // Extensions, which host certificates have none of.
  reader.string(); // Reserved.
  const authority = reader.string();
  const data = blob.subarray(0, blob.length - reader.rest.length);
  const signature = reader.string();
  // An authority is a plain key: verifiedAlgorithm knows no certificates.
  if (reader.rest.length > 0 || verifiedAlgorithm(authority, { data, signature }) === undefined)
    return undefined;
  const certified = Buffer.concat([string(plain), ...fields]);
  return {
    certified,
    authority,
    kind,
    principals,
    validFrom,
    validUntil,
    hasCriticalOptions: critical.length > 0,
  };
}

function readAll(bytes: Buffer): string[] {
  const reader = new WireReader(bytes);
  const names: string[] = [];
  while (reader.rest.length > 0) names.push(reader.string().toString('latin1'));
  return names;
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
  if (kind !== hostCertificate) return 'is not a certificate for a host';
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
