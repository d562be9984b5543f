/** The checks of doctor, in the order of the data flow. Importing this file loads the AWS SDK. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jobRoleFile, readJobRole } from '../../src/host/job-role.ts';
import { sectionOfHost } from '../../src/host/ec2-places.ts';
import { settingsOf } from '../../src/host/settings.ts';
import { userOf } from '../../src/host/state-folder.ts';
import type { Voice } from '../../src/host/voice.ts';
import type { KeyLine } from '../../src/keys/key-line.ts';
import { partitionOf, stsAudience } from '../../src/keys/partition.ts';
import { folderOfCommand } from '../../src/ssh/key-folder.ts';
import { checkAgents } from './agent.ts';
import { AwsAccess } from './aws-access.ts';
import { credentialRoutes, readConfiguration, withoutGit, type Configuration } from './configuration.ts';
import {
  checkCredentials,
  checkCredentialVariables,
  checkIdentity,
  checkRegion,
  checkRoles,
} from './credentials.ts';
import { endpointOf, type Service } from './endpoints.ts';
import { failed, needs, ok, skip, type Finding } from './finding.ts';
import { credentialPlaces } from './git-credential-helpers.ts';
import { checkGitSettings } from './git-settings.ts';
import { checkHost, parseTarget } from './hosts.ts';
import { jobLinesOf } from './job-lines.ts';
import { checkInstallation, checkStarted, type Installed } from './installation.ts';
import { asNodeReads, checkClock, checkProxySupport, probe } from './network.ts';
import { checkOidc } from './oidc.ts';
import { OwnPrograms } from './own-programs.ts';
import { checkPrograms } from './programs.ts';
import type { Check } from './run-checks.ts';
import { checkSecret } from './secrets.ts';
import { checkUrl } from './urls.ts';
import { placeOf, wantedSecrets, type GivenAccount, type Place } from './wanted.ts';

export interface Asked extends Installed {
  readonly lines: readonly KeyLine[];
  readonly urls: readonly string[];
  readonly hosts: readonly string[];
  readonly account: GivenAccount;
  /** Of Node: `24.21.0`. */
  readonly nodeVersion: string;
  readonly voice: Voice;
  readonly signal: AbortSignal;
}

/** Seconds: a check that asks AWS, and one that connects to a git host. */
const [usual, long] = [20, 40];

export async function allChecks(asked: Asked): Promise<Check[]> {
  const { env, signal } = asked;
  const read = readConfiguration({ env, signal });
  const configuration = await read.catch(() => withoutGit(env));
  const routes = await Promise.resolve()
    .then(() => credentialRoutes(configuration, env))
    .catch(() => ({ routes: [], warnings: [] }));
  const jobLines = await jobLinesOf(env).catch(() => []);
  const named = wantedSecrets({ ...asked, ...configuration, routes, jobLines });
  const place = placeOf(settingsOf(configuration.trusted, env), asked.account);
  const references = [
    ...named.secrets.map(({ line }) => line.reference),
    ...named.kmsKeys.map(({ reference }) => reference),
  ];
  const given = asked.account.region;
  const access = new AwsAccess({ ...asked, given, references, job: jobRole(env) });
  const found = { asked, configuration, routes, named, place, access };
  return [
    ...ofThisMachine(found),
    ...ofAws(found).map((check) => withoutNeed(check, found)),
    ...ofSecrets(found),
    ...ofGit({ ...found, read }),
    ...ofTargets(found),
  ];
}

interface Found {
  readonly asked: Asked;
  readonly configuration: Configuration;
  readonly routes: ReturnType<typeof credentialRoutes>;
  readonly named: ReturnType<typeof wantedSecrets>;
  /** Where no section names another one. */
  readonly place: Place;
  readonly access: AwsAccess;
}

function ofThisMachine({ asked, configuration, routes }: Found): Check[] {
  const started = (): Finding[] => checkStarted(configuration, credentialPlaces(routes), asked);
  return [
    check('programs', usual, (signal) => checkPrograms({ ...asked, signal })),
    check('installation', usual, () => Promise.resolve([checkInstallation(asked), ...started()])),
  ];
}

function ofAws({ asked, configuration, place, access, named }: Found): Check[] {
  const { env } = asked;
  const ofHosts = asked.hosts.map((host) => settingsFor(host, { asked, configuration }).place);
  const options = { access, env, place, now: Date.now };
  const places = [place, ...[...named.secrets, ...named.kmsKeys].map((one) => one.place), ...ofHosts];
  return [
    check('network', usual, (signal) => checkNetwork({ asked, place, access, named }, signal)),
    check('oidc', usual, async (signal) => {
      const region = await access.region(place).then(
        (known) => known.region,
        () => '',
      );
      return await checkOidc({ env, signal, audience: stsAudience(partitionOf(region)), now: Date.now });
    }),
    check('region', usual, () => checkRegion(options)),
    check('credentials', usual, () => checkCredentials(options)),
    check('credentials', usual, () => Promise.resolve(checkCredentialVariables(env))),
    check('identity', usual, () => checkIdentity(options)),
    check('roles', usual, () => checkRoles(places, options)),
  ];
}

