/** Reads the parameters and secrets that the keys of a job name. */
import { credentialsHint, expiredHint } from '../aws/credentials-hint.ts';
import type { Role } from '../aws/caller.ts';
import type { ReadOptions, Wanted } from '../host/call-aws.ts';
import { isStoredLine } from '../keys/key-line.ts';
import type { Secret } from '../secrets/source.ts';
import type { Inputs } from './inputs.ts';
import type { Workflow } from './workflow.ts';

interface Job extends Pick<ReadOptions, 'env' | 'signal' | 'headStart'> {
  readonly workflow: Workflow;
}

/** How AWS is called, after it is known whether the job's own credentials are used. */
export interface Settled extends Pick<Inputs, 'regions' | 'role' | 'allowedAccounts'> {
  /** The account of the credentials, if it is known without the secrets. */
  readonly account: string | undefined;
}

/** The AWS SDK is loaded while ssh-agent starts. */
export async function settleRole(inputs: Inputs, job: Job): Promise<Settled> {
  const { regions, role, allowedAccounts } = inputs;
  const account =
    inputs.useExisting && role ? await existingAccount(wantedOf(inputs), optionsOf(job)) : undefined;
  if (account === undefined) return { regions, role, allowedAccounts, account: role?.arn.split(':')[4] };
  if (role) sayWhatIsLeftOut(role, job.workflow);
  return { regions, role: undefined, allowedAccounts: [], account };
}

/** A job whose keys all stay in KMS has nothing to read. */
export async function readJobSecrets(inputs: Inputs, settled: Settled, job: Job): Promise<readonly Secret[]> {
  const wanted = wantedOf(inputs);
  if (wanted.keys.length === 0 && inputs.keys.length > 0) return [];
  const aws = await import('../host/read-secrets.ts');
  return await aws.readSecrets({ ...wanted, ...settled }, optionsOf(job));
}

function wantedOf(inputs: Inputs): Wanted {
  return { ...inputs, keys: [...inputs.keys.filter(isStoredLine), ...inputs.apps] };
}

/** Hints for missing values in a job. */
export function missingIn(env: Job['env']): ReadOptions['missing'] {
  return {
    region: 'set the input aws-region, or AWS_REGION',
    credentials: credentialsHint(env),
    expired: expiredHint(),
  };
}

function optionsOf({ env, signal, workflow, headStart }: Job): ReadOptions {
  return { env, signal, voice: workflow, missing: missingIn(env), headStart };
}

async function existingAccount(wanted: Wanted, options: ReadOptions): Promise<string | undefined> {
  const { regionsOf } = await import('../host/call-aws.ts');
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
