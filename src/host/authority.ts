/** The authority that signs certificates. */
import { memorySigner } from '../keys/memory-signer.ts';
import type { Signer } from '../keys/signer.ts';
import type { LoadedKey } from './open-key.ts';
import type { Voice } from './voice.ts';

/** Whoever reads a stored authority can sign for ever, so there is a warning each time. */
export function storedAuthority(
  key: Pick<LoadedKey, 'publicKey' | 'fields' | 'secret'>,
  { warn }: Pick<Voice, 'warn'>,
): Signer {
  const { text } = key.secret.reference;
  warn(
    `whoever can read the authority ${text} can sign any certificate, for any time, and nobody would know: put it into KMS, which signs and does not give the key away (ssm-ssh-agent keygen kms:alias/NAME)`,
  );
  return memorySigner(key);
}
