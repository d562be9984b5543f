/** Explains which credential git gets for an HTTPS URL. */
import { jobHelper } from '../../src/git/credential-cache.ts';
import {
  helpersFor,
  isFor,
  isOurHelper,
  sendsPath,
  type HttpsPlace,
} from '../../src/git/credential-settings.ts';
import { isProtected, settingsIn } from '../../src/git/listing.ts';
import {
  chooseRoute,
  readRoutes,
  requestFor,
  type CredentialRoute,
} from '../../src/host/credential-routes.ts';
import { passedSettings, type OfferedKey, type PassedOver, type Source } from '../../src/host/explain.ts';
import { matchRoutes, patternText } from '../../src/keys/routes.ts';
import { decoded } from '../../src/keys/url-text.ts';
import { shownCommand } from '../../src/keys/shown-text.ts';
import { textOf, type Explanation } from './explanation.ts';
import { listPlaced, type Asking, type PlacedListing } from './surroundings.ts';

type Part = Omit<Explanation, 'asked' | 'rewritten'>;

const httpsPort = 443;

export async function explainHttps(url: URL, asking: Asking): Promise<Part> {
  const listing = await listPlaced('^(ssm|credential)\\.', asking);
  const { routes, warnings } = readRoutes(settingsIn(listing.entries.filter(isProtected)), asking.env);
  const { host, pathname, username } = url;
  const place = { host, path: pathname, username };
  const isSent = sendsPath(place, listing.entries);
  const helpers = helpersFor(place, listing.entries);
  const where = `${host}${isSent ? pathname.replace(/\.git$/, '') : ''}`;
  if (jobHelper(place, listing.entries) !== undefined) return ofJob(where);
  const { named, warnings: more } = chooseRoute(routes, requestFor(url, { path: isSent }));
  const key = named && offeredBy(routes, named, listing);
  const isAsked = helpers.some(isOurHelper);
  const others = helpers
    .slice(0, isAsked ? helpers.findIndex(isOurHelper) : helpers.length)
    .map((helper) => placedHelper(helper, place, listing));
  return {
    kind: 'https',
    offered: key !== undefined && isAsked,
    answer: answerFor({ key, isAsked, others, where }),
    why: named ? `${named.place} names it` : 'no section names it',
    keys: key && isAsked ? [key] : [],
    passedOver: [...passedRoutes(routes, key, { listing, url }), ...ignored(listing)],
    notes: [
      isSent
        ? 'git sends the path: credential.useHttpPath is true for this URL'
        : 'git does not send the path, so only sections of whole hosts match: credential.useHttpPath is not true for this URL',
      ...(isAsked ? askedFirst(others) : []),
      ...warnings,
      ...more,
    ],
  };
}

/** In a job. The line of `keys` is not known here: git's configuration has the place of the token. */
function ofJob(where: string): Part {
  return {
    ...{ kind: 'https', offered: true, keys: [], passedOver: [], notes: [] },
    answer: `the token of a GitHub App is offered for ${where}`,
    why: 'a line of keys with as=github-app names it, and the action takes precedence over other helpers',
  };
}

interface Answer {
  readonly key: OfferedKey | undefined;
  readonly isAsked: boolean;
  /** The helpers that git asks before ours, as they may be shown. */
  readonly others: readonly string[];
  readonly where: string;
}

function answerFor({ key, isAsked, others, where }: Answer): string {
  if (!isAsked) {
    const asked = others.length === 0 ? 'no credential helper' : others.join(' and ');
    return `no credential of AWS is offered for ${where}: git asks ${asked}, not git-credential-ssm`;
  }
  if (!key) return `no credential of AWS is offered for ${where}`;
  return `the credential ${key.reference ?? ''} is offered for ${where}`;
}

/** git stops at the first helper that knows a password. */
function askedFirst(others: readonly string[]): string[] {
  return others.length === 0
    ? []
    : [`git asks ${others.join(' and ')} first, and may get another password there`];
}

/** A helper may have a password in its text: only its program is shown, and its place. */
function placedHelper(helper: string, place: HttpsPlace, { entries, sources }: PlacedListing): string {
  const index = entries.findLastIndex(({ name, value }) => value === helper && isFor(place, name, 'helper'));
  const source = sources[index];
  return `${shownCommand(helper)}${source ? ` (${textOf(source)})` : ''}`;
}

function offeredBy(
  routes: readonly CredentialRoute[],
  named: CredentialRoute['key'],
  listing: PlacedListing,
): OfferedKey {
  const route = routes.find(({ key }) => key === named);
  const [pattern] = route?.repositories ?? [];
  return {
    ...{ reference: named.reference, fingerprint: undefined },
    repository: pattern && patternText(pattern),
    source: sourceOf(named, listing),
  };
}

/** The place of a route is its section, or the variable. */
function sourceOf({ place }: CredentialRoute['key'], { entries, sources }: PlacedListing): Source {
  const [, section] = /^\[ssm "(.*)"\]$/s.exec(place) ?? [];
  if (section === undefined) return { name: place, scope: 'environment' };
  const name = `ssm.${section}.credential`;
  const index = entries.findLastIndex((entry) => entry.name === name && isProtected(entry));
  return sources[index] ?? { name, scope: 'unknown' };
}

function passedRoutes(
  routes: readonly CredentialRoute[],
  chosen: OfferedKey | undefined,
  { listing, url }: { readonly listing: PlacedListing; readonly url: URL },
): PassedOver[] {
  const { hostname, port, pathname } = url;
  const host = hostname.replace(/^\[|\]$/g, '');
  const remote = { host, path: decoded(pathname.slice(1)), ...(port !== '' && { port: Number(port) }) };
  return routes.flatMap((route) => {
    const source = sourceOf(route.key, listing);
    if (chosen && source.name === chosen.source.name) return [];
    const isFor = matchRoutes([route], remote, httpsPort).length > 0;
    const why = !isFor
      ? 'it names something else'
      : chosen
        ? 'it is less specific, or another value of the same pattern counts'
        : 'it does not match what git tells a helper: see useHttpPath and the user name';
    return [{ what: route.key.reference, source, why }];
  });
}

function ignored({ entries, sources }: PlacedListing): PassedOver[] {
  const credentials = entries.map((entry) =>
    entry.name.endsWith('.credential') ? entry : { ...entry, name: '' },
  );
  return passedSettings(credentials, sources, (entry) =>
    isProtected(entry) ? undefined : "a repository's own configuration never counts for credentials",
  );
}
