/** Checks a private key before it is stored, and repairs its text. Pure. */
import { Failure, type Code } from '../errors.ts';
import { leastSafeRsaBits, rsaBits } from './key-fields.ts';
import {
  armorOpensshKey,
  isOpensshKey,
  keyFailures,
  readEnvelope,
  writeOpensshKey,
  type OpensshKey,
} from './openssh-key.ts';
import { parsePrivateKey, storedBlock, type Block } from './private-key.ts';
import type { PublicKey } from './public-key.ts';
import { looksToken } from './secret-text.ts';
import { WireReader } from './wire.ts';

export interface CheckedKey {
  /** Secret. The repaired text: PEM with line feeds, and one at its end. */
  readonly text: string;
  /** Absent if only the passphrase would show it: PEM and PKCS#8 encrypt the public half, too. */
  readonly publicKey?: PublicKey;
  /** Whether a passphrase protects it. */
  readonly encrypted: boolean;
}

/**
 * @param value what a person has: a file, or its text after copying
 * @param resource its name in messages
 * @throws KEY_EMPTY, KEY_NOT_DECRYPTED, KEY_NOT_PRIVATE, KEY_UNSUPPORTED, KEY_MALFORMED
 */
export function checkKey(value: string, resource: string): CheckedKey {
  try {
    return check(value, resource);
  } catch (error) {
    // A field ends too early in the public half of an encrypted key.
    const failure = error instanceof RangeError ? keyFailures.malformed(resource, error) : error;
    throw failure instanceof Failure ? explained(failure, value) : failure;
  }
}

function check(value: string, resource: string): CheckedKey {
  const block = storedBlock(value);
  let key;
  try {
    key = parsePrivateKey(value, resource);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'KEY_ENCRYPTED' || !block) throw error;
    return checkEncrypted(block, resource);
  }
  requireLong(key.publicKey, resource);
  const publicKey = withoutName(key.publicKey, resource);
  return { text: repair(block, { ...key, publicKey }), publicKey, encrypted: false };
}

/** A name that parsePrivateKey gave to a key without a comment. */
function withoutName(publicKey: PublicKey, resource: string): PublicKey {
  return publicKey.comment === resource ? { ...publicKey, comment: '' } : publicKey;
}

/** The public half of an encrypted OpenSSH key is readable; its comment is not. */
function checkEncrypted(block: Block, resource: string): CheckedKey {
  const text = armor(block);
  const bytes = Buffer.from(block.body, 'base64');
  if (!isOpensshKey(bytes)) return { text, encrypted: true };
  const { blob } = readEnvelope(bytes, resource);
  const publicKey = { type: new WireReader(blob).string().toString(), blob, comment: '' };
  requireLong(publicKey, resource);
  return { text, publicKey, encrypted: true };
}

function requireLong({ blob }: PublicKey, resource: string): void {
  const bits = rsaBits(blob);
  if (bits === undefined || bits >= leastSafeRsaBits) return;
  throw keyFailures.unsupported(
    resource,
    `is an RSA key of ${bits} bits, and less than ${leastSafeRsaBits} are not safe`,
  );
}

/** The format stays, except for Ed25519 in PKCS#8, which OpenSSH's programs do not read. */
function repair(block: Block | undefined, key: OpensshKey): string {
  if (block && (block.label === 'OPENSSH PRIVATE KEY' || key.publicKey.type !== 'ssh-ed25519'))
    return armor(block);
  return writeOpensshKey(key);
}

function armor({ label, headers, body }: Block): string {
  if (label === 'OPENSSH PRIVATE KEY') return armorOpensshKey(Buffer.from(body, 'base64'));
  // RFC 1421 §4.4: an empty line ends the headers. RFC 7468 §2: 64 characters a line.
  const lines = [...(headers === '' ? [] : [headers, '']), ...(body.match(/.{1,64}/g) ?? [])];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/** Hints for a key that is not stored yet. The usual ones are for a stored key. */
const hints: Partial<Record<Code, string>> = {
  KEY_EMPTY:
    'write the file of the private key behind the name, or pipe the key in: ssm-ssh-agent put NAME FILE',
  KEY_MALFORMED:
    'give the whole file of one key, from its BEGIN line to its END line; ssh-keygen -y -f FILE shows whether a file is sound',
  KEY_NOT_DECRYPTED: 'give the key itself: aws ssm get-parameter --with-decryption prints it',
  KEY_UNSUPPORTED: 'make a new key: ssm-ssh-agent keygen NAME --type ed25519',
};

function explained(failure: Failure, value: string): Failure {
  const { code, message, hint } = failure;
  if (code === 'KEY_NOT_PRIVATE' && looksToken(value)) {
    return new Failure(code, message.replace('something else', 'a token'), {
      hint: 'this command stores SSH keys; docs/https.md shows how to store a token for git over HTTPS',
      cause: failure,
    });
  }
  const isPutty = message.includes('PuTTY');
  return new Failure(code, message, { hint: (isPutty ? undefined : hints[code]) ?? hint, cause: failure });
}
