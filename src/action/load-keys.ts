/** The story of main: from key references to keys in an agent that the next steps reach. */
import { dirname } from 'node:path';
import { toFailure } from '../errors.ts';
import { inTime } from '../in-time.ts';
import { linesToMask } from '../keys/private-key.ts';
import { allowedSigner, requireSigningGit } from '../git/signing.ts';
import { decryptKey } from '../keys/encrypted-key.ts';
import type { KeyLine } from '../keys/key-line.ts';
import type { Reference } from '../keys/reference.ts';
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
    const keys = await Promise.all(inputs.keys.map((line) => toKey(line, secrets, workflow)));
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

async function toKey(line: KeyLine, secrets: readonly Secret[], workflow: Workflow): Promise<LoadedKey> {
  const { text } = line.reference;
  const secret = stored(line.reference, secrets);
  const passphrase = line.passphrase && stored(line.passphrase, secrets);
  if (passphrase) workflow.mask(passphrase.text.trim());
  for (const masked of linesToMask(secret.text)) workflow.mask(masked);
  const open = passphrase ? await decryptKey(secret.text, passphrase.text, text) : secret.text;
  const key = parseStoredKey({ reference: line.reference, text: open });
  for (const masked of linesToMask(key.text)) workflow.mask(masked);
  for (const { reference, encrypted } of [secret, passphrase ?? []].flat()) {
    if (encrypted) continue;
    workflow.warn(
      `the parameter ${reference.text} is a plain String: store it again as a SecureString, and replace what it holds`,
    );
  }
  return { ...key, secret, repositories: line.repositories, fingerprint: fingerprint(key.publicKey) };
}

function stored(reference: Reference, secrets: readonly Secret[]): Secret {
  const secret = secrets.find((candidate) => candidate.reference === reference);
  if (!secret) throw new TypeError('a reference was answered by no secret');
  return secret;
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
