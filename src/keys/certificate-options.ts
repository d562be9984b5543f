/** The options of `ca=` and of certify: what an OpenSSH certificate allows, and to whom. Pure. */
import { Failure } from '../errors.ts';
import { rangeProblem } from './address-range.ts';
import { parseKeyReference, type LastingReference } from './key-reference.ts';
import { parseLifetime } from './lifetime.ts';
import { certificateNames } from './signing-names.ts';
import { visible } from './visible-text.ts';

export interface CertificateOptions extends CertificateTerms {
  /** The key of the certificate authority. */
  readonly authority: LastingReference;
}

export interface CertificateTerms {
  /** At least one. Without any, older versions of sshd accept the certificate for every account. */
  readonly principals: readonly string[];
  /** Seconds. */
  readonly valid: number;
  /** As written. A certificate has them sorted. */
  readonly extensions: readonly Extension[];
  /** Absent: from any address. */
  readonly sourceAddress?: readonly string[];
  readonly forceCommand?: string;
}

export interface Extension {
  readonly name: string;
  /** Empty for a flag such as `permit-pty`. */
  readonly value: string;
}

/** Those of them that only a user's certificate has. */
const hostless = ['extensions', 'source-address', 'force-command'] as const;

/** Option → its text. `%20` is a space. */
export type OptionTexts = ReadonlyMap<string, string>;

/** How an option is written where its text comes from: `valid=` in a line, `ssm.valid` in git's configuration. */
export type Naming = (option: string) => string;

export type CertificateKind = 'user' | 'host';

/** Seconds. A user's certificate is for one run; a host's is renewed daily, and outlasts some failures. */
export const usualValidity: Readonly<Record<CertificateKind, number>> = { user: 900, host: 604_800 };
/** Seconds. A certificate cannot be taken back, except by a list of revoked keys on each host. */
const longestValidity = 365 * 86_400;
/** @source openssh-portable, sshkey.h, SSHKEY_CERT_MAX_PRINCIPALS */
const mostPrincipals = 256;
/** @source openssh-portable, PROTOCOL.certkeys, "Extensions" */
const flags = [
  ...['permit-X11-forwarding', 'permit-agent-forwarding', 'permit-port-forwarding'],
  ...['permit-pty', 'permit-user-rc', 'no-touch-required'],
];

/**
 * @returns undefined if there is no `ca`
 * @throws INPUT_INVALID
 */
export function parseCertificateOptions(texts: OptionTexts, named: Naming): CertificateOptions | undefined {
  const ca = texts.get('ca');
  if (ca === undefined) {
    const lonely = certificateNames.find((name) => texts.has(name));
    if (lonely === undefined) return undefined;
    throw invalid(
      `${named(lonely)} is for a certificate, and ${named('ca')} is missing`,
      `name the key of the authority (${written(named('ca'), 'kms:alias/NAME')}), or remove ${named(lonely)}`,
    );
  }
  return { authority: parseAuthority(ca, named('ca')), ...parseTerms(texts, named, 'user') };
}

/** @throws INPUT_INVALID */
export function parseTerms(texts: OptionTexts, named: Naming, kind: CertificateKind): CertificateTerms {
  for (const [name, text] of texts) checkText(text, named(name));
  const odd = hostless.find((name) => kind === 'host' && texts.has(name));
  // ssh refuses a host with a critical option, and no extension for hosts exists.
  if (odd !== undefined)
    throw invalid(`${named(odd)} is for users, and a host's certificate has none`, `remove ${named(odd)}`);
  const source = texts.get('source-address');
  const command = texts.get('force-command');
  return {
    principals: parsePrincipals(texts.get('principals'), named('principals'), kind),
    valid: parseValidity(texts.get('valid'), named('valid'), kind),
    extensions: parseExtensions(texts.get('extensions'), named('extensions')),
    ...(source !== undefined && { sourceAddress: parseRanges(source, named('source-address')) }),
    ...(command !== undefined && { forceCommand: parseCommand(command, named('force-command')) }),
  };
}

/** A character that ends a line, or changes the direction of text, would show another command than the one that runs. */
export function checkText(text: string | undefined, name: string): void {
  if (text === undefined || !/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u.test(text)) return;
  throw invalid(`${name} has control characters`, 'write plain text');
}

/** The option as the user would write it: `ca=VALUE`, `--ca VALUE`, `ssm.ca = VALUE`. */
export function written(name: string, value: string): string {
  if (name.endsWith('=')) return name + value;
  return name.startsWith('-') ? `${name} ${value}` : `${name} = ${value}`;
}

