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
  const ofKeys = hostsOf(configuration, 'key');
  const ofCredentials = routes.routes.flatMap(({ key, repositories }) =>
    repositories.map(({ host }) => ({ host, from: key.place })),
  );
  const found = configuration.entries.flatMap((entry) => {
    const [, base = '', kind = ''] = /^url\.(.*)\.(insteadof|pushinsteadof)$/s.exec(entry.name) ?? [];
    const { value: prefix = '' } = entry;
    if (kind === '' || prefix === '') return [];
    const [isHttps, wasHttps] = [base, prefix].map((text) => /^https?:/.test(text));
    if (isHttps === wasHttps && hostIn(base) === hostIn(prefix)) return [];
    const known = wasHttps ? ofCredentials : ofKeys;
    const served = known.find(({ host }) => hostIn(prefix) === host);
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

function hostsOf({ all, compiled }: Configuration, variable: string): { host: string; from: string }[] {
  const named = sectionsWith(all, variable).flatMap((section) => patternOf(section) ?? []);
  const byDefault = compiled.keys.some(({ pattern }) => !pattern)
    ? ['github.com', 'gitlab.com', 'bitbucket.org'].map((host) => ({ host, from: 'the default key' }))
    : [];
  return [
    ...named.map((pattern) => ({ host: pattern.host, from: `[ssm "${patternText(pattern)}"]` })),
    ...byDefault,
  ];
}
