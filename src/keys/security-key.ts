/**
 * Verifies signatures of security keys, whose types begin with `sk-`. Pure.
 *
 * @source openssh-portable: PROTOCOL.u2f, ssh-ed25519-sk.c and ssh-ecdsa-sk.c
 */
import { createHash } from 'node:crypto';
import { keyObjectOf } from './key-object.ts';
import { verifiedAlgorithm, type Signed } from './signature-check.ts';
import { joinFields, string, WireReader } from './wire.ts';

/** Types in security keys → the same type in software, and the number of its fields. */
const softwareTypes: Readonly<Record<string, { readonly plain: string; readonly fields: number }>> = {
  'sk-ssh-ed25519@openssh.com': { plain: 'ssh-ed25519', fields: 1 },
  'sk-ecdsa-sha2-nistp256@openssh.com': { plain: 'ecdsa-sha2-nistp256', fields: 2 },
};

/** The type of the same key in software; undefined for a type of no security key. */
export function softwareType(type: string): string | undefined {
  return Object.hasOwn(softwareTypes, type) ? softwareTypes[type]?.plain : undefined;
}

interface SecurityKey {
  readonly type: string;
  readonly plain: string;
  /** The same key as one in software, in wire form. */
  readonly blob: Buffer;
  readonly application: Buffer;
}

/** Whether it is the whole public key of a security key. */
export function isSecurityKey(blob: Buffer): boolean {
  const key = readSecurityKey(blob);
  return key !== undefined && keyObjectOf(key.blob) !== undefined;
}

/** @param blob the wire form of a security key's public key */
export function isSignedBySecurityKey(blob: Buffer, { data, signature }: Signed): boolean {
  const key = readSecurityKey(blob);
  if (!key) return false;
  try {
    const reader = new WireReader(signature);
    if (reader.string().toString('latin1') !== key.type) return false;
    const raw = reader.string();
    // The flags and the counter, which the security key signs with the hashes.
    const { rest } = reader;
    if (rest.length !== 5) return false;
    const signed = Buffer.concat([sha256(key.application), rest, sha256(data)]);
    const inSoftware = joinFields([Buffer.from(key.plain), raw]);
    return verifiedAlgorithm(key.blob, { data: signed, signature: inSoftware }) !== undefined;
  } catch {
    return false; // Incomplete.
  }
}

function readSecurityKey(blob: Buffer): SecurityKey | undefined {
  try {
    const reader = new WireReader(blob);
    const type = reader.string().toString('latin1');
    const found = Object.hasOwn(softwareTypes, type) ? softwareTypes[type] : undefined;
    if (!found) return undefined;
    const { plain } = found;
    const fields = Array.from({ length: found.fields }, () => reader.string());
    const application = reader.string();
    if (reader.rest.length > 0) return undefined;
    return { type, plain, blob: Buffer.concat([string(plain), joinFields(fields)]), application };
  } catch {
    return undefined; // Incomplete.
  }
}

function sha256(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}
