/**
 * The form of a git credential in Parameter Store: one parameter PREFIX/https/HOST/USER/PATH for each, with JSON of its
 * attributes as the value. Pure.
 */
import { createHash } from 'node:crypto';
import { Failure } from '../errors.ts';
import { withoutEnds } from '../keys/ends.ts';
import { answers, isExpired, renderCredential, type Credential, type Request } from './credential.ts';

/** The scope of a credential. In a request, an absent user name is unknown; in a stored credential, there is none. */
export interface Place {
  readonly protocol: 'https';
  /** Lower case, with a port if it is not 443. */
  readonly host: string;
  /** The repository's whole path; git-lfs asks for `REPOSITORY.git/info/lfs`. Absent: any path, or the whole host. */
  readonly path?: string;
  readonly username?: string;
}

/** @returns undefined if nothing can be stored for it: not HTTPS, or without a host */
export function placeOf({ protocol, host, path, username }: Credential): Place | undefined {
  if (protocol?.toLowerCase() !== 'https' || !host) return undefined;
  const whole = path?.replace(/\/info\/lfs(\/.*)?$/, '');
  const repository = whole === undefined ? '' : withoutEnds(whole, '/').replace(/\.git$/, '');
  return {
    protocol: 'https',
    host: lowerCase(host).replace(/:(443)?$/, ''),
    ...(repository && { path: repository }),
    ...(username !== undefined && { username }),
  };
}

/** ASCII letters only: git gets other names in their ASCII form. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export function nameOf(prefix: string, { path, ...place }: Place): string {
  return `${folderOf(prefix, { username: undefined, ...place })}/${encode(path ?? '')}`;
}

/** The narrowest folder that contains all matches. `username: undefined` means credentials without a user name. */
export function folderOf(
  prefix: string,
  place: Omit<Place, 'username'> & { readonly username?: string | undefined },
): string {
  const host = `${prefix}/https/${encode(place.host)}`;
  if (!('username' in place)) return host;
  return `${host}/${place.username === undefined ? noUser : encode(place.username)}`;
}

/** Stands for a missing user name. No encoded user name is equal to it. */
const noUser = '__';
/**
 * Characters of one level. Three levels of this length, a prefix of 300 and the ARN's beginning fit into the 1,011 of a
 * name.
 */
const longest = 200;

/**
 * An injective encoding: letters, digits, `.` and `-` are unchanged, other bytes are `_XX`, an empty text is `_`. A
 * long text is cut, followed by `_.` and its digest.
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
 * @source Systems Manager User Guide, "Creating parameters": 15 levels in total, and names that AWS reserves
 * @param setting the name of the setting, for the message
 * @throws INPUT_INVALID
 */
export function parsePrefix(text: string, setting: string): string {
  const prefix = text.replace(/\/$/, '');
  const wellFormed = /^(\/[A-Za-z0-9_.-]+){1,11}$/.test(prefix) && prefix.length <= 300;
  if (wellFormed && !/^\/(aws|ssm)/i.test(prefix)) return prefix;
  throw new Failure('INPUT_INVALID', `${setting} cannot be "${text.slice(0, 100)}"`, {
    hint: 'write a prefix of parameter names, for example /git-credentials: up to 11 levels of letters, digits and . - _; the first must not begin with aws or ssm',
  });
}

const forWhat = ['protocol', 'host', 'path', 'username'] as const;
const content = [
  ...(['password', 'password_expiry_utc', 'oauth_refresh_token'] as const),
  ...(['authtype', 'credential'] as const),
] as const;

/** Size limit of an advanced parameter, in bytes. */
const mostBytes = 8192;

/**
 * The attributes to store of a credential that worked: user name and password, or the credential of an authentication
 * scheme.
 *
 * @returns undefined if it is not to be stored: it is ephemeral or expired, or has no place
 * @source git-credential(1), `ephemeral`; store_credential in git's builtin/credential-store.c
 */
export function toBeStored(request: Request, nowSeconds: number): Credential | undefined {
  const where = placeOf(request);
  const isBasic = request.username !== undefined && request.password !== undefined;
  const isOther = request.authtype !== undefined && request.credential !== undefined;
  const kept = where && !isTrue(request.ephemeral) && !isExpired(request, nowSeconds);
  return kept && (isBasic || isOther) ? { ...where, ...pick(request, content) } : undefined;
}

/** git-config(1), "boolean". An invalid value counts as true: then nothing is stored. */
function isTrue(value = ''): boolean {
  return !/^(0|false|no|off|)$/i.test(value);
}

/**
 * @param name of the parameter, for the message
 * @throws CREDENTIAL_INVALID for a value that git could not read back
 */
export function renderEntry(credential: Credential, name: string): string {
  renderCredential(credential, name);
  const text = JSON.stringify(pick(credential, [...forWhat, ...content]));
  if (Buffer.byteLength(text) <= mostBytes) return text;
  throw new Failure('CREDENTIAL_INVALID', `${name} would be larger than 8 KB, the limit of a parameter`, {
    hint: 'use a shorter token; an OAuth refresh token counts as well',
  });
}

/**
 * Whether a stored value has all attributes of the credential. It may have more: an older git gets and stores none that
 * it does not know, such as the refresh token of a newer one.
 */
export function hasAll(text: string, credential: Credential): boolean {
  const stored = new Map<string, unknown>(Object.entries(objectOf(text) ?? {}));
  return [...forWhat, ...content].every(
    (name) => credential[name] === undefined || credential[name] === stored.get(name),
  );
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
  throw new Failure('CREDENTIAL_INVALID', `${name} is not a credential that git-credential-ssm has stored`, {
    hint: `store other values elsewhere, or delete it: aws ssm delete-parameter --name ${name}`,
  });
}

function objectOf(text: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    // The message of JSON.parse repeats the text.
    return undefined;
  }
}

/**
 * Answers with the first matching credential that has not expired. If there is none, git's next helper may use the
 * refresh token of an expired one. An authentication scheme is only for a git that announces the capability.
 *
 * @source credential_fill in git's credential.c: it asks helpers until it has a password, and tells each what it has
 */
export function pickAnswer(
  stored: readonly Credential[],
  request: Request,
  nowSeconds: number,
): Credential | undefined {
  const schemes = request.capability.includes('authtype');
  const matching = stored.filter(
    (one) => answers(one, placeOf(request) ?? request) && (one.password !== undefined || schemes),
  );
  const found = matching.find((one) => !isExpired(one, nowSeconds));
  if (!found) {
    const renewable = matching.find((one) => one.oauth_refresh_token !== undefined);
    return renewable && pick(renewable, ['username', 'oauth_refresh_token']);
  }
  const { username, ...other } = pick(found, ['username', ...content]);
  const { authtype, credential, ...basic } = other;
  const scheme = schemes && authtype !== undefined && credential !== undefined && { authtype, credential };
  return { ...(username !== undefined && { username }), ...basic, ...scheme };
}

/**
 * The credentials that `erase` means. A password or credential in the request has to be equal, because a new one may
 * have been stored meanwhile.
 */
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
