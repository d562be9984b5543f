/** Assumes one role at AWS STS, with an OIDC token or with other credentials. */
import type { AssumeRoleCommandInput, AssumeRoleCommandOutput } from '@aws-sdk/client-sts';
import { assumeRoleFailure, lacksKeys, mayPass } from './assume-role-failures.ts';
import type { Caller, Credentials, SessionTag } from './caller.ts';
import type { Turn } from './failover.ts';
import { notFromAws } from './failures.ts';
import { retries } from './retries.ts';
import type { SourceCredentials } from './web-identity.ts';

export interface WantedRole {
  readonly arn: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
  /** A session policy's JSON. */
  readonly policy?: string;
  /** ARNs. */
  readonly managedPolicies?: readonly string[] | undefined;
  readonly tags?: readonly SessionTag[];
  readonly externalId?: string | undefined;
  /** In a chain of roles: `role 2 of 3`. */
  readonly position?: string | undefined;
}

export type AssumeRole = (wanted: WantedRole) => Promise<Credentials>;

/** Milliseconds before STS is asked again, in case the role is new. */
const newRolePauses = [1000, 2000];
/** Milliseconds before STS is asked again, if it cannot fetch the keys of the identity provider. */
const missingKeysPauses = [1000, 2000, 4000, 8000];

export async function roleAsker(
  source: SourceCredentials,
  { region, signal }: Turn,
  caller: Caller,
): Promise<AssumeRole> {
  const { connection, say, mask } = caller;
  const { token, role } = source;
  const { STSClient, AssumeRoleCommand, AssumeRoleWithWebIdentityCommand } =
    await import('@aws-sdk/client-sts');
  const client = new STSClient({
    ...{ region, ...connection, ...retries(connection) },
    ...(role && { credentials: role.credentials }),
  });
  const send = async (wanted: WantedRole): Promise<AssumeRoleCommandOutput> => {
    const input = toInput(wanted);
    return await (token === undefined
      ? client.send(new AssumeRoleCommand(input), { abortSignal: signal })
      : client.send(new AssumeRoleWithWebIdentityCommand({ ...input, WebIdentityToken: token.text }), {
          abortSignal: signal,
        }));
  };
  return async (wanted) => {
    say(`assuming ${wanted.arn} as ${wanted.sessionName}`);
    const answer = await patiently(() => send(wanted), {
      ...{ wanted, signal, caller },
      explain: (error) => assumeRoleFailure(error, { ...wanted, region, token, before: role?.arn }),
    });
    const credentials = toCredentials(answer);
    if (!credentials) throw notFromAws({ service: 'sts', region, resource: wanted.arn });
    mask(credentials.secretAccessKey, credentials.sessionToken);
    return credentials;
  };
}

function toInput(wanted: WantedRole): AssumeRoleCommandInput {
  const { arn, sessionName, durationSeconds, policy, managedPolicies = [], externalId, tags = [] } = wanted;
  const transitive = tags.filter((tag) => tag.transitive);
  return {
    RoleArn: arn,
    RoleSessionName: sessionName,
    DurationSeconds: durationSeconds,
    ...(policy !== undefined && { Policy: policy }),
    ...(managedPolicies.length > 0 && {
      PolicyArns: managedPolicies.map((policyArn) => ({ arn: policyArn })),
    }),
    ...(externalId !== undefined && { ExternalId: externalId }),
    ...(tags.length > 0 && { Tags: tags.map(({ key, value }) => ({ Key: key, Value: value })) }),
    ...(transitive.length > 0 && { TransitiveTagKeys: transitive.map(({ key }) => key) }),
  };
}

interface Patience {
  readonly wanted: WantedRole;
  readonly signal: AbortSignal;
  readonly caller: Caller;
  readonly explain: (error: unknown) => Error;
}

async function patiently<T>(ask: () => Promise<T>, patience: Patience, tries = 0): Promise<T> {
  const { wanted, signal, caller, explain } = patience;
  try {
    return await ask();
  } catch (error) {
    signal.throwIfAborted();
    const pause = (lacksKeys(error) ? missingKeysPauses : newRolePauses)[tries];
    const isLast = tries + 1 >= caller.connection.maxAttempts;
    if (pause === undefined || isLast || !mayPass(error)) throw explain(error);
    const why = lacksKeys(error)
      ? "AWS STS did not get the keys of the token's issuer"
      : `AWS STS refused ${wanted.arn}; in case the role is new`;
    caller.say(`${why}, asking again in ${pause / 1000} s`);
    await caller.sleep(pause);
    return await patiently(ask, patience, tries + 1);
  }
}

/** @returns undefined if the answer is not from STS */
function toCredentials({ Credentials: answer }: AssumeRoleCommandOutput): Credentials | undefined {
  const {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: expiration,
  } = answer ?? {};
  return accessKeyId && secretAccessKey && sessionToken
    ? { accessKeyId, secretAccessKey, sessionToken, ...(expiration && { expiration }) }
    : undefined;
}
