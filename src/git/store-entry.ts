/**
 * How a git credential is stored in Parameter Store: one parameter each, PREFIX/https/HOST/USER/PATH, found by folder, whose
 * value is JSON of its attributes. Pure.
 */
import { createHash } from 'node:crypto';
import { Failure } from '../errors.ts';
import { answers, isExpired, renderCredential, type Credential, type Request } from './credential.ts';

/** What a credential is for. A user name that is absent is unknown, in what is asked for, and none, in what is stored. */
export interface Place {
  readonly protocol: 'https';
  /** Lower case, with a port where it is not 443. */
  readonly host: string;
  /** Of the repository, whole: git's LFS asks for `REPOSITORY.git/info/lfs`. Absent: any, or the host's. */
  readonly path?: string;
  readonly username?: string;
}

/** @returns undefined for what nothing is stored for: no HTTPS, or no host */
export function placeOf({ protocol, host, path, username }: Credential): Place | undefined {
  if (protocol?.toLowerCase() !== 'https' || !host) return undefined;
  const repository = path
    ?.replace(/\/info\/lfs(\/.*)?$/, '')
    .replace(/^\/+|\/+$/g, '')
    .replace(/\.git$/, '');
  return {
    protocol: 'https',
    host: lowerCase(host).replace(/:(443)?$/, ''),
    ...(repository && { path: repository }),
    ...(username !== undefined && { username }),
  };
}

/** ASCII's letters alone: names beyond it reach git in their ASCII form. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export function nameOf(prefix: string, { path, ...place }: Place): string {
  return `${folderOf(prefix, { username: undefined, ...place })}/${encode(path ?? '')}`;
}

/** The narrowest folder that has all that is asked for; `username: undefined` means that of credentials without one. */
export function folderOf(
  prefix: string,
  place: Omit<Place, 'username'> & { readonly username?: string | undefined },
): string {
  const host = `${prefix}/https/${encode(place.host)}`;
  if (!('username' in place)) return host;
  return `${host}/${place.username === undefined ? noUser : encode(place.username)}`;
}

/** Stands for a missing user name: no user name is encoded like this. */
const noUser = '__';
/** Characters of one level. Three of the longest, a prefix of 300 and the ARN in front stay within the 1,011 of a name. */
const longest = 200;

/**
 * Injective: letters, digits, `.` and `-` stand for themselves, bytes of all else are `_XX`, and nothing is `_`. What would be
 * too long is its beginning and, behind `_.`, its digest.
 */
function encode(text: string): string {
  const encoded = Buffer.from(text)
    .toString('latin1')
    .replace(
      /[^A-Za-z0-9.-]/g,
      (byte) => `_${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    );
  if (encoded === '') return '_';
  if (encoded.length <= longest) return encoded;
  return `${encoded.slice(0, 100)}_.${createHash('sha256').update(text).digest('hex')}`;
}

/**
 * @source Systems Manager User Guide, "Creating parameters": 15 levels in all, and names that AWS keeps for itself
 * @param setting how the user wrote it
 * @throws INPUT_INVALID
 */
export function parsePrefix(text: string, setting: string): string {
  const prefix = text.replace(/\/$/, '');
  const wellFormed = /^(\/[A-Za-z0-9_.-]+){1,11}$/.test(prefix) && prefix.length <= 300;
  if (wellFormed && !/^\/(aws|ssm)/i.test(prefix)) return prefix;
  throw new Failure('INPUT_INVALID', `${setting} cannot be "${text.slice(0, 100)}"`, {
    hint: 'write the beginning of parameter names, for example /git-credentials: up to 11 levels of letters, digits and . - _, the first not aws… or ssm…',
  });
}

const forWhat = ['protocol', 'host', 'path', 'username'] as const;
const content = [
  ...(['password', 'password_expiry_utc', 'oauth_refresh_token'] as const),
  ...(['authtype', 'credential'] as const),
] as const;

/** Bytes that the largest parameter holds, an advanced one. */
const mostBytes = 8192;

/**
 * What to keep of what git says has worked: a user name and a password, or the credential of an authentication scheme.
 *
 * @returns undefined where it is not to be kept: it is said to be for a moment only, or over, or has no place
 * @source git-credential(1), `ephemeral`; store_credential in git's builtin/credential-store.c
 */
export function toBeStored(request: Request, nowSeconds: number): Credential | undefined {
  const where = placeOf(request);
  const isBasic = request.username !== undefined && request.password !== undefined;
  const isOther = request.authtype !== undefined && request.credential !== undefined;
  const kept = where && !isTrue(request.ephemeral) && !isExpired(request, nowSeconds);
  return kept && (isBasic || isOther) ? { ...where, ...pick(request, content) } : undefined;
}

/** git-config(1), "boolean". What is neither counts as true: then nothing is kept. */
function isTrue(value = ''): boolean {
  return !/^(0|false|no|off|)$/i.test(value);
}

/**
 * @param name of the parameter, for the message
 * @throws CREDENTIAL_INVALID for a value that could not be answered
 */
export function renderEntry(credential: Credential, name: string): string {
  renderCredential(credential, name);
  const text = JSON.stringify(pick(credential, [...forWhat, ...content]));
  if (Buffer.byteLength(text) <= mostBytes) return text;
  throw new Failure('CREDENTIAL_INVALID', `${name} would be larger than 8 KB, which no parameter holds`, {
    hint: 'use a shorter token; an OAuth refresh token counts as well',
  });
}

/** @throws CREDENTIAL_INVALID */
export function parseEntry(text: string, name: string): Credential {
  const members = new Map<string, unknown>(Object.entries(objectOf(text) ?? {}));
  const parsed = [...forWhat, ...content].flatMap((attribute) => {
    const value = members.get(attribute);
    return typeof value === 'string' ? [[attribute, value] as const] : [];
  });
  const credential: Credential = Object.fromEntries(parsed);
  if (credential.protocol !== undefined && credential.host !== undefined) return credential;
  throw new Failure('CREDENTIAL_INVALID', `${name} holds no credential that git-credential-ssm has stored`, {
    hint: `store other values elsewhere, or delete it: aws ssm delete-parameter --name ${name}`,
  });
}

function objectOf(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    // What JSON.parse says repeats the text.
    return undefined;
  }
}

/**
 * What is answered of the first that is for what is asked for, and can be used. An authentication scheme is for a git that
 * says it knows them.
 */
export function pickAnswer(
  stored: readonly Credential[],
  request: Request,
  nowSeconds: number,
): Credential | undefined {
  const schemes = request.capability.includes('authtype');
  const found = stored.find(
    (one) =>
      answers(one, placeOf(request) ?? request) &&
      !isExpired(one, nowSeconds) &&
      (one.password !== undefined || schemes),
  );
  if (!found) return undefined;
  const { username, ...other } = pick(found, ['username', ...content]);
  const { authtype, credential, ...basic } = other;
  const scheme = schemes && authtype !== undefined && credential !== undefined && { authtype, credential };
  return { ...(username !== undefined && { username }), ...basic, ...scheme };
}

/** Those that `erase` means. What it says of a password or a credential has to be so: another one may have been stored since. */
export function isErased(stored: Credential, request: Request): boolean {
  const { password, credential } = request;
  return (
    answers(stored, placeOf(request) ?? request) &&
    (password === undefined || password === stored.password) &&
    (credential === undefined || credential === stored.credential)
  );
}

function pick(credential: Credential, attributes: readonly (keyof Credential)[]): Credential {
  return Object.fromEntries(
    attributes.flatMap((name) => (credential[name] === undefined ? [] : [[name, credential[name]]])),
  );
}
