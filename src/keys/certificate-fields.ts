/**
 * Reads the fields of an OpenSSH certificate, a user's or a host's. Pure.
 *
 * @source openssh-portable: PROTOCOL.certkeys, cert_parse in sshkey.c
 */
import { string, WireReader } from './wire.ts';

export const certificateSuffix = '-cert-v01@openssh.com';
/** @source PROTOCOL.certkeys: SSH_CERT_TYPE_USER, SSH_CERT_TYPE_HOST */
export const certificateKinds = { user: 1, host: 2 } as const;

/** Number of public fields between the nonce and the serial number. */
const keyFields: Readonly<Record<string, number>> = {
  'ssh-ed25519': 1,
  'ssh-rsa': 2,
  'ecdsa-sha2-nistp256': 2,
  'ecdsa-sha2-nistp384': 2,
  'ecdsa-sha2-nistp521': 2,
};

export interface CertificateFields {
  /** `ssh-ed25519-cert-v01@openssh.com` */
  readonly type: string;
  /** The wire form of the plain key that it certifies. */
  readonly certified: Buffer;
  /** One of `certificateKinds`. */
  readonly kind: number;
  readonly principals: readonly string[];
  /** Seconds since the epoch: the first second at which it is valid, and the first at which it is no longer valid. */
  readonly validFrom: bigint;
  readonly validUntil: bigint;
  readonly hasCriticalOptions: boolean;
  /** The wire form of the authority's key. */
  readonly authority: Buffer;
  /** What the authority signed, and its signature. Nobody has compared them yet. */
  readonly signed: { readonly data: Buffer; readonly signature: Buffer };
}

/** Whether a plain key of this type can be in a certificate that OpenSSH loads without a security key. */
export function isCertifiable(type: string): boolean {
  return Object.hasOwn(keyFields, type);
}

/**
 * @param blob the wire form
 * @throws RangeError if it is incomplete, longer than a certificate, or of a type that is not certifiable
 */
export function readCertificateFields(blob: Buffer): CertificateFields {
  const reader = new WireReader(blob);
  const type = reader.string().toString('latin1');
  const plain = type.slice(0, -certificateSuffix.length);
  if (!type.endsWith(certificateSuffix) || !isCertifiable(plain)) throw new RangeError('another type');
  reader.string(); // The nonce.
  const fields = Array.from({ length: keyFields[plain] ?? 0 }, () => string(reader.string()));
  reader.uint64(); // The serial number.
  const kind = reader.uint32();
  reader.string(); // The key id.
  const principals = readAll(reader.string());
  const [validFrom, validUntil] = [reader.uint64(), reader.uint64()];
  const hasCriticalOptions = reader.string().length > 0;
  reader.string(); // Extensions.
  reader.string(); // Reserved.
  const authority = reader.string();
  const data = blob.subarray(0, blob.length - reader.rest.length);
  const signed = { data, signature: reader.string() };
  if (reader.rest.length > 0) throw new RangeError('more than a certificate');
  const certified = Buffer.concat([string(plain), ...fields]);
  return { type, certified, kind, principals, validFrom, validUntil, hasCriticalOptions, authority, signed };
}

function readAll(bytes: Buffer): string[] {
  const reader = new WireReader(bytes);
  const names: string[] = [];
  while (reader.rest.length > 0) names.push(reader.string().toString('latin1'));
  return names;
}
