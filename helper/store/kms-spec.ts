/** The kind of a key → the spec of a KMS key. */
import type { KeyKind } from '../../src/keys/generate-key.ts';
import { rsaSpec, type SshKeySpec } from '../../src/kms/key-material.ts';
import { invalid } from '../command-line/parse.ts';

/** @throws INPUT_INVALID */
export function specFor({ type, bits }: KeyKind): SshKeySpec {
  if (type === 'ed25519') return 'ECC_NIST_EDWARDS25519';
  if (type === 'ecdsa') return `ECC_NIST_P${bits as 256 | 384 | 521}`;
  const spec = rsaSpec(bits);
  if (spec) return spec;
  throw invalid(`KMS makes no RSA key of "${bits}" bits`, 'write --bits 2048, 3072 or 4096');
}
