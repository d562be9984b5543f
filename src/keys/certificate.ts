/** Parses a stored OpenSSH user certificate and checks that it belongs to the key. Pure. */
import { Failure } from '../errors.ts';
import { authorizedKeysLine, fingerprint, type PublicKey } from './public-key.ts';
import { string, WireReader } from './wire.ts';

export interface Certificate {
  /** `TYPE BASE64 [COMMENT]`, as in a `-cert.pub` file; no line feed. */
  readonly line: string;
  /** The same in wire form. */
  readonly type: string;
  readonly blob: Buffer;
  /** Seconds since the epoch: the first second at which it is valid, and the first at which it is no longer valid. */
  readonly validFrom: number;
  readonly validUntil: number;
}

const suffix = '-cert-v01@openssh.com';
const userCertificate = 1;

/** Number of public fields between the nonce and the serial number (PROTOCOL.certkeys). */
const keyFields: Readonly<Record<string, number>> = {
  'ssh-ed25519': 1,
  'ssh-rsa': 2,
  'ecdsa-sha2-nistp256': 2,
  'ecdsa-sha2-nistp384': 2,
  'ecdsa-sha2-nistp521': 2,
};

/**
 * @param value the stored text: the `-cert.pub` file, or its base64
 * @param resource name of the certificate in messages
 * @param key that the certificate has to belong to
 * @throws KEY_EMPTY, KEY_MALFORMED, KEY_UNSUPPORTED
 * @source openssh-portable, PROTOCOL.certkeys
 */
export function parseCertificate(
  value: string,
  resource: string,
  key: { readonly publicKey: PublicKey; readonly resource: string },
): Certificate {
  const text = unwrap(value);
  if (text === '') throw fail('KEY_EMPTY', `${resource} is empty`);
  const [type = '', base64 = '', ...comment] = text.split(/[ \t]+/);
  if (!type.endsWith(suffix)) throw fail('KEY_MALFORMED', `${resource} is not an SSH certificate`);
  const blob = Buffer.from(base64, 'base64');
  if (blob.toString('base64').replace(/=+$/, '') !== base64.replace(/=+$/, '')) {
    throw fail('KEY_MALFORMED', `the certificate in ${resource} is damaged or cut off`);
  }
  const { kind, certified, ...time } = read(blob, type, resource);
  if (kind !== userCertificate) {
    throw fail('KEY_UNSUPPORTED', `the certificate in ${resource} is for a host, not for a user`);
  }
  if (!certified.equals(key.publicKey.blob)) {
    const whose = fingerprint({ blob: certified });
    throw fail(
      'KEY_MALFORMED',
      `the certificate in ${resource} is for the key ${whose}, but ${key.resource} holds ${fingerprint(key.publicKey)}`,
    );
  }
  return { line: authorizedKeysLine({ type, blob, comment: comment.join(' ') }), type, blob, ...time };
}

interface Fields {
  readonly kind: number;
  /** The wire form of the public key. */
  readonly certified: Buffer;
  readonly validFrom: number;
  readonly validUntil: number;
}

function read(blob: Buffer, type: string, resource: string): Fields {
  const plain = type.slice(0, -suffix.length);
  const count = Object.hasOwn(keyFields, plain) ? keyFields[plain] : undefined;
  if (count === undefined) {
    throw fail('KEY_UNSUPPORTED', `the certificate in ${resource} is for a key that OpenSSH cannot load`);
  }
  try {
    const reader = new WireReader(blob);
    if (reader.string().toString() !== type) throw new RangeError('the two types differ');
    reader.string(); // The nonce.
    const fields = Array.from({ length: count }, () => string(reader.string()));
    reader.uint64(); // The serial number.
    const kind = reader.uint32();
    reader.string(); // The key id.
    reader.string(); // The principals.
    const [validFrom, validUntil] = [Number(reader.uint64()), Number(reader.uint64())];
    // Critical options, extensions, a reserved field, the authority's key, the signature.
    for (let left = 5; left > 0; left--) reader.string();
    return { kind, certified: Buffer.concat([string(plain), ...fields]), validFrom, validUntil };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw fail('KEY_MALFORMED', `the certificate in ${resource} is damaged or cut off`);
  }
}

/** Joins lines that copying has wrapped. */
function unwrap(value: string): string {
  const text = value
    .replace(/^\uFEFF/, '')
    .trim()
    .replace(/^(["'])([^"']*)\1$/, '$2')
    .replace(/(?:\\+r|\\+n)+$/, '');
  const packed = text.replace(/\s+/g, '');
  const decoded = /^[A-Za-z0-9+/]+={0,2}$/.test(packed) ? Buffer.from(packed, 'base64').toString() : '';
  return (decoded.includes(suffix) ? decoded : text).replace(/\s+/g, ' ').trim();
}

function fail(code: 'KEY_EMPTY' | 'KEY_MALFORMED' | 'KEY_UNSUPPORTED', problem: string): Failure {
  return new Failure(code, problem, {
    hint: 'store the file KEY-cert.pub that ssh-keygen -s AUTHORITY -I ID -n PRINCIPAL KEY.pub wrote for this key',
  });
}
