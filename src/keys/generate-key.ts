/** Makes a key pair in memory. Pure: only the random numbers are OpenSSL's. */
import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { Failure } from '../errors.ts';
import type { OpensshKey } from './openssh-key.ts';
import { readPemKey } from './pem-key.ts';

export type KeyType = 'ed25519' | 'rsa' | 'ecdsa';

export interface KeyKind {
  readonly type: KeyType;
  readonly bits: number;
}

/**
 * The defaults are those of ssh-keygen(1). OpenSSH accepts RSA keys of up to 16,384 bits, but OpenSSL needs minutes to
 * make one, and Parameter Store has no place for it.
 */
const rsa = { usual: 3072, least: 2048, most: 8192 } as const;
/** RFC 5656 §10.1 */
const curves: Readonly<Record<number, string>> = { 256: 'P-256', 384: 'P-384', 521: 'P-521' };

/**
 * @param type default `ed25519`
 * @param bits default: 256 for Ed25519 and ECDSA, 3072 for RSA
 * @throws INPUT_INVALID
 */
export function parseKeyKind(type = 'ed25519', bits?: string): KeyKind {
  if (type !== 'ed25519' && type !== 'rsa' && type !== 'ecdsa') {
    throw invalid(`--type cannot be "${type}"`, 'write ed25519, rsa or ecdsa');
  }
  if (bits === undefined) return { type, bits: type === 'rsa' ? rsa.usual : 256 };
  const number = /^\d{1,5}$/.test(bits) ? Number(bits) : 0;
  if (type === 'ed25519' && number !== 256) {
    throw invalid(
      `an Ed25519 key always has 256 bits: --bits cannot be "${bits}"`,
      'leave out --bits, or choose --type rsa',
    );
  }
  if (type === 'ecdsa' && curves[number] === undefined) {
    throw invalid(`an ECDSA key cannot have "${bits}" bits`, 'write --bits 256, 384 or 521');
  }
  if (type === 'rsa' && (number < rsa.least || number > rsa.most)) {
    throw invalid(`keygen makes no RSA key of "${bits}" bits`, `write --bits ${rsa.least} to ${rsa.most}`);
  }
  return { type, bits: number };
}

/**
 * An RSA key of 8,192 bits takes up to a minute. OpenSSL works in another thread, and cannot be stopped.
 *
 * @param comment one line
 */
export async function generateKey(kind: KeyKind, comment: string): Promise<OpensshKey> {
  const { fields, publicKey } = readPemKey(await generatePem(kind), 'the new key');
  return { fields, publicKey: { ...publicKey, comment } };
}

async function generatePem({ type, bits }: KeyKind): Promise<string> {
  const { privateKey } = await generatePair(type, bits);
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

async function generatePair(type: KeyType, bits: number): Promise<{ readonly privateKey: KeyObject }> {
  const make = promisify(generateKeyPair);
  if (type === 'rsa') return await make('rsa', { modulusLength: bits });
  if (type === 'ed25519') return await make('ed25519');
  return await make('ec', { namedCurve: curves[bits] ?? '' });
}

function invalid(problem: string, hint: string): Failure {
  return new Failure('INPUT_INVALID', problem, { hint });
}
