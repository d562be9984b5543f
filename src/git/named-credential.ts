/** Parses a stored git credential: only a token, or JSON. Pure. */
import { Failure } from '../errors.ts';
import { membersOf } from '../keys/json-secret.ts';
import { breaksLine, isExpired, type Credential } from './credential.ts';

/** The user name that GitHub documents for tokens. Other hosts accept any name with a token, or document one. */
const anyUser = 'x-access-token';

export interface Stored {
  /** Secret. */
  readonly text: string;
  /** Name of its parameter or secret, for messages. */
  readonly resource: string;
  /** The section's user name, which takes precedence over the stored one. */
  readonly username?: string | undefined;
}

/**
 * @param nowSeconds since 1970; an expired credential is an error
 * @throws CREDENTIAL_INVALID, never with the stored text
 */
export function readNamedCredential(stored: Stored, nowSeconds: number): Credential {
  const { text, resource, username } = stored;
  const members = membersOf(text);
  const credential = members
    ? fromJson(members, stored)
    : { username: username ?? anyUser, password: bare(stored) };
  const expiry = credential.password_expiry_utc;
  if (!isExpired(credential, nowSeconds)) return credential;
  const when = new Date(Number(expiry) * 1000);
  const date = Number.isNaN(when.getTime()) ? `${expiry ?? ''} seconds after 1970` : when.toISOString();
  throw invalid(resource, `expired at ${date}`, 'store a new one there, with its own password_expiry_utc');
}

function bare({ text, resource }: Stored): string {
  if (text === '') throw invalid(resource, 'is empty', 'store the token there');
  if (breaksLine.test(text)) {
    throw invalid(
      resource,
      'contains a line break or a NUL',
      `store it again as one line, without a line break at the end: printf '%s' "$TOKEN" | aws ssm put-parameter --overwrite --type SecureString --name NAME --value file:///dev/stdin`,
    );
  }
  // Invalid JSON must not be sent to the host, which may log it.
  if (/^\s*[[{]/.test(text)) throw invalid(resource, 'begins like JSON, but is not a JSON object', written);
  return text;
}

const written = 'store only the token, or {"username": "NAME", "password": "TOKEN"}';

function fromJson(members: ReadonlyMap<string, unknown>, { resource, username }: Stored): Credential {
  const read = (name: keyof Credential): string | undefined => {
    const value = members.get(name) ?? undefined;
    if (value === undefined || typeof value === 'string') return value;
    throw invalid(resource, `its "${name}" is not a string`, written);
  };
  const expiry = expiryOf(members, resource);
  const refresh = read('oauth_refresh_token');
  const common = {
    ...(expiry !== undefined && { password_expiry_utc: expiry }),
    ...(refresh !== undefined && { oauth_refresh_token: refresh }),
  };
  const authtype = read('authtype');
  const credential = read('credential');
  if (authtype && credential) return { ...common, authtype, credential };
  const password = read('password');
  if (!password) {
    const names = [...members.keys()].slice(0, 10).map((name) => JSON.stringify(name.slice(0, 60)));
    const has = names.length > 0 ? `; it has ${names.join(', ')}` : '';
    throw invalid(resource, 'is JSON without a "password"', `${written}${has}`);
  }
  return { username: username ?? read('username') ?? anyUser, password, ...common };
}

/** Seconds since 1970, as in git. Any other value is an error, because the password may have expired. */
function expiryOf(members: ReadonlyMap<string, unknown>, resource: string): string | undefined {
  const value = members.get('password_expiry_utc') ?? undefined;
  if (value === undefined) return undefined;
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  if (/^\d{1,15}$/.test(text)) return text;
  const hint = 'write the seconds since 1970, as date +%s does';
  throw invalid(resource, 'its "password_expiry_utc" is not a time', hint);
}

function invalid(resource: string, problem: string, hint: string): Failure {
  const whose = problem.startsWith('its ') ? `${resource}:` : resource;
  return new Failure('CREDENTIAL_INVALID', `${whose} ${problem}`, { hint });
}
