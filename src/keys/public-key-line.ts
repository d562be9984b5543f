/** Reads the line of a `.pub` file, whoever wrote it, before an authority signs the key. Pure. */
import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { Failure } from '../errors.ts';
import { withoutEnd } from './ends.ts';
import { isKnownType, leastSafeRsaBits, rsaBits } from './key-fields.ts';
import { publicJwk } from './key-object.ts';
import type { PublicKey } from './public-key.ts';
import { softwareType } from './security-key.ts';
import { WireReader } from './wire.ts';

/**
 * @param resource name of the file in messages
 * @throws INPUT_INVALID
 */
export function parsePublicKeyLine(text: string, resource: string): PublicKey {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (/-----BEGIN [^-\r\n]*PRIVATE KEY-----/.test(text))
    throw invalid(`${resource} holds a private key`, 'give its public half: the file with .pub at its end');
  const [line, another] = lines;
  if (line === undefined) throw invalid(`${resource} is empty`, hint);
  if (another !== undefined)
    throw invalid(`${resource} has more than one line`, 'sign one public key at a time');
  const [type = '', base64 = '', ...comment] = line.split(/[ \t]+/);
  if (/-cert-v0\d@openssh\.com$/.test(type))
    throw invalid(`${resource} holds a certificate`, 'give the public key that the certificate is for');
  const blob = Buffer.from(base64, 'base64');
  if (base64 === '' || withoutEnd(blob.toString('base64'), '=') !== withoutEnd(base64, '='))
    throw invalid(`${resource} holds no public key`, hint);
  checkFields(type, blob, resource);
  return { type, blob, comment: comment.join(' ') };
}

function checkFields(type: string, blob: Buffer, resource: string): void {
  try {
    const reader = new WireReader(blob);
    if (reader.string().toString('latin1') !== type) throw new RangeError('the two types differ');
    const jwk = jwkOf(type, reader);
    if (jwk === 'unknown') {
      throw invalid(
        `${resource} holds a key of a type that cannot be signed`,
        'give a key of type ed25519, ecdsa or rsa, in software or in a security key',
      );
    }
    if (!jwk || reader.rest.length > 0) throw new RangeError('not a whole key');
    createPublicKey({ key: jwk, format: 'jwk' }); // Throws if the point is not on the curve.
    const bits = rsaBits(blob);
    if (bits === undefined || bits >= leastSafeRsaBits) return;
    throw invalid(
      `${resource} holds an RSA key of ${bits} bits`,
      `give a key of at least ${leastSafeRsaBits} bits, or an Ed25519 key`,
    );
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw invalid(`the public key in ${resource} is damaged or cut off`, hint);
  }
}

/**
 * The fields behind the type. A key in a security key has one more: the name of the application.
 *
 * @returns undefined if the point does not match the type
 */
function jwkOf(type: string, reader: WireReader): JsonWebKey | 'unknown' | undefined {
  const inToken = softwareType(type);
  const plain = inToken ?? type;
  const jwk = isKnownType(plain) ? publicJwk(plain, reader) : 'unknown';
  if (inToken !== undefined) reader.string();
  return jwk;
}

const hint = 'give the .pub file of one key: TYPE BASE64 [COMMENT], as ssh-keygen writes it';

function invalid(problem: string, hint: string): Failure {
  return new Failure('INPUT_INVALID', problem, { hint });
}
