/** Checks the rules of git that lead a URL away from the host that a section names. Pure. */
import type { Routes } from '../../src/host/credential-routes.ts';
import { patternOf, sectionsWith } from '../../src/host/settings.ts';
import { patternText } from '../../src/keys/routes.ts';
import type { Configuration } from './configuration.ts';
import { ok, warn, type Finding } from './finding.ts';
import { placeOfSetting, unsetValue, type Environment } from './setting-remedy.ts';

export interface RewriteCheck {
  readonly configuration: Configuration;
  readonly routes: Routes;
  readonly env: Environment;
}

/** @source git-config(1), url.BASE.insteadOf */
export function checkRewrites({ configuration, routes, env }: RewriteCheck): Finding[] {
  const name = 'insteadOf';
  const [ofKeys, ofDefaults] = [ofSections(configuration), ofDefaultKeys(configuration)];
  const ofCredentials = routes.routes.flatMap(({ key, repositories }) =>
    repositories.map(({ host, path }) => ({ host, path, from: key.place })),
  );
  const found = configuration.entries.flatMap((entry) => {
    const [, base = '', kind = ''] = /^url\.(.*)\.(insteadof|pushinsteadof)$/s.exec(entry.name) ?? [];
    const { value: prefix = '' } = entry;
    if (kind === '' || prefix === '') return [];
    const [isHttps, wasHttps] = [base, prefix].map((text) => /^https?:/.test(text));
    if (isHttps === wasHttps && hostIn(base) === hostIn(prefix)) return [];
    // ssm-ssh offers the default keys to every host.
    const known = wasHttps ? ofCredentials : isHttps ? [...ofKeys, ...ofDefaults] : ofKeys;
    const served = known.find((one) => isOf(one, prefix));
    if (!served) return [];
    const detail = `git replaces ${prefix} with ${base} (${placeOfSetting(entry)}): what ${served.from} names for ${served.host} is not used`;
    return [warn(name, detail, unsetValue(entry, env))];
  });
  const unique = [...new Map(found.map((finding) => [finding.remedy, finding])).values()];
  return unique.length > 0
    ? unique
    : [ok(name, 'no rule of url.*.insteadOf leads away from the configured hosts')];
}

/** Of a URL, of its beginning, or of `git@host:`. */
function hostIn(text: string): string {
  const [, host = ''] = /^(?:[a-z+]+:\/\/)?(?:[^@/]*@)?([^/:]+)/i.exec(text) ?? [];
  return host.toLowerCase();
}

interface Served {
  readonly host: string;
  /** Lower case; empty for every repository of the host. */
  readonly path: string;
  readonly from: string;
}

/** Whether the rule is for a URL that the section serves. git compares the text alone: `git@github.com:ac` is for acme, too. */
function isOf({ host, path }: Served, prefix: string): boolean {
  if (hostIn(prefix) !== host) return false;
  const [, behind = ''] = /^(?:[a-z+]+:\/\/[^/]*|[^:/]*:?)\/*(.*)$/is.exec(prefix) ?? [];
  const replaced = behind.toLowerCase().replace(/\.git$/, '');
  const section = `${path.toLowerCase()}/`;
  return path === '' || section.startsWith(replaced) || replaced.startsWith(section);
}

function ofSections({ all }: Configuration): Served[] {
  return sectionsWith(all, 'key')
    .flatMap((section) => patternOf(section) ?? [])
    .map((pattern) => ({ ...pattern, from: `[ssm "${patternText(pattern)}"]` }));
}

function ofDefaultKeys({ compiled }: Configuration): Served[] {
  if (compiled.keys.every(({ pattern }) => pattern)) return [];
  const hosts = ['github.com', 'gitlab.com', 'bitbucket.org'];
  return hosts.map((host) => ({ host, path: '', from: 'the default key' }));
}
