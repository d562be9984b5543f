/** Checks whether git asks our credential helper, and tells it the path. Pure. */
import { helpersFor, isFor, isOurHelper, sendsPath } from '../../src/git/credential-settings.ts';
import { isTrue } from '../../src/git/listing.ts';
import type { Routes } from '../../src/host/credential-routes.ts';
import { patternText } from '../../src/keys/routes.ts';
import { shownCommand } from '../../src/keys/shown-text.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import type { Configuration } from './configuration.ts';
import { fail, ok, warn, type Finding } from './finding.ts';
import {
  addValue,
  allOf,
  placeOfSetting,
  replaceSetting,
  unsetSetting,
  type Environment,
  type PlacedSetting,
} from './setting-remedy.ts';

export interface HelperCheck {
  readonly configuration: Configuration;
  readonly routes: Routes;
  readonly env: Environment;
  /** The value of `credential.helper` for this installation. */
  readonly helper: string;
}

export function checkHelpers(check: HelperCheck): Finding[] {
  return credentialPlaces(check.routes).flatMap((place) => [order(place, check), ...paths(place, check)]);
}

/** The hosts for which a section names a credential: `github.com`, `git.example.com:8443`. */
export function credentialPlaces({ routes }: Routes): string[] {
  const patterns = routes.flatMap(({ repositories }) => repositories);
  const places = patterns.map(({ host, port }) =>
    patternText({ host, path: '', ...(port !== undefined && { port }) }),
  );
  return [...new Set(places)];
}

function order(place: string, { configuration, env, helper }: HelperCheck): Finding {
  const name = `credential helpers ${place}`;
  const settings = configuration.entries.filter((entry) => isFor({ host: place }, entry.name, 'helper'));
  const asked = helpersFor({ host: place }, settings);
  const at = asked.findIndex(isOurHelper);
  if (at === 0) return ok(name, 'git asks git-credential-ssm first');
  const remedy = asOnlyHelper(`credential.https://${place}.helper`, settings, { env, helper });
  if (at < 0) {
    const detail = `a section names a credential for ${place}, but git does not ask git-credential-ssm`;
    return fail(name, detail, remedy);
  }
  const others = asked.slice(0, at).map((other) => {
    const setting = settings.findLast(({ value }) => value === other);
    return `${shownCommand(other)}${setting ? ` (${placeOfSetting(setting)})` : ''}`;
  });
  const detail = `git asks ${others.join(' and ')} first, and may get another password there`;
  return warn(name, detail, remedy);
}

/** Where the last setting for the host is, because later ones count. An empty value removes the helpers before it. */
function asOnlyHelper(
  name: string,
  settings: readonly PlacedSetting[],
  { env, helper }: Pick<HelperCheck, 'env' | 'helper'>,
): string {
  const last = settings.at(-1);
  if (last === undefined) return `git config --global --add ${quoteForShell(name)} ${quoteForShell(helper)}`;
  if (last.value === '') return addValue(last, helper, env);
  const own = { ...last, name };
  if (last.scope === 'command') return unsetSetting(last, env);
  return allOf([replaceSetting(own, '', env), addValue(own, helper, env)]);
}

function paths(place: string, { configuration, routes, env }: HelperCheck): Finding[] {
  const name = `useHttpPath ${place}`;
  const needsPath = routes.routes.some(({ repositories }) =>
    repositories.some((pattern) => pattern.path !== '' && patternText({ ...pattern, path: '' }) === place),
  );
  if (!needsPath) return [];
  const { entries } = configuration;
  if (sendsPath({ host: place }, entries)) return [ok(name, 'git says for which repository it asks')];
  const detail = `a section names only a part of ${place}, but git does not say for which repository it asks`;
  const wrong = entries.filter(
    ({ name: setting, value }) => isFor({ host: place }, setting, 'usehttppath') && !isTrueText(value),
  );
  const variable = quoteForShell(`credential.https://${place}.useHttpPath`);
  const remedy = allOf([
    ...wrong.map((setting) => unsetSetting(setting, env)),
    `git config --global --replace-all ${variable} true`,
  ]);
  return [fail(name, detail, remedy)];
}

/** A setting without a value is an error for git. */
function isTrueText(value: string | undefined): boolean {
  return value !== undefined && isTrue(value);
}
