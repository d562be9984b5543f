/** The story of main: from key references to keys in an agent that the next steps reach. */
import { dirname } from 'node:path';
import { toFailure } from '../errors.ts';
import { inTime } from '../in-time.ts';
import { linesToMask } from '../keys/private-key.ts';
import { allowedSigner, requireSigningGit } from '../git/signing.ts';
import type { KeyLine } from '../keys/key-line.ts';
import { authorizedKeysLine, fingerprint } from '../keys/public-key.ts';
import { patternText, renderRoutes } from '../keys/routes.ts';
import type { Secret } from '../secrets/source.ts';
import { addKey, startAgent, type AddOptions, type Agent } from '../ssh/agent.ts';
import { renderKnownHosts } from '../ssh/known-hosts.ts';
import type { Env, Inputs } from './inputs.ts';
import { handOver, type LoadedKey } from './hand-over.ts';
import { fillJobFolder, makeJobFolder, nameJobFolder, type JobFolder } from './job-folder.ts';
import { replacedBy, stateName, writeState } from './state.ts';
import { hostsOfKeys } from './restrictions.ts';
import { renderSummary } from './summary.ts';
import { parseStoredKey } from './stored-key.ts';
import { sweep } from './sweep.ts';
import { unloadKeys } from './unload-keys.ts';
import type { Workflow } from './workflow.ts';

export interface Job {
  readonly env: Env;
  readonly workflow: Workflow;
  /** Aborted when the job is cancelled or the step takes too long, with a Failure as its reason. */
  readonly signal: AbortSignal;
  /** The text of helper/ssm-ssh. */
  readonly ssh: string;
}

/** Leaves everything in place for the next steps, or throws and leaves nothing. */
export async function loadKeys(inputs: Inputs, job: Job): Promise<void> {
  const { env, workflow, signal } = job;
  const knownHosts = renderKnownHosts(inputs.knownHosts);
  if (inputs.gitSigning) await requireSigningGit(job);
  const folder = nameJobFolder(env['RUNNER_TEMP']);
  const state = {
    folder: folder.path,
    replaced: replacedBy(env, inputs.gitSigning ? ['GIT_CONFIG_COUNT'] : []),
  };
  workflow.saveState(stateName, writeState(state));
  await makeJobFolder(folder, env['RUNNER_TRACKING_ID']);
  const starting = startAgent(folder.socket, job);
  try {
    const [agent, secrets] = await Promise.all([
      starting,
      inTime(readSecrets(inputs, job), signal),
      sweepQuietly(folder, job),
    ]);
    const keys = secrets.map((secret, index) =>
      toKey(secret, inputs.keys[index]?.repositories ?? [], workflow),
    );
    const publicKeys = keys.map(({ publicKey }) => publicKey);
    await fillJobFolder(folder, {
      knownHosts,
      strictHostKeyChecking: inputs.strictHostKeyChecking,
      routes: renderRoutes(keys),
      publicKeys: publicKeys.map(authorizedKeysLine),
      allowedSigners: inputs.gitSigning ? publicKeys.map(allowedSigner).join('') : '',
      before: { agent: env['SSH_AUTH_SOCK'] ?? '', command: env['GIT_SSH_COMMAND'] ?? '' },
      ssh: job.ssh,
    });
    const hosts = inputs.restrictToHosts ? hostsOfKeys(keys) : new Map<string, readonly string[]>();
    for (const key of keys) {
      const limits = {
        lifetime: inputs.keyLifetime,
        hosts: hosts.get(key.fingerprint) ?? [],
        knownHosts: folder.knownHosts,
      };
      await add(key, limits, { ...job, agent });
    }
    signal.throwIfAborted();
    warnOfRivals(keys, workflow);
    handOver({ folder, agent, keys, inputs, env }, workflow);
    if (inputs.summary) await workflow.summarize(renderSummary(keys, inputs.keyLifetime));
  } catch (error) {
    await starting.catch(() => undefined);
    await unloadKeys({ folder: folder.path, replaced: {} }, quiet).catch((left: unknown) => {
      workflow.warn(`not everything could be undone: ${toFailure(left).message}`);
    });
    throw error;
  }
}

/** The AWS SDK is loaded while ssh-agent starts. */
async function readSecrets(inputs: Inputs, job: Job): Promise<Secret[]> {
  const aws = await import('./read-secrets.ts');
  return await aws.readSecrets(inputs, job);
}

function toKey(secret: Secret, repositories: KeyLine['repositories'], workflow: Workflow): LoadedKey {
  const { text } = secret.reference;
  for (const line of linesToMask(secret.text)) workflow.mask(line);
  const key = parseStoredKey(secret);
  for (const line of linesToMask(key.text)) workflow.mask(line);
  if (!secret.encrypted) {
    workflow.warn(
      `the parameter ${text} is a plain String: store the key again as a SecureString, and replace it`,
    );
  }
  return { ...key, secret, repositories, fingerprint: fingerprint(key.publicKey) };
}

async function add(
  key: LoadedKey,
  limits: Pick<AddOptions, 'lifetime' | 'hosts' | 'knownHosts'>,
  { agent, env, signal, workflow }: Job & { agent: Agent },
): Promise<void> {
  const { reference, version } = key.secret;
  await addKey(agent, key, { env, signal, resource: reference.text, ...limits });
  workflow.info(`${reference.text} (version ${version}): ${key.publicKey.type} ${key.fingerprint}`);
}

/** For a step that failed: nothing was loaded that could be forgotten. */
const quiet = { info: () => undefined, warn: () => undefined, exportVariable: () => undefined };

/** Another job's leftovers are no reason for this one to fail. */
async function sweepQuietly({ path }: JobFolder, { env, workflow }: Job): Promise<void> {
  await sweep(dirname(path), env['RUNNER_TRACKING_ID'], workflow).catch((error: unknown) => {
    workflow.warn(`what earlier jobs left behind could not be removed: ${toFailure(error).message}`);
  });
}

/** A host accepts the first key that it knows, and then shows that key's repositories only. */
function warnOfRivals(keys: readonly LoadedKey[], workflow: Workflow): void {
  const claims = new Map<string, Set<string>>();
  for (const { repositories, fingerprint: key } of keys) {
    const patterns =
      repositories.length > 0 ? repositories.map(patternText) : ['whatever no other key claims'];
    for (const pattern of patterns) claims.set(pattern, (claims.get(pattern) ?? new Set()).add(key));
  }
  for (const [pattern, { size }] of claims) {
    if (size < 2) continue;
    const limit = size > 5 ? ', and most servers hang up after the sixth' : '';
    workflow.warn(
      `${size} keys are offered for ${pattern}, in the order written: a host takes the first that it knows${limit}`,
    );
  }
}
