/** A private key that signs and cannot be read: in KMS, or made in memory for one use. Pure. */
import type { PublicKey } from './public-key.ts';

/** RFC 8332, RFC 5656 §3.1.2, RFC 8709. Never `ssh-rsa`, which signs by SHA-1. */
export type SignatureAlgorithm =
  | 'rsa-sha2-256'
  | 'rsa-sha2-512'
  | 'ecdsa-sha2-nistp256'
  | 'ecdsa-sha2-nistp384'
  | 'ecdsa-sha2-nistp521'
  | 'ssh-ed25519';

export interface Signer {
  /** The plain key, also where a certificate for it exists. */
  readonly publicKey: PublicKey;
  /** The first one is preferred. */
  readonly algorithms: readonly SignatureAlgorithm[];
  /**
   * @param data to be signed; not a digest
   * @param algorithm one of `algorithms`
   * @returns the signature in wire form: the algorithm and the signature, each with its length (RFC 4253 §6.6)
   * @throws SIGNATURE_REFUSED, and the errors of AWS
   */
  sign(data: Buffer, algorithm: SignatureAlgorithm, signal: AbortSignal): Promise<Buffer>;
}
