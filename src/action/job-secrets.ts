/** Reads the parameters and secrets that the keys of a job name. */
import { credentialsHint, expiredHint } from '../aws/credentials-hint.ts';
import type { Role } from '../aws/caller.ts';
import type { ReadOptions, Wanted } from '../host/read-secrets.ts';
import type { Secret } from '../secrets/source.ts';
import type { Inputs } from './inputs.ts';
import type { Workflow } from './workflow.ts';

export interface JobSecrets {
  readonly secrets: readonly Secret[];
  /** The account of the credentials, if it is known without the secrets. */
  readonly account: string | undefined;
}

interface Job extends Pick<ReadOptions, 'env' | 'signal'> {
  readonly workflow: Workflow;
}

/** The AWS SDK is loaded while ssh-agent starts. */
export async function readJobSecrets(inputs: Inputs, job: Job): Promise<JobSecrets> {
  const aws = await import('../host/read-secrets.ts');
  const missing = {
    region: 'set the input aws-region, or AWS_REGION',
    credentials: credentialsHint(job.env),
    expired: expiredHint(),
  };
  const wanted = { ...inputs, keys: [...inputs.keys, ...inputs.apps] };
  const options = { env: job.env, signal: job.signal, voice: job.workflow, missing };
  const account = inputs.useExisting && inputs.role ? await existingAccount(wanted, options) : undefined;
  if (account !== undefined && inputs.role) sayWhatIsLeftOut(inputs.role, job.workflow);
  const settled = account === undefined ? wanted : { ...wanted, role: undefined, allowedAccounts: [] };
  const secrets = await aws.readSecrets(settled, options);
  return { secrets, account: account ?? settled.role?.arn.split(':')[4] };
}

async function existingAccount(wanted: Wanted, options: ReadOptions): Promise<string | undefined> {
  const { regionsOf } = await import('../host/read-secrets.ts');
  const { existingIdentity } = await import('../host/existing-credentials.ts');
  const regions = await regionsOf(wanted, options);
  return (await existingIdentity({ ...wanted, regions }, options))?.account;
}

/** `session-policy: auto` is the default, so nobody may have asked for it: it gets no warning. */
function sayWhatIsLeftOut(role: Role, { info, warn }: Pick<Workflow, 'info' | 'warn'>): void {
  const { policy, managedPolicies = [], tags = [], externalId } = role;
  if (policy === 'auto')
    info('use-existing-credentials: session-policy: auto does not narrow these credentials');
  const set = {
    'session-policy': typeof policy === 'object',
    'managed-session-policies': managedPolicies.length > 0,
    'custom-tags': tags.length > 0,
    'role-external-id': externalId !== undefined,
  };
  const names = Object.entries(set).flatMap(([name, isSet]) => (isSet ? [name] : []));
  if (names.length === 0) return;
  warn(`use-existing-credentials: no role is assumed, so ${names.join(', ')} had no effect`);
}
