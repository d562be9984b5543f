/** AWS credentials for EC2 hosts: in a job the job's role, narrowed to one host; elsewhere the machine's credentials. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { checkAccount, type Identity } from '../aws/account.ts';
import { ec2SessionPolicy, type Ec2Target } from '../aws/ec2-session-policy.ts';
import type { Connection } from '../aws/connection.ts';
import { refreshing } from '../aws/refreshing-credentials.ts';
import { openSession } from '../aws/session.ts';
import type { Credentials, Role } from '../aws/caller.ts';
import type { Ec2Caller } from '../ec2/caller.ts';
import { Failure } from '../errors.ts';
import { tookTooLong, withDeadline, type Deadline } from '../deadline.ts';
import { partitionOf } from '../keys/partition.ts';
import { isRegion } from '../keys/region-name.ts';
import { callerOnHost, type Host } from './caller.ts';
import { existingIdentity } from './existing-credentials.ts';
import { environmentRegion, jobRoleFile, readJobRole, type JobRole } from './job-role.ts';
import { areFixed, callerOf, regionFor, retryIfExpired, warnOfProxy, type ReadOptions } from './call-aws.ts';

export type { Ec2Target } from '../aws/ec2-session-policy.ts';

/** Settings, and the job's folder in a job. */
export interface Ec2Place extends Host {
  /** The job's folder of the latest use of the action. Folders of earlier uses are beside it. */
  readonly job?: string | undefined;
  /** Whether the command line names the roles: they take precedence over the job's role. */
  readonly ownRoles?: boolean;
}

/**
 * Assumes a role at once, so that a refusal comes before any connection is opened. Assumes it again before its session
 * ends. The Region of the settings takes precedence over the job's Region. The roles of the settings only count if no
 * use of the action names a role; those of the command line always count.
 *
 * @param place timeoutSeconds limits each opening of a session
 * @param options the signal ends all current and later work; there is no time limit, because connections last
 * @throws REGION_MISSING, OIDC_UNAVAILABLE, OIDC_REQUEST_FAILED, ASSUME_ROLE_DENIED, ACCOUNT_NOT_ALLOWED,
 *   INPUT_INVALID, CREDENTIALS_MISSING, THROTTLED, NETWORK_UNREACHABLE, TIMEOUT; the credentials' provider throws the
 *   same
 */
export async function openEc2Caller(
  target: Ec2Target,
  place: Ec2Place,
  options: Omit<ReadOptions, 'missing'>,
): Promise<Ec2Caller> {
  warnOfProxy(options);
  const found = place.job === undefined ? undefined : await findJobRole(place.job);
  const noted = place.ownRoles ? undefined : found;
  const near = found && place.ownRoles ? { ...place, region: regionsInJob(found, place, options)[0] } : place;
  const wanted = await (noted ? ofJob(noted, place, options) : ofHost(near, options));
  const { role, regions } = wanted;
  const [region = ''] = regions;
  const { signal } = options;
  const { connection } = callerOf(wanted, options);
  if (!role || (await findExisting(wanted, role, options)))
    return { region, connection, signal, ...machineCredentialsOf(connection, options) };
  const policy = ec2SessionPolicy(target, { ...role, region });
  const once = async (): Promise<Credentials> =>
    await withDeadline(deadlineOf(wanted, role, signal), async (within) => {
      const caller = { ...callerOf(wanted, { ...options, signal: within }), connection };
      const known = await checkAccount(wanted.allowedAccounts, role, caller);
      return (await openSession(role, policy, { ...caller, regions: known })).answer;
    });
  const fresh = { role, env: options.env, voice: options.voice };
  const open = async (): Promise<Credentials> =>
    await retryIfExpired(fresh, once).catch((error: unknown) => {
      throw connection.troubles.explain(error);
    });
  const first = await open().catch((error: unknown) => {
    throw noted ? explainedInJob(error) : error;
  });
  const credentials = refreshing(first, open, { clock: Date.now });
  return { region, connection, signal, credentials, forget: credentials.forget };
}

