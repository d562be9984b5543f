/** Checks the settings `ssm.*` themselves: sections that name nothing, and values that cannot be read. Pure. */
import { isProtected } from '../../src/git/listing.ts';
import { isIgnored } from '../../src/host/compile.ts';
import type { Routes } from '../../src/host/credential-routes.ts';
import { patternOf } from '../../src/host/settings.ts';
import type { Configuration } from './configuration.ts';
import { ok, warn, type Finding } from './finding.ts';
import { allOf, removeSection, unsetSetting, unsetSettings, type Environment } from './setting-remedy.ts';

export interface SectionCheck {
  readonly configuration: Configuration;
  readonly routes: Routes;
  readonly env: Environment;
}

/** Sections that name no repository, and settings in the wrong place. */
export function checkSections({ configuration, routes, env }: SectionCheck): Finding {
  const name = 'ssm sections';
  const all = new Set([...configuration.compiled.warnings, ...routes.warnings]);
  if (all.size === 0) return ok(name, 'each section names a repository, or there is none');
  const { entries } = configuration;
  const nameless = entries.filter((entry) => {
    const [, section] = /^ssm\.(.+)\.(?:key|credential)$/s.exec(entry.name) ?? [];
    return section !== undefined && patternOf(section) === undefined;
  });
  const { keys } = configuration.compiled;
  // Another section names the same repository, with a key in another agent.
  const rivals = entries.filter((entry) => {
    const [, section] = /^ssm\.(.+)\.key$/s.exec(entry.name) ?? [];
    if (section === undefined || !entry.value || patternOf(section) === undefined) return false;
    return isProtected(entry) && !keys.some((key) => key.section === section);
  });
  const misplaced = entries.filter((entry) => entry.name === 'ssm.credential' && isProtected(entry));
  const withoutHost = env['SSM_SSH_CREDENTIAL'] && !env['SSM_SSH_CREDENTIAL_HOST'];
  const remedy = allOf([
    ...nameless.map((entry) => removeSection(entry, env)),
    ...rivals.map((entry) => unsetSetting(entry, env)),
    ...misplaced.map((entry) => unsetSetting(entry, env)),
    ...(withoutHost ? ['export SSM_SSH_CREDENTIAL_HOST=HOST'] : []),
  ]);
  return warn(name, [...all].join('; '), remedy);
}

/** What the repository's own configuration must not choose. */
export function checkIgnored({ configuration, env }: SectionCheck): Finding {
  const name = 'ignored settings';
  const { compiled, entries } = configuration;
  const credentials = entries.filter(
    (entry) => !isProtected(entry) && /^ssm\..*\.?(credential|username)$/s.test(entry.name),
  );
  const all = [
    ...compiled.ignored,
    ...new Set(credentials.map((entry) => `ssm.*.${entry.name.split('.').at(-1) ?? ''}`)),
  ];
  if (all.length === 0) return ok(name, "the repository's own configuration sets nothing that is ignored");
  const detail = `the repository's own configuration sets ${all.join(', ')}, which is ignored there: if you need it, write it with git config --global or --system`;
  return warn(name, detail, unsetSettings([...entries.filter(isIgnored), ...credentials], env));
}
