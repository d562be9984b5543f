/** Checks the Region, the credentials of this machine, whose they are, and the roles that they assume. */
import { Failure } from '../../src/errors.ts';
import type { AwsAccess } from './aws-access.ts';
import { fail, failed, needs, ok, warn, withCommand, type Finding } from './finding.ts';
import type { Place } from './wanted.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface CredentialsOptions {
  readonly access: AwsAccess;
  readonly env: Environment;
  /** Of this host, where no section names another one. */
  readonly place: Place;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export async function checkRegion({ access, place }: CredentialsOptions): Promise<Finding[]> {
  try {
    const { region, from } = await access.region(place);
    return [ok('region', `${region}, from ${from}`)];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const [, variable = 'AWS_REGION'] =
      /^((?:SSM_SSH|AWS)_[A-Z_]+) is not a region/.exec(error.message) ?? [];
    const finding = failed('region', error);
    const isWritten = error.code === 'REGION_MISSING' || error.message.startsWith(variable);
    return [isWritten ? { ...finding, remedy: `export ${variable}=REGION` } : finding];
  }
}

/** @returns where the credentials come from, and when they end */
export async function checkCredentials({ access, env, place, now }: CredentialsOptions): Promise<Finding[]> {
  // The identity's own check reports why there are none.
  await needs(access.identity(place), 'identity');
  const { expiration, ...found } = await access.credentials();
  const source = sourceOf(env, '$source' in found ? Object.keys(found.$source ?? {}) : []);
  if (expiration === undefined) return [ok('credentials', `from ${source}`)];
  const minutes = Math.floor((expiration.getTime() - now()) / 60_000);
  const detail = `from ${source}, until ${expiration.toISOString()}`;
  if (minutes >= 5) return [ok('credentials', detail)];
  const remedy = 'get new credentials before you start long work';
  return [warn('credentials', `${detail}: they end in ${Math.max(0, minutes)} minutes`, remedy)];
}

export async function checkIdentity({ access, env, place }: CredentialsOptions): Promise<Finding[]> {
  try {
    const { arn, account } = await access.identity(place);
    return [ok('identity', `${arn} in the account ${account}`)];
  } catch (error) {
    return [withCommand(failed('identity', error), withoutProfile(error, env))];
  }
}

/** For AWS_PROFILE, if it names none. */
function withoutProfile(error: unknown, { AWS_PROFILE: profile }: Environment): string | undefined {
  if (!(error instanceof Failure) || error.code !== 'CREDENTIALS_MISSING' || !profile) return undefined;
  return error.message.includes(`no profile ${profile}`) ? 'unset AWS_PROFILE' : undefined;
}

/** @param places of all keys and hosts: each chain of roles is assumed once */
export async function checkRoles(
  places: readonly Place[],
  { access }: CredentialsOptions,
): Promise<Finding[]> {
  const chains = new Map(
    places.flatMap((place) => (place.roles.length > 0 ? [[JSON.stringify(place), place] as const] : [])),
  );
  return await Promise.all(
    [...chains.values()].map(async (place) => {
      const check = `role ${place.roles.at(-1) ?? ''}`;
      try {
        const { credentials } = await access.reader(place);
        const until = credentials?.expiration?.toISOString();
        return ok(check, until === undefined ? 'assumed' : `assumed, until ${until}`);
      } catch (error) {
        return failed(check, error);
      }
    }),
  );
}

/**
 * The source, in the order of the credential chain.
 *
 * @param marks what the AWS SDK notes about the credentials (`$source`, CREDENTIALS_PROFILE and others)
 */
export function sourceOf(env: Environment, marks: readonly string[]): string {
  const { AWS_PROFILE: profile } = env;
  const isProfile = marks.some((mark) => mark.startsWith('CREDENTIALS_PROFILE'));
  if (profile) {
    const named = `the profile ${profile} (AWS_PROFILE)`;
    // A profile with a Region alone says nothing about credentials.
    return isProfile ? named : `${sourceOfMachine(env)}: ${named} names none`;
  }
  if (env['AWS_ACCESS_KEY_ID'] && env['AWS_SECRET_ACCESS_KEY']) return 'AWS_ACCESS_KEY_ID of the environment';
  return isProfile ? 'the default profile' : sourceOfMachine(env);
}

function sourceOfMachine({ AWS_WEB_IDENTITY_TOKEN_FILE: file, ...env }: Environment): string {
  if (file) return `the web identity token in ${file} (AWS_WEB_IDENTITY_TOKEN_FILE)`;
  const container = ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'].find(
    (name) => env[name],
  );
  if (container) return `the container (${container})`;
  return "the instance's role";
}

/** Contradictions of the environment that hide credentials. Needs no call. */
export function checkCredentialVariables(env: Environment): Finding[] {
  const name = 'credential variables';
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_PROFILE: profile } = env;
  if (profile && id) {
    const detail = `AWS_PROFILE (${profile}) and AWS_ACCESS_KEY_ID are both set: the profile is used; to use it on purpose, unset AWS_ACCESS_KEY_ID`;
    return [warn(name, detail, 'unset AWS_PROFILE')];
  }
  if (Boolean(id) !== Boolean(secret)) {
    const [there, missing] = id
      ? ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']
      : ['AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID'];
    return [
      fail(
        name,
        `${there} is set and ${missing} is not: both are ignored; set both, or none`,
        `unset ${there}`,
      ),
    ];
  }
  return [ok(name, 'they do not contradict each other')];
}
