/** The codec of git's credential protocol, and what a stored credential answers (git-credential(1), gitcredentials(7)). Pure. */
import { Failure } from '../errors.ts';

const names = [
  ...(['protocol', 'host', 'path', 'username', 'password'] as const),
  ...(['password_expiry_utc', 'oauth_refresh_token'] as const),
  // git 2.46, of helpers and gits that announce the capability `authtype`.
  ...(['authtype', 'credential', 'ephemeral'] as const),
] as const;

const lists = ['capability', 'wwwauth', 'state'] as const;

/** An attribute that is absent is unknown; one that is empty is known to be empty. */
export type Credential = { readonly [Name in (typeof names)[number]]?: string };

/** What git tells a helper. Attributes that are not known here are left out. */
export type Request = Credential & { readonly [List in (typeof lists)[number]]: readonly string[] };

/** What would end a value early for git, or for a program in between (CVE-2020-5260, CVE-2024-52006). */
export const breaksLine = /[\0\r\n]/;

/**
 * The last value of a name counts, and an empty one clears a list, as in git. The first blank line ends it.
 *
 * @returns undefined for what git would not have written, and nobody should answer: no UTF-8, NUL, CR, a line without =
 */
export function parseRequest(bytes: Uint8Array): Request | undefined {
  const text = decode(bytes);
  if (text === undefined || /[\0\r]/.test(text)) return undefined;
  const values = new Map<string, string>();
  const listed = new Map<string, readonly string[]>(lists.map((list) => [list, []]));
  for (const line of text.split('\n')) {
    if (line === '') break;
    const [, name, value = ''] = /^([^=]+)=(.*)$/s.exec(line) ?? [];
    if (name === undefined) return undefined;
    const list = listed.get(name.replace(/\[\]$/, ''));
    if (list && name.endsWith('[]')) listed.set(name.slice(0, -2), value === '' ? [] : [...list, value]);
    else if (isName(name)) values.set(name, value);
  }
  return Object.fromEntries<string | readonly string[]>([...values, ...listed]) as unknown as Request;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function isName(name: string): name is keyof Credential {
  return (names as readonly string[]).includes(name);
}

/**
 * Lines for git's helper protocol; in the order in which git wants to read them, whatever the order of the attributes.
 *
 * @param resource where the credential is stored, for the message
 * @throws CREDENTIAL_INVALID for a value that would be more than one line
 */
export function renderCredential(credential: Credential, resource: string): string {
  const lines = names.flatMap((name) => {
    const value = credential[name];
    if (value === undefined) return [];
    if (!breaksLine.test(value)) return [`${name}=${value}`];
    throw new Failure('CREDENTIAL_INVALID', `${resource}: its ${name} has a line break or a NUL in it`, {
      hint: "store it again as one line; printf '%s' writes no line break behind it",
    });
  });
  // What git is told without having been asked for it, it would not believe.
  const announced = credential.authtype === undefined ? [] : ['capability[]=authtype'];
  return [...announced, ...lines].map((line) => `${line}\n`).join('');
}

/**
 * Whether a stored credential is what is asked for: all that is asked for is there and the same. The password does not count
 * but where exactly one credential is meant, as in `erase`.
 *
 * @source credential_match in git's credential.c
 */
export function answers(
  stored: Credential,
  wanted: Credential,
  { withPassword = false }: { readonly withPassword?: boolean } = {},
): boolean {
  const compared = ['protocol', 'host', 'path', 'username', ...(withPassword ? ['password'] : [])] as const;
  return (compared as readonly (keyof Credential)[]).every(
    (name) => wanted[name] === undefined || wanted[name] === stored[name],
  );
}

/** Whether it must not be handed out any more. An expiry that is no number of seconds is none, as in git. */
export function isExpired({ password_expiry_utc: expiry }: Credential, nowSeconds: number): boolean {
  return expiry !== undefined && /^\d{1,15}$/.test(expiry) && Number(expiry) <= nowSeconds;
}
