/** An SSH public key: its wire form, its fingerprint, its line in authorized_keys. Pure. */
import { createHash } from 'node:crypto';
import { visible } from './visible-text.ts';

export interface PublicKey {
  /** The algorithm's name, e.g. `ssh-ed25519` (RFC 4253 §6.6, RFC 8709, RFC 5656). */
  readonly type: string;
  /** The wire form: length-prefixed fields, starting with the type. */
  readonly blob: Buffer;
  readonly comment: string;
}

/** `SHA256:` and the digest in base64 without padding, as `ssh-keygen -l` prints it. */
export function fingerprint({ blob }: Pick<PublicKey, 'blob'>): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** `TYPE BASE64 [COMMENT]`, as in authorized_keys and in a `.pub` file. One line: whoever made the key chose the comment. */
export function authorizedKeysLine({ type, blob, comment }: PublicKey): string {
  return [type, blob.toString('base64'), visible(comment)].filter(Boolean).join(' ');
}
