/** Who we are at AWS: a role by the job's OIDC token, a role by other credentials, or the default credential chain. */
import type { AssumeRoleCommandInput, AssumeRoleCommandOutput } from '@aws-sdk/client-sts';
import { Failure } from '../errors.ts';
import type { Location, Reference } from '../keys/reference.ts';
import { assumeRoleFailure, isPackedTooLarge, mayPass } from './assume-role-failures.ts';
import type { Connection } from './connection.ts';
import { notFromAws } from './failures.ts';
import { requestToken, tokenService, type Claims } from './oidc.ts';
import { halve, narrowSessions } from './session-policy.ts';

export interface Credentials {
  readonly accessKeyId: string;
  /** Secret. */
  readonly secretAccessKey: string;
  /** Secret. */
  readonly sessionToken: string;
}

/** What may be read with which credentials. */
export interface Session {
  readonly references: readonly Reference[];
  /** Absent: the AWS SDK's default chain. */
  readonly credentials?: Credentials;
}

export interface Role {
  readonly arn: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
  /** Of the OIDC token. */
  readonly audience: string;
  /** Whether the session may do no more than read the references. */
  readonly narrow: boolean;
}

export interface Caller {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly connection: Connection;
  /** Of STS, and of references that name none. */
  readonly region: string;
  readonly signal: AbortSignal;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Called with each secret before anything else happens with it. */
  readonly mask: (secret: string) => void;
  readonly say: (line: string) => void;
}

/**
 * One session for each part of the references: one in all, unless STS's limits on policies ask for more.
 *
 * @throws OIDC_UNAVAILABLE, OIDC_REQUEST_FAILED, ASSUME_ROLE_DENIED, CREDENTIALS_MISSING, THROTTLED, NETWORK_UNREACHABLE
 */
export async function openSessions(
  references: readonly Reference[],
  role: Role | undefined,
  caller: Caller,
): Promise<Session[]> {
  if (!role) return [{ references }];
  const assume = await assumer(role, caller);
  const home = homeOf(role, caller.region);
  const openAll = async (parts: readonly Part[]): Promise<Session[]> =>
    (await Promise.all(parts.map(open))).flat();
  const open = async ({ references, policy }: Part): Promise<Session[]> => {
    try {
      return [{ references, credentials: await assume(policy) }];
    } catch (error) {
      if (!isPackedTooLarge((error as Failure).cause) || references.length < 2) throw error;
      return await openAll(halve(references).flatMap((half) => narrowSessions(half, home)));
    }
  };
  return await openAll(role.narrow ? narrowSessions(references, home) : [{ references }]);
}

interface Part {
  readonly references: readonly Reference[];
  /** A session policy's JSON. */
  readonly policy?: string;
}

function homeOf({ arn }: Role, region: string): Location {
  const [, partition = 'aws', , , account = ''] = arn.split(':');
  return { partition, region, account };
}

type Assume = (policy: string | undefined) => Promise<Credentials>;

/** Milliseconds before asking again for a role that may just have been made. */
const newRolePauses = [1000, 2000];

/** With the job's OIDC token where it may have one; else with what the environment or the instance gives. */
async function assumer(role: Role, caller: Caller): Promise<Assume> {
  const { env, connection, region, signal, say, mask } = caller;
  const service = tokenService(env);
  if (service) say('asking GitHub for an OIDC token');
  else say(`no OIDC token in this job: asking for ${role.arn} with ${otherCredentials(env)}`);
  const token =
    service && (await requestToken(service, { ...caller, ...connection, audience: role.audience }));
  if (token) mask(token.text);
  const { STSClient, AssumeRoleCommand, AssumeRoleWithWebIdentityCommand } =
    await import('@aws-sdk/client-sts');
  const client = new STSClient({ region, ...connection });
  return async (policy) => {
    say(`assuming ${role.arn} as ${role.sessionName}`);
    const input = toInput(role, policy);
    const ask = (): Promise<AssumeRoleCommandOutput> =>
      token === undefined
        ? client.send(new AssumeRoleCommand(input), { abortSignal: signal })
        : client.send(new AssumeRoleWithWebIdentityCommand({ ...input, WebIdentityToken: token.text }), {
            abortSignal: signal,
          });
    const credentials = toCredentials(await patiently(ask, { role, claims: token?.claims, caller }));
    if (!credentials) throw notFromAws({ service: 'sts', region, resource: role.arn });
    mask(credentials.secretAccessKey);
    mask(credentials.sessionToken);
    return credentials;
  };
}

function toInput(
  { arn, sessionName, durationSeconds }: Role,
  policy: string | undefined,
): AssumeRoleCommandInput {
  return {
    RoleArn: arn,
    RoleSessionName: sessionName,
    DurationSeconds: durationSeconds,
    ...(policy !== undefined && { Policy: policy }),
  };
}

async function patiently<T>(ask: () => Promise<T>, asked: Asked, pauses = newRolePauses): Promise<T> {
  const { role, claims, caller } = asked;
  try {
    return await ask();
  } catch (error) {
    caller.signal.throwIfAborted();
    const [pause, ...left] = pauses;
    if (pause === undefined || !mayPass(error)) {
      throw assumeRoleFailure(error, { arn: role.arn, region: caller.region, claims });
    }
    caller.say(`AWS STS refused ${role.arn}; in case the role is new, asking again in ${pause / 1000} s`);
    await caller.sleep(pause);
    return await patiently(ask, asked, left);
  }
}

interface Asked {
  readonly role: Role;
  readonly claims: Claims | undefined;
  readonly caller: Caller;
}

/** undefined where something else answered in the place of STS. */
function toCredentials({ Credentials: answer }: AssumeRoleCommandOutput): Credentials | undefined {
  const {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
  } = answer ?? {};
  return accessKeyId && secretAccessKey && sessionToken
    ? { accessKeyId, secretAccessKey, sessionToken }
    : undefined;
}

/** What the default chain would find; on a hosted runner an instance role could only be somebody else's. */
function otherCredentials(env: Readonly<Record<string, string | undefined>>): string {
  // In the order in which the SDK looks.
  const explicit = ['AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_WEB_IDENTITY_TOKEN_FILE', ...containerVariables];
  const name = explicit.find((variable) => env[variable]);
  if (name) return `the credentials of ${name}`;
  if (env['RUNNER_ENVIRONMENT'] === 'self-hosted') return "this machine's own role";
  throw new Failure(
    'OIDC_UNAVAILABLE',
    'this job cannot ask GitHub for an OIDC token, and has no other credentials',
    {
      hint: 'give the job "permissions: { id-token: write, contents: read }"; pull requests from forks and Dependabot never get a token',
    },
  );
}

const containerVariables = ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'];
