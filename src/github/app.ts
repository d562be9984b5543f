/** A stored GitHub App in JSON: its id, its key, and the scope of its tokens. Also creates its JSON Web Token. Pure. */
import { createPrivateKey, KeyObject, sign } from 'node:crypto';
import { Failure } from '../errors.ts';
import { membersOf } from '../keys/json-secret.ts';
import { hasDots } from '../keys/app-line.ts';
import { parseKeyReference, type KmsReference } from '../keys/key-reference.ts';
import { storedBlock } from '../keys/private-key.ts';
import { otherKindOf } from '../keys/reference.ts';
import { secureUrl } from './api-url.ts';

export interface GitHubApp {
  /** Its reference, for messages. */
  readonly resource: string;
  /** The client id or the app id, which GitHub accepts as a token's issuer. */
  readonly issuer: string;
  /** Secret, unless it is in KMS. */
  readonly privateKey: KeyObject | KmsReference;
  /** Absent: the installation of the repository's owner. */
  readonly installationId?: string;
  /** `name` or `owner/name`. Absent: the requested repository. */
  readonly repositories?: readonly string[];
  /** In GitHub's form: `{ contents: 'read' }`. Absent: the permissions that clone and push need. */
  readonly permissions?: Readonly<Record<string, string>>;
  /** Without a slash at its end. */
  readonly apiUrl: string;
}

/** Whether a stored value is meant as an App: it has one of an App's own members. */
export function isGitHubApp(value: string): boolean {
  const members = readMembers(value);
  return ['app_id', 'client_id', 'private_key'].some((name) => members?.has(name));
}

/**
 * @param value the stored text
 * @param resource its name in messages
 * @throws CREDENTIAL_INVALID naming the member, never its value
 */
export function parseGitHubApp(value: string, resource: string): GitHubApp {
  const members = readMembers(value);
  if (!members) throw invalid(resource, 'is not a JSON object, as needed for a GitHub App', storedAs);
  const wrong = (name: string, problem: string, hint: string): Failure =>
    invalid(resource, `"${name}" ${problem}`, hint);
  const read: Read = (name, accept, hint) => {
    const member = members.get(name);
    if (member === undefined || member === null) return undefined;
    const accepted = accept(member);
    if (accepted === undefined) throw wrong(name, 'is not valid', hint);
    return accepted;
  };
  const issuer =
    read('client_id', nameText, 'write the client id from the page of the App, for example "Iv23liABC"') ??
    read('app_id', digits, 'write the App ID from the page of the App');
  if (issuer === undefined) throw wrong('app_id', 'is missing', storedAs);
  const keyHint =
    'store the text of the .pem file (an RSA key) that GitHub created for the App, or kms:alias/NAME where it is in KMS';
  const privateKey = read('private_key', (member) => kmsKey(member) ?? rsaKey(member), keyHint);
  if (!privateKey) throw wrong('private_key', 'is missing', storedAs);
  const installationId = read(
    'installation_id',
    digits,
    "write the number at the end of the installation page's address",
  );
  const repositories = read('repositories', repositoryNames, 'write names, for example ["lib", "tools"]');
  const permissions = read('permissions', levels, 'write for example {"contents": "read"}');
  const apiUrl = read('api_url', secureUrl, 'write an https:// URL, for example https://HOST/api/v3');
  return {
    ...{ resource, issuer, privateKey, apiUrl: apiUrl ?? 'https://api.github.com' },
    ...(installationId && { installationId }),
    ...(repositories && { repositories }),
    ...(permissions && { permissions }),
  };
}

/** A pasted key may contain line ends that JSON needs escaped. */
function readMembers(value: string): ReadonlyMap<string, unknown> | undefined {
  const strings = /"(?:[^"\\]|\\.)*(?:"|\\?$)/gs;
  const repaired = (): string => value.replace(strings, (text) => text.replace(/\r?\n/g, '\\n'));
  return membersOf(value) ?? membersOf(repaired());
}

