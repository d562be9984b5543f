/** A key of a host's configuration → the line that the action would have for it. Pure. */
import { Failure } from '../errors.ts';
import { isStored, parseKeyReference } from '../keys/key-reference.ts';
import type { KeyLine } from '../keys/key-line.ts';
import { parseReference, type Reference } from '../keys/reference.ts';
import { parseSigningOptions } from '../keys/signing-options.ts';
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
    ...(passphrase && { passphrase: readReference('passphrase', passphrase) }),
    ...(certificate && { certificate: readReference('certificate', certificate) }),
    repositories: pattern ? [pattern] : [],
  };
  if (signing) return { ...more, reference, signing };
  if (!isStored(reference)) throw new TypeError('a key outside of the stores has no signing options');
  return { ...more, reference };
}

/** The value may be the passphrase itself, so the error does not repeat it. */
function readReference(name: 'passphrase' | 'certificate', text: string): Reference {
  try {
    return parseReference(text.trim());
  } catch (cause) {
    const setting = `ssm.${name} (SSM_SSH_${name.toUpperCase()})`;
    throw new Failure('INPUT_INVALID', `${setting} is not the name of a parameter or a secret`, {
      hint: `write /NAME or secretsmanager:NAME, where the ${name} is stored`,
      cause,
    });
  }
}
