/** A key of a host's configuration → the line that the action would have for it. Pure. */
import { isStored, parseKeyReference } from '../keys/key-reference.ts';
import type { KeyLine } from '../keys/key-line.ts';
import type { Reference } from '../keys/reference.ts';
import { parseSigningOptions } from '../keys/signing-options.ts';
import { parseStoredPart, type StoredPart } from '../keys/stored-part.ts';
import type { HostKey } from './compile.ts';
import { signingVariables } from './signing-settings.ts';

type Written = Pick<HostKey, 'reference' | 'passphrase' | 'certificate' | 'options' | 'section' | 'pattern'>;

/** @throws INPUT_INVALID */
export function hostLine(key: Written): KeyLine {
  const { passphrase, certificate, options, section, pattern } = key;
  const reference = parseKeyReference(key.reference.trim());
  const texts = new Map(options);
  if (passphrase) texts.set('passphrase', passphrase);
  if (certificate) texts.set('certificate', certificate);
  const prefix = section === undefined ? 'ssm.' : `ssm.${section}.`;
  const signing = parseSigningOptions(
    reference,
    texts,
    (option) => prefix + (signingVariables.get(option) ?? option),
  );
  const more = {
    ...(passphrase && { passphrase: readPart('passphrase', passphrase, section) }),
    ...(certificate && { certificate: readPart('certificate', certificate, section) }),
    repositories: pattern ? [pattern] : [],
  };
  if (signing) return { ...more, reference, signing };
  if (!isStored(reference)) throw new TypeError('a key outside of the stores has no signing options');
  return { ...more, reference };
}

function readPart(part: StoredPart, text: string, section: string | undefined): Reference {
  const setting =
    section === undefined ? `ssm.${part} (SSM_SSH_${part.toUpperCase()})` : `ssm.${section}.${part}`;
  const problem = `${setting} is not the name of a parameter or a secret`;
  return parseStoredPart(part, text.trim(), { problem });
}
