/** Parses a stored OpenSSH user certificate and checks that it belongs to the key. Pure. */
import { Failure } from '../errors.ts';
import { withoutEnd } from './ends.ts';
import {
  certificateKinds,
  certificateSuffix,
  isCertifiable,
  readCertificateFields,
  type CertificateFields,
} from './certificate-fields.ts';
import { authorizedKeysLine, fingerprint, type PublicKey } from './public-key.ts';

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
  if (!type.endsWith(certificateSuffix)) throw fail('KEY_MALFORMED', `${resource} is not an SSH certificate`);
  const blob = Buffer.from(base64, 'base64');
  if (withoutEnd(blob.toString('base64'), '=') !== withoutEnd(base64, '=')) {
    throw fail('KEY_MALFORMED', `the certificate in ${resource} is damaged or cut off`);
  }
  const { kind, certified, validFrom, validUntil } = read(blob, type, resource);
  if (kind !== certificateKinds.user) {
    throw fail('KEY_UNSUPPORTED', `the certificate in ${resource} is for a host, not for a user`);
  }
  if (!certified.equals(key.publicKey.blob)) {
    const whose = fingerprint({ blob: certified });
    throw fail(
      'KEY_MALFORMED',
      `the certificate in ${resource} is for the key ${whose}, but ${key.resource} holds ${fingerprint(key.publicKey)}`,
    );
  }
  const line = authorizedKeysLine({ type, blob, comment: comment.join(' ') });
  return { line, type, blob, validFrom: Number(validFrom), validUntil: Number(validUntil) };
}

function read(blob: Buffer, type: string, resource: string): CertificateFields {
  if (!isCertifiable(type.slice(0, -certificateSuffix.length))) {
    throw fail('KEY_UNSUPPORTED', `the certificate in ${resource} is for a key that OpenSSH cannot load`);
  }
  try {
    const fields = readCertificateFields(blob);
    if (fields.type !== type) throw new RangeError('the two types differ');
    return fields;
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
    .replace(/(?<!\\)(?:\\+[rn])+/g, (ends, at: number, all: string) =>
      at + ends.length === all.length ? '' : ends,
    );
  const packed = text.replace(/\s+/g, '');
  const decoded = /^[A-Za-z0-9+/]+={0,2}$/.test(packed) ? Buffer.from(packed, 'base64').toString() : '';
  return (decoded.includes(certificateSuffix) ? decoded : text).replace(/\s+/g, ' ').trim();
}

function fail(code: 'KEY_EMPTY' | 'KEY_MALFORMED' | 'KEY_UNSUPPORTED', problem: string): Failure {
  return new Failure(code, problem, {
    hint: 'store the file KEY-cert.pub that ssh-keygen -s AUTHORITY -I ID -n PRINCIPAL KEY.pub wrote for this key',
  });
}
