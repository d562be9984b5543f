/** Which credential helpers git asks, and what it tells them (gitcredentials(7), "CONFIGURATION OPTIONS"). Pure. */
import { withoutEnd } from '../keys/ends.ts';
import { quoteForShell } from '../process/quote.ts';
import { isTrue, type ScopedSetting } from './listing.ts';

/** A repository by HTTPS, or every repository of a host. */
export interface HttpsPlace {
  /** `github.com`, `git.example.com:8443` or `*.example.com` */
  readonly host: string;
  /** Of the URL: `/acme/lib.git`. Absent: every repository. */
  readonly path?: string;
  readonly username?: string;
}

type Entry = Pick<ScopedSetting, 'name' | 'value'>;

/** In git's order. An empty value clears the list. */
export function helpersFor(place: HttpsPlace, entries: readonly Entry[]): string[] {
  const values = entries.filter(({ name }) => isFor(place, name, 'helper')).map(({ value = '' }) => value);
  return values.slice(values.lastIndexOf('') + 1);
}

/**
 * Whether git tells helpers the path. The last setting counts, also if another one is for a longer URL. A setting without a
 * value is an error for git.
 *
 * @source git's credential.c, credential_config_callback()
 */
export function sendsPath(place: HttpsPlace, entries: readonly Entry[]): boolean {
  const last = entries.findLast(({ name }) => isFor(place, name, 'usehttppath'))?.value;
  return last !== undefined && isTrue(last);
}

/** Whether the helper is git-credential-ssm, of whatever installation. */
export function isOurHelper(helper: string): boolean {
  return /(^!?|[\s/'"])git-credential-ssm(['"]|\s|$)/.test(helper) || /^ssm(\s|$)/.test(helper);
}

/**
 * The value of `credential.helper` for the program at this path. git runs a value that begins with a slash as a command. A
 * quoted path has to begin with `!` (gitcredentials(7)).
 */
export function helperOf(path: string): string {
  const quoted = quoteForShell(path);
  return quoted === path ? path : `!${quoted}`;
}

/** Whether it is a setting `credential.*` of this variable that counts for the place. */
export function isFor(place: HttpsPlace, name: string, variable: string): boolean {
  if (name === `credential.${variable}`) return true;
  if (!name.startsWith('credential.') || !name.endsWith(`.${variable}`)) return false;
  return covers(name.slice('credential.'.length, -variable.length - 1), place);
}

/** @source gitcredentials(7), "CREDENTIAL CONTEXTS"; git-config(1), http.<url>.* */
function covers(scope: string, place: HttpsPlace): boolean {
  if (!URL.canParse(scope)) return false;
  const { protocol, host, pathname, username } = new URL(scope);
  if (protocol !== 'https:' || (username !== '' && username !== place.username)) return false;
  const path = `${withoutEnd(pathname, '/')}/`;
  if (path !== '/' && !`${place.path ?? ''}/`.startsWith(path)) return false;
  const wanted = place.host.toLowerCase().replace(/:443$/, '');
  // git's * matches one label.
  return host === wanted || (host.startsWith('*.') && wanted.split('.').slice(1).join('.') === host.slice(2));
}