type Read = <T>(name: string, accept: (member: unknown) => T | undefined, hint: string) => T | undefined;

const storedAs = 'store {"app_id": 12345, "private_key": "-----BEGIN RSA PRIVATE KEY-----\\n…"}';

function digits(member: unknown): string | undefined {
  const text = typeof member === 'number' ? String(member) : member;
  return typeof text === 'string' && /^[1-9]\d{0,15}$/.test(text.trim()) ? text.trim() : undefined;
}

function nameText(member: unknown): string | undefined {
  return typeof member === 'string' && /^[\w.-]{1,100}$/.test(member.trim()) ? member.trim() : undefined;
}

function kmsKey(member: unknown): KmsReference | undefined {
  if (typeof member !== 'string' || otherKindOf(member.trim()) !== 'kms') return undefined;
  try {
    const reference = parseKeyReference(member.trim());
    return reference.kind === 'kms' ? reference : undefined;
  } catch {
    return undefined;
  }
}

/** PKCS#1, as GitHub creates it, or PKCS#8, with damaged line ends. GitHub's keys have 2048 bits. */
function rsaKey(member: unknown): KeyObject | undefined {
  const block = typeof member === 'string' ? storedBlock(member) : undefined;
  if (!block || block.headers !== '') return undefined;
  try {
    const key = createPrivateKey(
      `-----BEGIN ${block.label}-----\n${block.body}\n-----END ${block.label}-----\n`,
    );
    const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
    return key.asymmetricKeyType === 'rsa' && modulusLength >= 2048 ? key : undefined;
  } catch {
    return undefined;
  }
}

/** An empty list would mean all repositories, so it is an error. */
function repositoryNames(member: unknown): string[] | undefined {
  if (!Array.isArray(member) || member.length === 0) return undefined;
  const names = member.filter(
    (name): name is string =>
      typeof name === 'string' && /^([\w.-]+\/)?[\w.-]+$/.test(name) && !hasDots(name),
  );
  return names.length === member.length ? names : undefined;
}

/** An empty object would mean all of the App's permissions, so it is an error. */
function levels(member: unknown): Record<string, string> | undefined {
  if (typeof member !== 'object' || member === null || Array.isArray(member)) return undefined;
  const entries = Object.entries(member).filter(
    (entry): entry is [string, string] =>
      /^[a-z_]+$/.test(entry[0]) && ['read', 'write', 'admin'].includes(entry[1] as string),
  );
  const all = entries.length === Object.keys(member).length;
  return all && entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

function invalid(resource: string, problem: string, hint: string): Failure {
  return new Failure('CREDENTIAL_INVALID', `${resource} ${problem}`, { hint });
}

/** Seconds. GitHub refuses a JSON Web Token that is from the future, or valid for more than ten minutes. */
const drift = 60;
const validFor = 540;

/** Signs by RS256 with a key that is in KMS. */
export type SignInKms = (signed: {
  readonly reference: KmsReference;
  readonly message: Buffer;
}) => Promise<Buffer>;

/**
 * The JSON Web Token that authenticates the App.
 *
 * @param now seconds
 * @returns secret
 * @throws the errors of `signInKms`
 * @source GitHub Docs, "Generating a JSON Web Token (JWT) for a GitHub App"; RFC 7515 §3.1
 */
export async function appToken(
  { issuer, privateKey }: Pick<GitHubApp, 'issuer' | 'privateKey'>,
  now: number,
  signInKms: SignInKms,
): Promise<string> {
  const at = Math.floor(now);
  const parts = [
    { alg: 'RS256', typ: 'JWT' },
    { iat: at - drift, exp: at + validFor, iss: issuer },
  ];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const message = Buffer.from(signed);
  const signature =
    privateKey instanceof KeyObject
      ? sign('RSA-SHA256', message, privateKey)
      : await signInKms({ reference: privateKey, message });
  return `${signed}.${signature.toString('base64url')}`;
}
