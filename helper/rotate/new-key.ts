/** A new key like an old one: the same type, size and comment. */
import { curves } from '../../src/keys/curves.ts';
import { generateKey, parseKeyKind, type KeyType } from '../../src/keys/generate-key.ts';
import { rsaBits } from '../../src/keys/key-fields.ts';
import type { PrivateKey } from '../../src/keys/private-key.ts';

/** Bits of RSA: what is made at least, and at most. */
const [least, most] = [3072, 8192];

/** @param wanted another type than the old key's, with its usual size */
export async function newKey({ publicKey }: PrivateKey, wanted?: KeyType): Promise<PrivateKey> {
  const { type, blob, comment } = publicKey;
  const curve = curves.find(({ ssh }) => type === `ecdsa-sha2-${ssh}`);
  const rsa = rsaBits(blob);
  const old = rsa === undefined ? (curve ? 'ecdsa' : 'ed25519') : 'rsa';
  if (wanted !== undefined && wanted !== old) return await generateKey(parseKeyKind(wanted), comment);
  const bits = rsa === undefined ? curve?.ssh.slice('nistp'.length) : String(inRange(rsa));
  return await generateKey(parseKeyKind(old, bits), comment);
}

function inRange(bits: number): number {
  return Math.min(most, Math.max(least, bits));
}