/** A host that reads all through a cache needs no way to AWS, and no credentials. */
function withoutNeed(check: Check, { asked, named }: Found): Check {
  const { secrets, kmsKeys } = named;
  const isNeeded = kmsKeys.length + asked.hosts.length > 0 || secrets.some(({ place }) => !place.cache);
  if (isNeeded || secrets.length === 0) return check;
  const why = 'not needed, because all keys are read through the cache (ssm.cache)';
  return {
    ...check,
    run: async (signal) =>
      (await check.run(signal)).map((one) =>
        one.status === 'fail' ? skip(one.check, `${why}: ${one.detail}`, one.remedy) : one,
      ),
  };
}

type OfNetwork = Pick<Found, 'asked' | 'place' | 'access' | 'named'>;

async function checkNetwork(
  { asked, place, access, named }: OfNetwork,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { nodeVersion } = asked;
  const env = asNodeReads(asked.env, nodeVersion);
  const { region } = await needs(access.region(place), 'region');
  const kinds = new Set(named.secrets.map(({ line }) => line.reference.kind));
  const isNothing = kinds.size + named.kmsKeys.length === 0;
  const services: Service[] = [
    'sts',
    ...(kinds.has('parameter') || isNothing || asked.hosts.length > 0 ? (['ssm'] as const) : []),
    ...(kinds.has('secret') ? (['secretsmanager'] as const) : []),
    ...(named.kmsKeys.length > 0 ? (['kms'] as const) : []),
    ...(asked.hosts.length > 0 ? (['ssmmessages', 'ec2', 'ec2-instance-connect'] as const) : []),
  ];
  const probes = await Promise.all(
    services.map(async (service) => {
      try {
        const endpoint = await endpointOf(service, region, env);
        return endpoint ? [await probe(endpoint, { env, region, signal })] : [];
      } catch (error) {
        return [{ finding: failed(`network ${service}`, error), ahead: undefined }];
      }
    }),
  );
  const all = probes.flat();
  return [
    checkClock(all, env),
    ...all.map(({ finding }) => finding),
    ...checkProxySupport(asked.env, nodeVersion),
  ];
}

function ofSecrets({ asked, named, access, configuration }: Found): Check[] {
  const { agent } = new OwnPrograms(asked.installation);
  const { entries } = configuration;
  const remedies = { entries, env: asked.env, agent, account: accountOptions(asked) };
  return [
    check('references', usual, () => Promise.resolve(named.problems)),
    ...named.secrets.map((secret) =>
      check(`read ${secret.line.reference.text}`, usual, (signal) =>
        checkSecret(secret, { access, signal, remedies, now: Date.now }),
      ),
    ),
    ...named.kmsKeys.map((key) =>
      check(`public key ${key.reference.text}`, usual, async (signal) => {
        const { checkKmsKey } = await import('./kms-keys.ts');
        return await checkKmsKey(key, { access, signal, remedies });
      }),
    ),
  ];
}

function ofGit(found: Found & { readonly read: Promise<Configuration> }): Check[] {
  const { asked, configuration, routes, read } = found;
  const { env, installation } = asked;
  const { agent, ssh: ours, helper } = new OwnPrograms(installation);
  return [
    check('agent', usual, (signal) => checkAgents({ user: userOf(env), env, agent, signal })),
    check('git configuration', usual, async () => {
      const { scoped } = await read;
      const detail = scoped ? 'git reads it, with the scope of each setting' : 'git reads it';
      credentialRoutes(configuration, env);
      return [ok('git configuration', detail)];
    }),
    check('git settings', usual, async () => {
      await needs(read, 'git configuration');
      return checkGitSettings({ configuration, routes, env, ours, helper });
    }),
  ];
}

function ofTargets({ asked, configuration, routes, access }: Found): Check[] {
  const account = accountOptions(asked);
  return [
    ...asked.urls.map((url) =>
      check(`url ${url}`, long, (signal) =>
        checkUrl(url, { ...asked, signal, configuration, routes, account }),
      ),
    ),
    ...asked.hosts.map((host) =>
      check(`host ${host}`, usual, (signal) => {
        const { place, via } = settingsFor(host, { asked, configuration });
        return checkHost(host, { reader: () => access.reader(place), via, signal });
      }),
    ),
  ];
}

/** As `proxy` reads them: those of a section that names the host take precedence. */
function settingsFor(
  text: string,
  { asked, configuration }: Pick<Found, 'asked' | 'configuration'>,
): { readonly place: Place; readonly via: string | undefined } {
  const { trusted } = configuration;
  const section = sectionOfHost(trusted, parseTarget(text).host);
  const { region, roles, via } = settingsOf(trusted, asked.env, section);
  return { place: placeOf({ region, roles }, asked.account), via };
}

/** As they were given. */
function accountOptions({ account }: Asked): string[] {
  const { region, roles, profile } = account;
  return [
    ...(region === undefined ? [] : ['--region', region]),
    ...roles.flatMap((role) => ['--role-arn', role]),
    ...(profile === undefined ? [] : ['--profile', profile]),
  ];
}

function check(name: string, limit: number, run: Check['run']): Check {
  return { name, limit, run };
}

/** In a step behind the action: the role that it has noted for later steps. */
function jobRole(env: Asked['env']): ReturnType<typeof readJobRole> {
  const folder = folderOfCommand(env['GIT_SSH_COMMAND'] ?? '');
  if (folder === undefined) return undefined;
  try {
    return readJobRole(readFileSync(join(folder, jobRoleFile), 'utf8'));
  } catch {
    return undefined;
  }
}
