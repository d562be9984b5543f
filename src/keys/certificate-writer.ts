/** Writes OpenSSH certificates: the fields in wire form, signed by an authority. Pure: the caller gives the Signer and the nonce. */
import { certificateKinds, certificateSuffix } from './certificate-fields.ts';
import type { CertificateKind } from './certificate-options.ts';
import type { Certificate } from './certificate.ts';
import { authorizedKeysLine, type PublicKey } from './public-key.ts';
import type { Signer } from './signer.ts';
import { string, uint32, WireReader } from './wire.ts';

/** A critical option or an extension. */
export interface CertificateOption {
  readonly name: string;
  /** Empty for a flag such as `permit-pty`. */
  readonly value: string;
}

/** What a certificate says about a key. @source openssh-portable, PROTOCOL.certkeys */
export interface CertificateContents {
  readonly kind: CertificateKind;
  /** Of any type that OpenSSH certifies; its comment stands at the end of the line. */
  readonly publicKey: PublicKey;
  /** From 0 to 2^64 - 1. Lists of revoked keys may name it. */
  readonly serial: bigint;
  /** sshd writes it to its log. */
  readonly keyId: string;
  /** Names of users, or of hosts. */
  readonly principals: readonly string[];
  /** Whole seconds since the epoch: the first second at which it is valid, and the first at which it is no longer valid. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** In any order. */
  readonly criticalOptions: readonly CertificateOption[];
  readonly extensions: readonly CertificateOption[];
}

export interface Signing {
  readonly authority: Signer;
  /** 32 random bytes, new for each certificate: they make collisions of the signed text useless (PROTOCOL.certkeys). */
  readonly nonce: Buffer;
  readonly signal: AbortSignal;
}

/**
 * The authority signs with its preferred algorithm: rsa-sha2-512 or rsa-sha2-256 for an RSA key, never SHA-1.
 *
 * @throws the errors of the Signer
 */
export async function signCertificate(
  contents: CertificateContents,
  { authority, nonce, signal }: Signing,
): Promise<Certificate> {
  const { publicKey, validFrom, validUntil } = contents;
  const [algorithm] = authority.algorithms;
  if (algorithm === undefined) throw new TypeError('the authority has no signature algorithm');
  const type = certificateType(publicKey.type);
  const text = Buffer.concat([
    ...[string(type), string(nonce), fieldsOf(publicKey), describe(contents)],
    string(authority.publicKey.blob),
  ]);
  const signature = await authority.sign(text, algorithm, signal);
  if (new WireReader(signature).string().toString() !== algorithm)
    throw new TypeError('the signature is of another algorithm');
  const blob = Buffer.concat([text, string(signature)]);
  const line = authorizedKeysLine({ type, blob, comment: publicKey.comment });
  return { line, type, blob, validFrom, validUntil };
}

/** `ssh-ed25519-cert-v01@openssh.com`; the suffix of `sk-ssh-ed25519@openssh.com` moves to the end. */
export function certificateType(type: string): string {
  return type.replace(/@openssh\.com$/, '') + certificateSuffix;
}

/** The public key without its type. */
function fieldsOf({ blob }: PublicKey): Buffer {
  const reader = new WireReader(blob);
  reader.string();
  return reader.rest;
}

function describe(contents: CertificateContents): Buffer {
  const { kind, serial, keyId, principals, validFrom, validUntil, criticalOptions, extensions } = contents;
  return Buffer.concat([
    ...[uint64(serial), uint32(certificateKinds[kind]), string(keyId)],
    string(Buffer.concat(principals.map((name) => string(name)))),
    ...[uint64(BigInt(validFrom)), uint64(BigInt(validUntil))],
    ...[packOptions(criticalOptions), packOptions(extensions)],
    string(''), // Reserved.
  ]);
}

/** In order of their names' bytes. The value is a string in a string; a flag has an empty outer one. */
function packOptions(options: readonly CertificateOption[]): Buffer {
  const sorted = options.toSorted((one, other) => Buffer.from(one.name).compare(Buffer.from(other.name)));
  const packed = sorted.map(({ name, value }) =>
    Buffer.concat([string(name), string(value === '' ? '' : string(value))]),
  );
  return string(Buffer.concat(packed));
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
