/** Parses a stored private key in any of its usual forms, or explains why it cannot be used. Pure. */
import { createPrivateKey } from 'node:crypto';
import { Failure } from '../errors.ts';
import {
  armorOpensshKey,
  isOpensshKey,
  keyFailures,
  readOpensshKey,
  type OpensshKey,
} from './openssh-key.ts';
import { readPemKey } from './pem-key.ts';

export type { OpensshKey as PrivateKey } from './openssh-key.ts';

/**
 * Repairs damage from copying: a missing last line feed, CRLF, a byte order mark, indentation, literal `\n`, quotes,
 * spaces instead of line feeds, base64 of the whole file, base64 without BEGIN and END lines.
 *
 * @param value the stored text
 * @param resource name of the key in messages; also the comment of a key without one, for `ssh-add -l`
 * @throws KEY_EMPTY, KEY_NOT_DECRYPTED, KEY_NOT_PRIVATE, KEY_UNSUPPORTED, KEY_ENCRYPTED, KEY_MALFORMED
 */
export function parsePrivateKey(value: string, resource: string): OpensshKey {
  const text = unwrap(value);
  if (text === '') {
    throw new Failure('KEY_EMPTY', `${resource} is empty`, {
      hint: 'store the private key there, as a SecureString',
    });
  }
  const [block, another] = privateBlocks(text);
  if (!block) throw notAKey(text, resource);
  if (another) {
    throw new Failure('KEY_MALFORMED', `${resource} holds more than one private key`, {
      hint: 'store each key in a separate parameter',
    });
  }
  const { publicKey, fields } = readBlock(block, resource);
  return { publicKey: { ...publicKey, comment: publicKey.comment || resource }, fields };
}

function readBlock({ label, headers, body }: Block, resource: string): OpensshKey {
  if (label === 'ENCRYPTED PRIVATE KEY' || /^(Proc-Type:.*ENCRYPTED|DEK-Info:)/m.test(headers)) {
    throw keyFailures.encrypted(resource);
  }
  if (label === 'DSA PRIVATE KEY')
    throw keyFailures.unsupported(resource, 'is a DSA key, which OpenSSH no longer supports');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body)) throw keyFailures.malformed(resource, undefined);
  if (label !== 'OPENSSH PRIVATE KEY') {
    return readPemKey(`-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`, resource);
  }
  const bytes = Buffer.from(body, 'base64');
  if (!isOpensshKey(bytes)) throw keyFailures.malformed(resource, undefined);
  return readOpensshKey(bytes, resource);
}

/** Line lengths of base64: PEM files, OpenSSH, base64(1). */
const widths = [64, 70, 76];

/**
 * The lines of a stored key that logs must not show: as stored, and as other tools print them. Without BEGIN and END
 * lines, and without lines that are too short to be unique.
 */
export function linesToMask(value: string): string[] {
  const text = unwrap(value);
  const wrapped = privateBlocks(text).flatMap(({ body }) =>
    widths.flatMap((width) => body.match(new RegExp(`.{1,${width}}`, 'g')) ?? []),
  );
  const lines = [...linesOf(value), ...linesOf(text), ...wrapped];
  return [...new Set(lines)].filter((line) => line.length >= 8);
}

function linesOf(text: string): string[] {
  const inside = text.replace(/-----(?:BEGIN|END) [A-Z0-9 ]+-----/g, '\n');
  return inside.split(/(?:[\r\n]|(?<!\\)\\+[rn])+/).map((line) => line.trim());
}

function unwrap(value: string): string {
  let text = value.replace(/^\uFEFF/, '').trim();
  if (/^(?:"[^"]*"|'[^']*')$/.test(text)) text = text.slice(1, -1).trim();
  // Base64 has no backslash, so it is an escaped line end, which may be escaped twice.
  text = text.replace(/(?<!\\)(?:\\+[rn])+/g, '\n').trim();
  const packed = text.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]{16,}={0,2}$/.test(packed)) return text;
  const bytes = Buffer.from(packed, 'base64');
  if (isOpensshKey(bytes)) return armorOpensshKey(bytes);
  const decoded = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trim();
  const known = /^(?:---|PuTTY-User-Key-File-|(?:ssh|ecdsa|sk)-\S+ AAAA)/.test(decoded);
  return known ? decoded : (armorDer(bytes) ?? text);
}

