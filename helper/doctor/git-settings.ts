/** Checks the settings and variables that take precedence over ssm-ssh, or prevent it. Pure. */
import { helpersFor, isOurHelper, sendsPath } from '../../src/git/credential-settings.ts';
import { isProtected } from '../../src/git/listing.ts';
import type { Routes } from '../../src/host/credential-routes.ts';
import { patternOf, sectionsWith, settingsOf } from '../../src/host/settings.ts';
import { quoted, quoteForShell } from '../../src/process/quote.ts';
import { patternText } from '../../src/keys/routes.ts';
import type { Configuration } from './configuration.ts';
import { fail, failed, ok, warn, type Finding } from './finding.ts';
import { isOurCommand, sshCommandOf } from './ssh-command.ts';
import { parseRegion, parseRoles } from '../command-line/settings.ts';
import { parseLifetime } from '../../src/keys/lifetime.ts';
import { invalid } from '../command-line/parse.ts';
import { parseWay } from '../proxy/way.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface GitCheck {
  readonly configuration: Configuration;
  readonly routes: Routes;
  readonly env: Environment;
  /** The ssh command of this installation, as a word of sh. */
  readonly ours: string;
}

export function checkGitSettings(check: GitCheck): Finding[] {
  return [
    winner(check),
    variant(check),
    ...rewrites(check),
    ...helpers(check),
    sections(check),
    ignored(check),
    values(check),
  ];
}

/** Whether git runs ssm-ssh at all. */
function winner({ configuration, env, ours }: GitCheck): Finding {
  const name = 'git ssh command';
  const { all, compiled } = configuration;
  const { from, command } = sshCommandOf(all, env);
  if (isOurCommand(command)) return ok(name, `git runs ssm-ssh (${from})`);
  if (compiled.keys.length === 0) return ok(name, `git runs ${command}: no key is configured`);
  if (from === 'GIT_SSH_COMMAND' || from === 'GIT_SSH') {
    const detail = `${from} is ${command}, which takes precedence: git does not run ssm-ssh`;
    return warn(name, detail, `unset ${from}, or export GIT_SSH_COMMAND=${ours}`);
  }
  if (from === 'ssh') {
    const detail = 'keys are configured, but git runs plain ssh';
    return fail(name, detail, `git config --global core.sshCommand ${ours}, or run ssm-ssh-agent setup`);
  }
  const own = configuration.entries.filter((entry) => entry.name === 'core.sshcommand').at(-1);
  const inRepository = own !== undefined && !isProtected(own);
  const where = inRepository ? 'of this repository ' : '';
  const undo = inRepository
    ? 'git config --local --unset core.sshCommand'
    : `git config --global core.sshCommand ${ours}`;
  return warn(name, `core.sshCommand ${where}is ${command}: git does not run ssm-ssh`, undo);
}

/** @source git-config(1), ssh.variant: `simple` passes no port and no option, plink and putty have others */
function variant({ configuration, env }: GitCheck): Finding {
  const name = 'ssh.variant';
  const [from, value] = env['GIT_SSH_VARIANT']
    ? ['GIT_SSH_VARIANT', env['GIT_SSH_VARIANT']]
    : ['ssh.variant', configuration.all.get('ssh.variant')?.at(-1) ?? ''];
  if (['', 'auto', 'ssh'].includes(value)) return ok(name, value === '' ? 'not set: git finds it' : value);
  const remedy =
    from === 'ssh.variant' ? 'git config --global ssh.variant ssh' : 'export GIT_SSH_VARIANT=ssh';
  return fail(name, `${from} is ${value}: git passes the arguments of another program to ssm-ssh`, remedy);
}

/** @source git-config(1), url.BASE.insteadOf */
function rewrites({ configuration, routes }: GitCheck): Finding[] {
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
    const scope = isProtected(entry) ? '--global' : '--local';
    const detail = `git replaces ${prefix} with ${base}: what ${served.from} names for ${served.host} is not used`;
    return [
      warn(
        name,
        detail,
        `git config ${scope} --unset-all ${quoteForShell(`url.${base}.${kind === 'insteadof' ? 'insteadOf' : 'pushInsteadOf'}`)}`,
      ),
    ];
  });
  return found.length > 0
    ? found
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

/** The hosts for which a section names a credential: `github.com`, `git.example.com:8443`. */
export function credentialPlaces({ routes }: Routes): string[] {
  const patterns = routes.flatMap(({ repositories }) => repositories);
  const places = patterns.map(({ host, port }) =>
    patternText({ host, path: '', ...(port !== undefined && { port }) }),
  );
  return [...new Set(places)];
}

