/** Explains which credential git gets for an HTTPS URL. */
import { isProtected, settingsIn } from '../../src/git/listing.ts';
import { chooseRoute, readRoutes, type CredentialRoute } from '../../src/host/credential-routes.ts';
import { passedSettings, type OfferedKey, type PassedOver, type Source } from '../../src/host/explain.ts';
import { matchRoutes, patternText } from '../../src/keys/routes.ts';
import type { Explanation } from './explanation.ts';
import { askGit, listPlaced, type Asking, type PlacedListing } from './surroundings.ts';

type Part = Omit<Explanation, 'asked' | 'rewritten'>;

const httpsPort = 443;

export async function explainHttps(url: URL, asking: Asking): Promise<Part> {
  const bare = `https://${url.host}${url.pathname}`;
  const ask = async (name: string): Promise<string> =>
    (await askGit(['config', '--get-urlmatch', name, bare], asking)) ?? '';
  const [listing, pathSetting, helper] = await Promise.all([
    listPlaced('^ssm\\.', asking),
    ask('credential.useHttpPath'),
    ask('credential.helper'),
  ]);
  const sendsPath = /^(true|yes|on|1)$/i.test(pathSetting);
  const { routes, warnings } = readRoutes(settingsIn(listing.entries.filter(isProtected)), asking.env);
  const path = decodeURIComponent(url.pathname.slice(1));
  const username = url.username === '' ? {} : { username: decodeURIComponent(url.username) };
  const request = { protocol: 'https', host: url.host, ...(sendsPath && { path }), ...username };
  const { named, warnings: more } = chooseRoute(routes, request);
  const key = named && offeredBy(routes, named, listing);
  const asked = asksUs(helper);
  const where = `${url.host}${sendsPath ? url.pathname.replace(/\.git$/, '') : ''}`;
  return {
    kind: 'https',
    offered: key !== undefined && asked,
    answer: answerFor({ key, helper, asked, where }),
    why: named ? `${named.place} names it` : 'no section names it',
    keys: key && asked ? [key] : [],
    passedOver: [...passedRoutes(routes, key, { listing, host: url.host, path }), ...ignored(listing)],
    notes: [
      sendsPath
        ? 'git sends the path: credential.useHttpPath is true for this URL'
        : 'git does not send the path, so only sections of whole hosts match: credential.useHttpPath is not true for this URL',
      ...warnings,
      ...more,
    ],
  };
}

/** `ssm`, `ssm --store-prefix …`, or the path of git-credential-ssm. */
function asksUs(helper: string): boolean {
  return /(^!?|[/\s])(git-credential-)?ssm(\s|'|"|$)/.test(helper);
}

interface Answer {
  readonly key: OfferedKey | undefined;
  readonly helper: string;
  readonly asked: boolean;
  readonly where: string;
}

function answerFor({ key, helper, asked, where }: Answer): string {
  if (!asked) {
    const other = helper === '' ? 'no credential helper' : `"${helper}"`;
    return `no credential of AWS is offered for ${where}: git asks ${other}, not git-credential-ssm`;
  }
  if (!key) return `no credential of AWS is offered for ${where}`;
  return `the credential ${key.reference ?? ''} is offered for ${where}`;
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
  { listing, host, path }: { listing: PlacedListing; host: string; path: string },
): PassedOver[] {
  const [name = '', port] = host.split(':');
  const remote = { host: name, path, ...(port !== undefined && { port: Number(port) }) };
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
