/** A credential as it is stored: JSON of its attributes, what it is for among them. Pure. */
import { Failure } from '../errors.ts';
import { answers, isExpired, renderCredential, type Credential, type Request } from './credential.ts';
import { placeOf } from './stored-name.ts';

const place = ['protocol', 'host', 'path', 'username'] as const;
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
  const text = JSON.stringify(pick(credential, [...place, ...content]));
  if (Buffer.byteLength(text) <= mostBytes) return text;
  throw new Failure('CREDENTIAL_INVALID', `${name} would be larger than 8 KB, which no parameter holds`, {
    hint: 'use a shorter token; an OAuth refresh token counts as well',
  });
}

/** @throws CREDENTIAL_INVALID */
export function parseEntry(text: string, name: string): Credential {
  const members = new Map<string, unknown>(Object.entries(objectOf(text) ?? {}));
  const parsed = [...place, ...content].flatMap((attribute) => {
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
