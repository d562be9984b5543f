/** Checks a URL: the rule that serves it, the key of its host, and whether the repository can be read. */
import { run } from '../../src/process/run.ts';
import { chooseRoute, type Routes } from '../../src/host/credential-routes.ts';
import type { KeyLine } from '../../src/keys/key-line.ts';
import type { Configuration } from './configuration.ts';
import { fail, failed, ok, skip, warn, type Finding } from './finding.ts';
import { checkHostKey, knownHosts } from './host-key.ts';
import { tryHttps, trySsh } from './try-url.ts';
import { isHttps, remoteOf, routesFor, type UrlRoute } from './url-route.ts';
import { readFile } from 'node:fs/promises';

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
  const url = await rewritten(given, options);
  const rewrite = url === given ? '' : ` (git replaces the URL with ${url})`;
  const names = { route: `route ${given}`, hostKey: `host key ${given}`, login: `repository ${given}` };
  const findings = isHttps(url) ? checkHttps(url, names, options) : checkSsh(url, names, options);
  const [first, ...others] = await findings;
  return first ? [{ ...first, detail: `${first.detail}${rewrite}` }, ...others] : [];
}

interface Names {
  readonly route: string;
  readonly hostKey: string;
  readonly login: string;
}

/** By the rules of url.*.insteadOf. It connects to nothing (git-ls-remote(1), --get-url). */
async function rewritten(url: string, { env, signal }: UrlCheck): Promise<string> {
  const known = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const argv = ['git', 'ls-remote', '--get-url', '--', url] as const;
  const { exitCode, stdout } = await run(argv, { env: Object.fromEntries(known), signal });
  return (exitCode === 0 && stdout.trim()) || url;
}

async function checkSsh(url: string, names: Names, options: UrlCheck): Promise<Finding[]> {
  const { configuration, env, signal } = options;
  const { knownHosts: file, strict } = configuration.compiled;
  let remote;
  try {
    remote = remoteOf(url);
  } catch (error) {
    const why = `not checked, because this check did not succeed: ${names.route}`;
    return [failed(names.route, error), skip(names.hostKey, why), skip(names.login, why)];
  }
  const [route, ...others] = routesFor(remote, { ...options, ...configuration });
  const hostKey = await checkHostKey({ check: names.hostKey, remote, env, file, strict, signal });
  const first = routeFinding(names.route, { route, others, hasKeys: configuration.compiled.keys.length > 0 });
  if (hostKey.status === 'fail')
    return [
      first,
      hostKey,
      skip(names.login, `not checked, because this check did not succeed: ${names.hostKey}`),
    ];
  const ofSettings = file === '' ? '' : await readFile(file, 'utf8').catch(() => '');
  const known = await knownHosts(ofSettings, env);
  const login = await trySsh({
    ...{ ...options, check: names.login, url, remote, route, strict, account: accountOf(route, options) },
    knownHosts: known,
  });
  return [first, hostKey, login];
}

function routeFinding(
  check: string,
  { route, others, hasKeys }: { route: UrlRoute | undefined; others: readonly UrlRoute[]; hasKeys: boolean },
): Finding {
  if (!route) {
    const detail = 'no key of ours is for it: plain ssh, with the agent of this session';
    return hasKeys
      ? warn(check, detail, "ssm-ssh-agent setup --global --key 'REF HOST/OWNER/REPOSITORY'")
      : ok(check, detail);
  }
  const detail = `${route.reference}, from ${route.from}`;
  if (others.length === 0) return ok(check, detail);
  const all = others.map(({ reference, from }) => `${reference}, from ${from}`).join('; ');
  return warn(
    check,
    `${detail}; and also ${all}: the host takes the first key that it knows`,
    'name one key for the repository',
  );
}

/** The place of the key, where the command line names none. */
function accountOf(route: UrlRoute | undefined, { account }: UrlCheck): string[] {
  const { region, roles = [] } = route?.place ?? {};
  const has = (option: string): boolean => account.includes(option);
  return [
    ...account,
    ...(region !== undefined && !has('--region') ? ['--region', region] : []),
    ...(has('--role-arn') ? [] : roles.flatMap((role) => ['--role-arn', role])),
  ];
}

async function checkHttps(url: string, names: Names, options: UrlCheck): Promise<Finding[]> {
  const { protocol, host, pathname, username } = new URL(url);
  if (protocol !== 'https:') {
    const remedy = 'write https://, or an SSH URL';
    return [fail(names.route, 'http is not encrypted: no credential is given', remedy)];
  }
  const request = { protocol: 'https', host, path: pathname.slice(1), ...(username && { username }) };
  const { named, warnings } = chooseRoute(options.routes.routes, request);
  const login = await tryHttps({ ...options, check: names.login, url });
  if (named) return [ok(names.route, `${named.reference}, from ${named.place}`), login];
  const detail = ['no section names a credential for it', ...warnings].join('; ');
  return [skip(names.route, detail), login];
}