function parseAuthority(text: string, name: string): LastingReference {
  const reference = parseKeyReference(text);
  if (reference.kind !== 'new') return reference;
  throw invalid(
    `${name} cannot be ${text}: a host trusts an authority only if its key stays the same`,
    'name a key in KMS (kms:alias/NAME), or a stored private key',
  );
}

const principalsOf: Readonly<Record<CertificateKind, readonly [what: string, example: string]>> = {
  user: ['the accounts that it opens', 'deploy,web'],
  host: ['the host by which ssh reaches it', 'web-1.example.com,10.0.0.7'],
};

function parsePrincipals(text: string | undefined, name: string, kind: CertificateKind): string[] {
  const [what, example] = principalsOf[kind];
  if (text === undefined) {
    throw invalid(
      `${name} is missing: a certificate names ${what}`,
      `write them with commas between: ${written(name, example)}`,
    );
  }
  const principals = listOf(text, name);
  const odd = principals.find((one) => !/^\S{1,255}$/u.test(one));
  if (odd !== undefined) {
    throw invalid(
      `${name} has a name with white space or more than 255 characters: "${odd}"`,
      `write names with commas between: ${written(name, example)}`,
    );
  }
  // sshd compares an account's name as it is; ssh reads patterns in the names of hosts.
  const pattern = principals.find((one) => kind === 'user' && /[*?]/.test(one));
  if (pattern !== undefined)
    throw invalid(`${name} has a pattern, which sshd does not read: "${pattern}"`, 'write each name');
  if (principals.length > mostPrincipals) {
    throw invalid(
      `${name} has ${principals.length} names, and OpenSSH allows ${mostPrincipals}`,
      'write fewer',
    );
  }
  return principals;
}

function parseValidity(text: string | undefined, name: string, kind: CertificateKind): number {
  const seconds = text === undefined ? usualValidity[kind] : parseLifetime(text);
  if (seconds !== undefined && seconds > longestValidity)
    throw invalid(`${name} is more than a year: "${text ?? ''}"`, `write at most ${written(name, '365d')}`);
  if (seconds !== undefined && seconds > 0) return seconds;
  throw invalid(
    `${name} is not a duration: "${text ?? ''}"`,
    'write for example 15m or 1h; a certificate always ends',
  );
}

function parseExtensions(text: string | undefined, name: string): Extension[] {
  if (text === undefined) return [];
  const extensions = listOf(text, name).map((one) => parseExtension(one, name));
  const twice = extensions.find(
    (one, index) => extensions.findIndex((other) => other.name === one.name) !== index,
  );
  if (twice) throw invalid(`${name} names ${twice.name} twice`, 'write each extension once');
  return extensions;
}

/** sshd ignores an extension that it does not know, so a wrong name would not be noticed. */
function parseExtension(text: string, option: string): Extension {
  const [, name = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? [];
  if (flags.includes(name)) {
    if (value === undefined) return { name, value: '' };
    throw invalid(`${option} gives ${name} a value, and it has none`, `write ${written(option, name)}`);
  }
  if (/^[\w.-]+@[\w.-]+$/.test(name)) {
    if (value !== '' && (value !== undefined || !name.startsWith('login@')))
      return { name, value: value ?? '' };
    throw invalid(`${option} gives ${name} no value`, `write ${written(option, `${name}=NAME`)}`);
  }
  throw invalid(
    `${option} has an unknown extension "${name}"`,
    `write ${flags.join(', ')}, or NAME@DOMAIN=VALUE`,
  );
}

function parseRanges(text: string, name: string): string[] {
  const ranges = listOf(text, name);
  for (const range of ranges) {
    const problem = rangeProblem(range);
    if (problem !== undefined)
      throw invalid(
        `${name} has "${range}", which ${problem}`,
        'write for example 192.0.2.0/24,2001:db8::/32',
      );
  }
  return ranges;
}

function parseCommand(text: string, name: string): string {
  if (text.trim() !== '') return text;
  throw invalid(
    `${name} has no command`,
    `write the command${name.endsWith('=') ? ', with %20 for a space' : ''}`,
  );
}

/** Each once. */
function listOf(text: string, name: string): string[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.includes('')) throw invalid(`${name} has an empty part`, 'write names with one comma between');
  return [...new Set(parts)];
}

function invalid(problem: string, hint: string): Failure {
  return new Failure('INPUT_INVALID', visible(problem), { hint });
}
