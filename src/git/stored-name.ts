/** Where a git credential is stored: PREFIX/https/HOST/USER/PATH, one parameter for each, found by folder. Pure. */
import { createHash } from 'node:crypto';
import { Failure } from '../errors.ts';
import type { Credential } from './credential.ts';

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

/** In the place of a user name: no text is encoded so. */
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
