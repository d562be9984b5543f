/** The lines of programs that hand each key to OpenSSH's agent. Pure. */
import { Failure } from '../errors.ts';
import type { KeyLine, StoredKeyLine } from './key-line.ts';

/** @throws INPUT_INVALID for a key that only our own agent serves */
export function requireStored(line: KeyLine): StoredKeyLine {
  if (!line.signing) return line;
  const { reference, signing } = line;
  const what = signing.certificate
    ? 'logs in by a certificate that is made for it (ca=)'
    : 'never leaves KMS';
  throw new Failure('INPUT_INVALID', `${reference.text} ${what}, and only stored keys can be used here`, {
    hint: 'write the name of a parameter or a secret, without ca=: /NAME or secretsmanager:NAME',
  });
}
