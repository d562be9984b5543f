/** Checks a URL: the rule that serves it, the key of its host, and whether the repository can be read. */
import { hasTokenAlone } from '../../src/aws/web-identity.ts';
import { jobHelper } from '../../src/git/credential-cache.ts';
import { chooseRoute, requestFor, type Routes } from '../../src/host/credential-routes.ts';
import { isCached } from '../../src/host/settings.ts';
import type { KeyLine } from '../../src/keys/key-line.ts';
import { withoutEnds } from '../../src/keys/ends.ts';
import { patternText } from '../../src/keys/routes.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import type { SshQuestion } from '../explain/ssh.ts';
import { rewrittenUrl } from '../explain/surroundings.ts';
import { parseTarget } from '../explain/target.ts';
import type { Configuration } from './configuration.ts';
import { checkWinner } from './git-ssh-command.ts';
import { fail, failed, ok, skip, unchecked, warn, type Finding } from './finding.ts';
import { checkHostKey, knownHosts, readHostKeys } from './host-key.ts';
import { OwnPrograms } from './own-programs.ts';
import { tryHttps, trySsh } from './try-url.ts';
import { routesFor, type Routed, type UrlRoute } from './url-route.ts';
import { ofCommandLine } from './wanted.ts';

export interface UrlCheck {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly installation: string;
  readonly lines: readonly KeyLine[];
  readonly configuration: Configuration;
  readonly routes: Routes;
  /** `--region`, `--role-arn` and `--profile` as they were given. */
  readonly account: readonly string[];
}

export async function checkUrl(given: string, options: UrlCheck): Promise<Finding[]> {
  const url = await rewrittenUrl(given, options);
  const rewrite = url === given ? '' : ` (git replaces the URL with ${url})`;
  const names = {
    given,
    route: `route ${given}`,
    hostKey: `host key ${given}`,
    login: `repository ${given}`,
  };
  const [first, ...others] = await checkRewritten(url, names, options);
  return first ? [{ ...first, detail: `${first.detail}${rewrite}` }, ...others] : [];
}

interface Names {
  /** The URL for git, which rewrites it by itself. */
  readonly given: string;
  readonly route: string;
  readonly hostKey: string;
  readonly login: string;
}

async function checkRewritten(url: string, names: Names, options: UrlCheck): Promise<Finding[]> {
  const without = (first: Finding): Finding[] => [
    first,
    ...[names.hostKey, names.login].map((check) => unchecked(check, names.route)),
  ];
  try {
    const target = parseTarget(url);
    if (target.kind === 'https') return await checkHttps(url, names, options);
    if (target.kind === 'ssh') {
      const { agent } = new OwnPrograms(options.installation);
      const routed = await routesFor(target, { ...options, agent });
      return await checkSsh({ ...target, routed }, names, options);
    }
    const remedy = 'write https://, or an SSH URL';
    if (target.protocol === 'http')
      return [fail(names.route, 'http is not encrypted: no credential is given', remedy)];
    return without(fail(names.route, `git starts no ssh for ${target.protocol}://`, remedy));
  } catch (error) {
    options.signal.throwIfAborted();
    return without(failed(names.route, error));
  }
}

interface SshUrl extends SshQuestion {
  readonly routed: Routed;
}

async function checkSsh({ remote, routed }: SshUrl, names: Names, options: UrlCheck): Promise<Finding[]> {
  if (routed.isForeign) return foreignFindings(routed, names);
  const { configuration, env, signal } = options;
  const { knownHosts: file, strict } = configuration.compiled;
  const [route] = routed.routes;
  const hostKey = await checkHostKey({
    ...{ check: names.hostKey, remote, env, file, strict, signal },
    entries: configuration.entries,
  });
  const first = routeFinding({ routed, remote }, names.route, options);
  const untried = whyUntried({ hostKey, route }, names, options);
  if (untried) return [first, hostKey, untried];
  const known = await knownHosts((await readHostKeys(file)) ?? '', env);
  const login = await trySsh({
    ...{
      ...options,
      check: names.login,
      url: names.given,
      route,
      strict,
      account: accountOf(route, options),
    },
    knownHosts: known,
  });
  return [first, hostKey, login];
}

