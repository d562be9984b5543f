/**
 * Parses and renders git's credential protocol, and matches stored credentials (git-credential(1), gitcredentials(7)).
 * Pure.
 */
import { Failure } from '../errors.ts';

const names = [
  ...(['protocol', 'host', 'path', 'username', 'password'] as const),
  ...(['password_expiry_utc', 'oauth_refresh_token'] as const),
  // Since git 2.46, if git and the helper announce the capability `authtype`.
  ...(['authtype', 'credential', 'ephemeral'] as const),
] as const;

const lists = ['capability', 'wwwauth', 'state'] as const;

/** An absent attribute is unknown; an empty one is known to be empty. */
export type Credential = { readonly [Name in (typeof names)[number]]?: string };

/** git's request to a helper. Unknown attributes are removed. */
export type Request = Credential & { readonly [List in (typeof lists)[number]]: readonly string[] };

/** Characters that end a value early in git or in a program between (CVE-2020-5260, CVE-2024-52006). */
export const breaksLine = /[\0\r\n]/;

/** Whether it is a host as git names it, with or without a port, and as a URL can have it. */
export function isHost(value: unknown): value is string {
  const form = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i;
  return typeof value === 'string' && form.test(value) && URL.canParse(`https://${value}`);
}

/**
 * As in git, the last value of a name counts, and an empty value clears a list. The first blank line ends the request.
 * git passes on what a server says in `wwwauth[]` unchecked, in any encoding. So only what is used is checked.
 *
 * @returns undefined for input that git never writes and nobody should answer: a line without =, and a credential's
 *   attribute with invalid UTF-8, NUL or CR
 */
export function parseRequest(bytes: Uint8Array): Request | undefined {
  const values = new Map<string, string>();
  const listed = new Map<string, readonly string[]>(lists.map((list) => [list, []]));
  for (const line of Buffer.from(bytes).toString('latin1').split('\n')) {
    if (line === '') break;
    const [, name, raw = ''] = /^([^=]+)=(.*)$/s.exec(line) ?? [];
    if (name === undefined) return undefined;
    const list = name.endsWith('[]') ? listed.get(name.slice(0, -2)) : undefined;
    if (!list && !isName(name)) continue;
    const value = decode(raw);
    if (list && value !== undefined) listed.set(name.slice(0, -2), value === '' ? [] : [...list, value]);
    if (list) continue;
    if (value === undefined) return undefined;
    values.set(name, value);
  }
  return Object.fromEntries<string | readonly string[]>([...values, ...listed]) as unknown as Request;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @param raw one character a byte */
function decode(raw: string): string | undefined {
  try {
    const value = utf8.decode(Buffer.from(raw, 'latin1'));
    return breaksLine.test(value) ? undefined : value;
  } catch {
    return undefined;
  }
}

function isName(name: string): name is keyof Credential {
  return (names as readonly string[]).includes(name);
}

/**
 * Lines for git, always in the order that git needs.
 *
 * @param resource the name of the credential's parameter or secret, for the message
 * @throws CREDENTIAL_INVALID for a value that would need more than one line
 */
export function renderCredential(credential: Credential, resource: string): string {
  const lines = names.flatMap((name) => {
    const value = credential[name];
    if (value === undefined) return [];
    if (!breaksLine.test(value)) return [`${name}=${value}`];
    throw new Failure('CREDENTIAL_INVALID', `${resource}: its ${name} contains a line break or a NUL`, {
      hint: "store it again as one line; printf '%s' writes no line break at the end",
    });
  });
  // git ignores these attributes unless the helper announces the capability.
  const announced = credential.authtype === undefined ? [] : ['capability[]=authtype'];
  return [...announced, ...lines].map((line) => `${line}\n`).join('');
}

/**
 * Whether a stored credential matches the request: every attribute of the request has to be equal. The password is only
 * compared if exactly one credential is meant, as in `erase`.
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

/** Whether it has expired. As in git, an expiry that is not a number is ignored. */
export function isExpired({ password_expiry_utc: expiry }: Credential, nowSeconds: number): boolean {
  return expiry !== undefined && /^\d{1,15}$/.test(expiry) && Number(expiry) <= nowSeconds;
}
