/** The story of main: from key references to keys in an agent that the next steps reach. */
import { toFailure, type Failure } from '../errors.ts';
import { linesToMask } from '../keys/private-key.ts';
import { fingerprint } from '../keys/public-key.ts';
import type { Secret } from '../secrets/source.ts';
import { addKey, startAgent, type Agent } from '../ssh/agent.ts';
import { renderKnownHosts } from '../ssh/known-hosts.ts';
import type { Env, Inputs } from './inputs.ts';
import { handOver, type LoadedKey } from './hand-over.ts';
import { fillJobFolder, makeJobFolder, nameJobFolder } from './job-folder.ts';
import { replacedBy, stateName, writeState } from './state.ts';
import { parseStoredKey } from './stored-key.ts';
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
  const folder = nameJobFolder(env['RUNNER_TEMP']);
  const state = { folder: folder.path, replaced: replacedBy(env) };
  workflow.saveState(stateName, writeState(state));
  await makeJobFolder(folder);
  const starting = startAgent(folder.socket, job);
  try {
    const [agent, secrets] = await Promise.all([starting, inTime(readSecrets(inputs, job), signal)]);
    const keys = secrets.map((secret) => toKey(secret, workflow));
    for (const key of keys) await add(key, inputs.keyLifetime, { ...job, agent });
    const { strictHostKeyChecking } = inputs;
    await fillJobFolder(folder, { knownHosts, strictHostKeyChecking, ssh: job.ssh });
    signal.throwIfAborted();
    warnOfSeveral(keys, workflow);
    handOver({ folder, agent, keys, role: inputs.role }, workflow);
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

function toKey(secret: Secret, workflow: Workflow): LoadedKey {
  const { text } = secret.reference;
  for (const line of linesToMask(secret.text)) workflow.mask(line);
  const key = parseStoredKey(secret);
  for (const line of linesToMask(key.text)) workflow.mask(line);
  if (!secret.encrypted) {
    workflow.warn(
      `the parameter ${text} is a plain String: store the key again as a SecureString, and replace it`,
    );
  }
  return { ...key, secret };
}

async function add(
  key: LoadedKey,
  lifetime: number,
  { agent, env, signal, workflow }: Job & { agent: Agent },
): Promise<void> {
  const { reference, version } = key.secret;
  await addKey(agent, key, { env, signal, resource: reference.text, lifetime });
  workflow.info(
    `${reference.text} (version ${version}): ${key.publicKey.type} ${fingerprint(key.publicKey)}`,
  );
}

/** For a step that failed: nothing was loaded that could be forgotten. */
const quiet = { info: () => undefined, warn: () => undefined, exportVariable: () => undefined };

/** Every key is offered to every host for now, in the order written; sshd's MaxAuthTries is 6. */
function warnOfSeveral(keys: readonly LoadedKey[], workflow: Workflow): void {
  const different = new Set(keys.map(({ publicKey }) => fingerprint(publicKey))).size;
  if (different < 2) return;
  const limit = different > 5 ? ', and most servers hang up after the sixth' : '';
  workflow.warn(
    `${different} keys are offered to each host in the order written: a git host takes the first that it knows${limit}`,
  );
}

/** Rejects as soon as the signal is aborted: not everything that the AWS SDK waits for can be told to stop. */
async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return await new Promise<T>((resolve, reject) => {
    signal.addEventListener(
      'abort',
      () => {
        reject(signal.reason as Failure);
      },
      { once: true },
    );
    work.then(resolve, reject);
  });
}
