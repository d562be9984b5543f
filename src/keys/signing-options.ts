/** How our agent serves a key that it signs with itself: a key in KMS, and a key with a certificate. Pure. */
import { Failure } from '../errors.ts';
import {
  checkText,
  parseCertificateOptions,
  written,
  type CertificateOptions,
  type Naming,
  type OptionTexts,
} from './certificate-options.ts';
import type { KeyReference } from './key-reference.ts';
import { ruleNames, signingNames } from './signing-names.ts';

export interface SigningOptions {
  /** Whether it signs for clients that do not say which host they log in to. */
  readonly unbound: 'refuse' | 'allow';
  /** Whether it signs over a forwarded connection. */
  readonly forwarding: 'refuse' | 'allow';
  /** Signatures until the key ends. Absent: no limit. */
  readonly uses?: number;
  /** From `ca=`: the key logs in by a certificate that is signed when it is needed. */
  readonly certificate?: CertificateOptions;
}

const mostUses = 1_000_000;

/**
 * @param reference of the key
 * @param texts may have options of others
 * @returns undefined for a stored key without `ca`: OpenSSH's agent serves it
 * @throws INPUT_INVALID
 */
export function parseSigningOptions(
  reference: KeyReference,
  texts: OptionTexts,
  named: Naming = (option) => `${option}=`,
): SigningOptions | undefined {
  for (const name of signingNames) checkText(texts.get(name), named(name));
  const certificate = parseCertificateOptions(texts, named);
  checkKind(reference, texts, named);
  if (reference.kind !== 'kms' && !certificate) return undefined;
  const uses = parseUses(texts.get('uses'), named('uses'));
  return {
    unbound: parseRule(texts.get('unbound'), named('unbound')),
    forwarding: parseRule(texts.get('forwarding'), named('forwarding')),
    ...(uses !== undefined && { uses }),
    ...(certificate && { certificate }),
  };
}

/** What contradicts the kind of the key. */
function checkKind({ kind, text }: KeyReference, texts: OptionTexts, named: Naming): void {
  if (texts.has('ca') && texts.has('certificate')) {
    throw invalid(
      `${named('certificate')} names a stored certificate, and ${named('ca')} signs a new one`,
      'write one of the two',
    );
  }
  if (kind === 'new' && !texts.has('ca')) {
    throw invalid(
      `${text} is a key that no host knows, and ${named('ca')} is missing`,
      `name the authority that the host trusts: ${written(named('ca'), 'kms:alias/NAME')} and ${written(named('principals'), 'NAME')}`,
    );
  }
  if (kind === 'kms' || kind === 'new') {
    checkNothingStored(text, texts, named);
    return;
  }
  const rule = texts.has('ca') ? undefined : ruleNames.find((name) => texts.has(name));
  if (rule === undefined) return;
  throw invalid(
    `${named(rule)} is for keys in KMS and keys with ${named('ca')}: OpenSSH's agent holds ${text}, and does not know such rules`,
    `remove ${named(rule)}, or put the key into KMS: ssm-ssh-agent put kms:alias/NAME FILE`,
  );
}

/** A stored certificate is loaded together with its stored key. Our agent offers only those that it has signed. */
function checkNothingStored(text: string, texts: OptionTexts, named: Naming): void {
  if (texts.has('passphrase')) {
    throw invalid(
      `${named('passphrase')} is for a stored key, and ${text} has none`,
      `remove ${named('passphrase')}`,
    );
  }
  if (!texts.has('certificate')) return;
  const making = `${written(named('ca'), 'kms:alias/NAME')} and ${written(named('principals'), 'NAME')}`;
  throw invalid(
    `${named('certificate')} is for a stored key, and ${text} is not stored`,
    `remove ${named('certificate')}, or let an authority sign a certificate when it is needed: write ${making}`,
  );
}

function parseRule(text: string | undefined, name: string): 'refuse' | 'allow' {
  if (text === undefined || text === 'refuse') return 'refuse';
  if (text === 'allow') return text;
  throw invalid(
    `${name} can only be "refuse" or "allow"`,
    `write ${written(name, 'allow')}, or leave it out`,
  );
}

function parseUses(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const uses = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : Infinity;
  if (uses <= mostUses) return uses;
  throw invalid(`${name} is not a number of signatures: "${text}"`, `write 1 to ${mostUses}`);
}

function invalid(problem: string, hint: string): Failure {
  return new Failure('INPUT_INVALID', problem, { hint });
}