function helpers({ configuration, routes }: GitCheck): Finding[] {
  return credentialPlaces(routes).flatMap((place) => {
    const listed = helpersFor({ host: place }, configuration.entries);
    const name = `credential helpers ${place}`;
    const setting = `credential.https://${place}`;
    const at = listed.findIndex(isOurHelper);
    const order =
      at < 0
        ? fail(
            name,
            `a section names a credential for ${place}, but git does not ask git-credential-ssm`,
            `git config --global --add ${setting}.helper ssm, or run ssm-ssh-agent setup --credential`,
          )
        : at > 0
          ? warn(
              name,
              `git asks ${listed.slice(0, at).join(' and ')} first, and may get another password there`,
              `clear the list first: git config --global --replace-all ${setting}.helper '' && git config --global --add ${setting}.helper ${quoted(listed[at] ?? '')}`,
            )
          : ok(name, 'git asks git-credential-ssm first');
    return [order, ...paths(place, { configuration, routes })];
  });
}

function paths(
  place: string,
  { configuration, routes }: Pick<GitCheck, 'configuration' | 'routes'>,
): Finding[] {
  const name = `useHttpPath ${place}`;
  const needsPath = routes.routes.some(({ repositories }) =>
    repositories.some((pattern) => pattern.path !== '' && patternText({ ...pattern, path: '' }) === place),
  );
  if (!needsPath) return [];
  if (sendsPath({ host: place }, configuration.entries))
    return [ok(name, 'git says for which repository it asks')];
  const detail = `a section names only a part of ${place}, but git does not say for which repository it asks`;
  return [fail(name, detail, `git config --global credential.https://${place}.useHttpPath true`)];
}

/** Sections that name no repository, and settings in the wrong place. */
function sections({ configuration, routes }: GitCheck): Finding {
  const name = 'ssm sections';
  const all = [...configuration.compiled.warnings, ...routes.warnings];
  const [first] = all;
  if (first === undefined) return ok(name, 'each section names a repository, or there is none');
  const remedy =
    'write [ssm "HOST/OWNER/REPOSITORY"]: git config --global --rename-section, or --remove-section';
  return warn(
    name,
    [...new Set(all)].join('; '),
    first.startsWith('ssm.credential')
      ? 'git config --global --unset ssm.credential, and write it in a section: ssm.HOST/OWNER.credential'
      : remedy,
  );
}

/** What the repository's own configuration must not choose. */
function ignored({ configuration }: GitCheck): Finding {
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
  const detail = `the repository's own configuration sets ${all.join(', ')}, which is ignored there`;
  return warn(
    name,
    detail,
    'write it with git config --global or --system, and remove it with git config --local --unset NAME',
  );
}

/** The values themselves, as the programs would read them. */
function values({ configuration, env }: GitCheck): Finding {
  const name = 'ssm settings';
  const { compiled, trusted } = configuration;
  try {
    for (const { place, lifetime } of [{ place: settingsOf(trusted, env), lifetime: '' }, ...compiled.keys]) {
      parseRegion(place.region, 'ssm.region (SSM_SSH_REGION)');
      parseRoles(place.roles, 'ssm.roleArn (SSM_SSH_ROLE_ARN)');
      checkDuration(place.timeout, 'ssm.timeout (SSM_SSH_TIMEOUT)');
      if (lifetime !== '') checkDuration(lifetime, 'ssm.keyLifetime (SSM_SSH_KEY_LIFETIME)');
      parseWay(place.via, 'ssm.via (SSM_SSH_VIA)');
    }
    if (!['', 'yes', 'accept-new', 'no'].includes(compiled.strict))
      throw invalid(
        `ssm.strictHostKeyChecking cannot be "${compiled.strict}"`,
        'write yes, accept-new or no',
      );
    if (compiled.strict !== 'no') return ok(name, 'all values can be read');
    return warn(
      name,
      'ssm.strictHostKeyChecking is no: anybody in the network can take the place of a host',
      'git config --global ssm.strictHostKeyChecking yes',
    );
  } catch (error) {
    return failed(name, error);
  }
}

function checkDuration(text: string, setting: string): void {
  if (parseLifetime(text) === undefined)
    throw invalid(`${setting} is not a duration: "${text}"`, 'write 90s, 15m, 1h, or a number of seconds');
}