/** DER without BEGIN and END lines: OpenSSL decides which of the three formats it is. */
function armorDer(der: Buffer): string | undefined {
  if (der[0] !== 0x30) return undefined; // All formats start with a SEQUENCE (X.690 §8.9).
  for (const type of ['pkcs8', 'pkcs1', 'sec1'] as const) {
    try {
      return createPrivateKey({ key: der, format: 'der', type })
        .export({ format: 'pem', type: 'pkcs8' })
        .toString();
    } catch {
      // Try the next format.
    }
  }
  return undefined;
}

export interface Block {
  readonly label: string;
  /** `Name: value` lines of old PEM files (RFC 1421 §4.6). */
  readonly headers: string;
  /** Base64 without white space. */
  readonly body: string;
}

/** The private key in a stored value, as text; undefined if there is none or more than one. */
export function storedBlock(value: string): Block | undefined {
  const [block, another] = privateBlocks(unwrap(value));
  return another ? undefined : block;
}

/** PEM blocks with a label of a private key. Other blocks are ignored, such as EC PARAMETERS. */
function privateBlocks(text: string): Block[] {
  return insides(text).map(({ label, inside }) => {
    const headers = inside.match(header)?.map((line) => line.trim()) ?? [];
    const body = inside.replace(header, '').replace(/\s+/g, '');
    return { label, headers: headers.join('\n'), body };
  });
}

const header = /^[^\S\r\n\u2028\u2029]*[A-Za-z-]+:.*$/gm;

/** Each BEGIN line with the next END line of its label. One expression for both would take quadratic time on many BEGIN lines. */
function insides(text: string): { readonly label: string; readonly inside: string }[] {
  const marks = [...text.matchAll(/-----(BEGIN|END) ((?:[A-Z0-9]+ )?PRIVATE KEY)-----/g)];
  const ends = new Map<string, number>();
  for (const [index, { 1: kind, 2: label = '' }] of marks.entries())
    if (kind === 'END') ends.set(label, index);
  const found: { label: string; inside: string }[] = [];
  let open: { readonly label: string; readonly start: number } | undefined;
  for (const [index, { 0: mark, 1: kind, 2: label = '', index: at }] of marks.entries()) {
    if (!open && kind === 'BEGIN' && (ends.get(label) ?? -1) > index)
      open = { label, start: at + mark.length };
    else if (open?.label === label && kind === 'END') {
      found.push({ label, inside: text.slice(open.start, at) });
      open = undefined;
    }
  }
  return found;
}

function notAKey(text: string, resource: string): Failure {
  // The base64 prefixes of ciphertext of KMS and the Encryption SDK, which Parameter Store returns without decryption.
  if (/^(AQICAH|AQECAH|AYAD|AgV4)[A-Za-z0-9+/=\s]*$/.test(text)) {
    return new Failure('KEY_NOT_DECRYPTED', `${resource} holds encrypted bytes instead of a key`, {
      hint: 'store the key itself as a SecureString; an encrypted value was copied into it',
    });
  }
  if (text.startsWith('PuTTY-User-Key-File-')) {
    return new Failure('KEY_UNSUPPORTED', `${resource} holds a key in PuTTY's format`, {
      hint: 'convert it: puttygen KEY.ppk -O private-openssh -o FILE',
    });
  }
  if (/-----BEGIN PGP |---- BEGIN SSH2 ENCRYPTED PRIVATE KEY/.test(text)) {
    return keyFailures.unsupported(resource, 'is not in a format that OpenSSH reads');
  }
  if (/-----BEGIN (?:[A-Z0-9]+ )?PRIVATE KEY-----/.test(text))
    return keyFailures.malformed(resource, undefined);
  return new Failure('KEY_NOT_PRIVATE', `${resource} holds ${describe(text)}, not a private key`, {
    hint: 'store the private key: the file without .pub, which begins with -----BEGIN OPENSSH PRIVATE KEY-----',
  });
}

function describe(text: string): string {
  if (/^\S+-cert-v0[01]@openssh\.com /.test(text)) return 'an SSH certificate';
  if (/-----BEGIN (?:TRUSTED )?CERTIFICATE-----/.test(text)) return 'an X.509 certificate';
  if (/(^|\s)(ssh-|ecdsa-|sk-)\S+ AAAA/.test(text) || /----[ -]?BEGIN (?:[A-Z0-9]+ )*PUBLIC KEY/.test(text)) {
    return 'a public key';
  }
  return text.startsWith('{') ? 'JSON' : 'something else';
}