function machineCredentialsOf(
  { credentials }: Connection,
  { env }: Pick<ReadOptions, 'env'>,
): Pick<Ec2Caller, 'credentials' | 'forget'> {
  return { credentials, forget: areFixed(undefined, env) ? undefined : credentials.forget };
}

/** With at least one region. */
type Wanted = Omit<JobRole, 'role' | 'environmentRegion'> & { readonly role: Role | undefined };

/** The credentials of this step: it may have others than the action's step. */
async function findExisting(
  wanted: Wanted,
  role: Role,
  options: Omit<ReadOptions, 'missing'>,
): Promise<Identity | undefined> {
  if (!wanted.useExisting) return undefined;
  return await withDeadline(
    deadlineOf(wanted, role, options.signal),
    async (signal) => await existingIdentity(wanted, { ...options, signal }),
  );
}

/** The latest use of the action in this job that has a role. */
async function findJobRole(job: string): Promise<JobRole | undefined> {
  const read = async (name: string): Promise<string> =>
    await readFile(join(job, name), 'utf8').catch(() => '');
  const noted = readJobRole(await read(jobRoleFile));
  const before = (await read('before')).trim();
  if (noted || before === '' || before !== basename(before)) return noted;
  return await findJobRole(join(dirname(job), before));
}

type Env = Pick<ReadOptions, 'env' | 'signal'>;

/** The host is in the step's own Region, if the step sets one. The job's other Regions are used for STS, too. */
async function ofJob(noted: JobRole, place: Ec2Place, options: Env): Promise<Wanted> {
  const { timeoutSeconds } = place;
  const known = regionsInJob(noted, place, options);
  const regions = known.length > 0 ? known : (await ofHost({ ...place, roles: [] }, options)).regions;
  return { ...noted, regions, timeoutSeconds };
}

function regionsInJob(
  noted: JobRole,
  { region }: Pick<Ec2Place, 'region'>,
  { env }: Pick<Env, 'env'>,
): string[] {
  const named = environmentRegion(env);
  const own = named !== noted.environmentRegion && isRegionOf(noted.role, named) ? named : [];
  return [...new Set([region ?? own, noted.regions].flat())];
}

/** AWS_REGION may be set for another service (`auto`), or be of another partition than the role. */
function isRegionOf({ arn }: Role, name: string): boolean {
  return isRegion(name) && partitionOf(name) === arn.split(':')[1];
}

async function ofHost(place: Ec2Place, options: Env): Promise<Wanted> {
  const { missing, ...wanted } = await callerOnHost(place, options.env, []);
  const hint = missing.region.replace(', or write the ARN of the key', '');
  const search = { ...wanted, ...options, hint };
  const regions = wanted.regions.length > 0 ? wanted.regions : [await regionFor([], search)];
  return { ...wanted, regions, allowedAccounts: [] };
}

function deadlineOf({ timeoutSeconds }: Wanted, { arn }: Role, signal: AbortSignal): Deadline {
  const hint = 'check that this machine reaches AWS STS, or raise ssm.timeout (SSM_SSH_TIMEOUT)';
  const reason = tookTooLong(`assuming ${arn}`, timeoutSeconds, hint);
  return { milliseconds: timeoutSeconds * 1000, reason, signal };
}

/** The job could ask for a token when the action ran, so this step or its container has lost the job's variables. */
function explainedInJob(error: unknown): unknown {
  if (!(error instanceof Failure) || error.code !== 'OIDC_UNAVAILABLE') return error;
  return new Failure(
    error.code,
    'this step cannot ask GitHub for an OIDC token, and has no other credentials',
    {
      hint: 'pass ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN to it: docker run --env NAME for each, sudo --preserve-env=NAME,NAME; and give the job "permissions: { id-token: write, contents: read }"',
      cause: error,
    },
  );
}