/** The command may have a key and host keys of its own, as that of actions/checkout has. */
function foreignFindings({ why }: Routed, { route, hostKey, login, given }: Names): Finding[] {
  const detail = 'git runs another command, which doctor does not start';
  const remedy = `git ls-remote -- ${quoteForShell(given)}`;
  return [ok(route, why), skip(hostKey, detail), skip(login, detail, remedy)];
}

/** @returns undefined if git can be asked */
function whyUntried(
  { hostKey, route }: { readonly hostKey: Finding; readonly route: UrlRoute | undefined },
  { login, given }: Names,
  { env, installation }: UrlCheck,
): Finding | undefined {
  if (hostKey.status === 'fail') return unchecked(login, hostKey.check);
  if (route?.from !== ofCommandLine || !hasTokenAlone(env)) return undefined;
  const { agent } = new OwnPrograms(installation);
  return skip(
    login,
    'not checked: exec would load the key of the command line, and has no credentials in a job with an OIDC token alone; without the key, the keys of the job are tried',
    `${agent} doctor --url ${quoteForShell(given)}`,
  );
}

function routeFinding(
  { routed, remote }: Pick<SshUrl, 'routed' | 'remote'>,
  check: string,
  { configuration, env, installation }: UrlCheck,
): Finding {
  const [route, ...others] = routed.routes;
  if (!route) {
    const detail = `no key of ours is for it: ${routed.why}`;
    if (configuration.compiled.keys.length === 0) return ok(check, detail);
    const { agent, ssh } = new OwnPrograms(installation);
    const winner = checkWinner({ configuration, env, ours: ssh });
    if (winner.status !== 'ok') return warn(check, detail, winner.remedy);
    const key = `REF ${patternText({ ...remote, path: withoutEnds(remote.path, '/').replace(/\.git$/, '') })}`;
    return warn(check, detail, `${agent} setup --global --key ${quoteForShell(key)}`);
  }
  const detail = `${route.name}, from ${route.from}`;
  if (others.length === 0) return ok(check, detail);
  const all = others.map(({ name, from }) => `${name}, from ${from}`).join('; ');
  return warn(
    check,
    `${detail}; and also ${all}: the host takes the first key that it knows`,
    'name one key for the repository',
  );
}

/** The place of the key, where the command line names none. */
function accountOf(route: UrlRoute | undefined, { account }: UrlCheck): string[] {
  const { region, roles = [], cache } = route?.place ?? {};
  const has = (option: string): boolean => account.includes(option);
  const isThrough = isCached({ cache, roles }) && !has('--role-arn') && !has('--profile');
  return [
    ...account,
    ...(isThrough && cache !== undefined ? ['--cache', cache] : []),
    ...(region !== undefined && !has('--region') ? ['--region', region] : []),
    ...(has('--role-arn') ? [] : roles.flatMap((role) => ['--role-arn', role])),
  ];
}

async function checkHttps(url: string, names: Names, options: UrlCheck): Promise<Finding[]> {
  const { named, warnings } = chooseRoute(options.routes.routes, requestFor(new URL(url), { path: true }));
  const { host, pathname: path, username } = new URL(url);
  const helper = jobHelper({ host, path, username }, options.configuration.entries);
  const login = await tryHttps({ ...options, check: names.login, url: names.given, helper });
  if (helper !== undefined)
    return [ok(names.route, 'the token of a GitHub App, from keys of the action'), login];
  if (named) return [ok(names.route, `${named.reference}, from ${named.place}`), login];
  const detail = ['no section names a credential for it', ...warnings].join('; ');
  return [skip(names.route, detail), login];
}
