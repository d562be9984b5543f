/** The main step: from key references to keys in an agent that later steps use. */
import { appendFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { anySignal } from '../deadline.ts';
import { allowedSigner } from '../git/job-configuration.ts';
import { forSigning, forTokens, requireGit, forRestrictions, requireSsh } from './versions.ts';
import { claims, renderRoutes } from '../keys/routes.ts';
import { renderSigningLines } from '../keys/signing-lines.ts';
import { environmentRegion, renderJobRole } from '../host/job-role.ts';
import { openKey, type LoadedKey } from '../host/open-key.ts';
import { isStoredLine } from '../keys/key-line.ts';
import { muted } from '../host/voice.ts';
import type { Secret } from '../secrets/source.ts';
import { homeOfAccount, userId } from '../process/account.ts';
import type { Run } from '../process/run.ts';
import { startAgent, type Agent } from '../ssh/agent.ts';
import { addKeys } from '../ssh/agent-keys.ts';
import { canStart, type Identity, type Programs } from '../ssh/key-folder.ts';
import { renderKnownHosts } from '../ssh/known-hosts.ts';
import { input } from './input.ts';
import type { Env, Inputs } from './inputs.ts';
import type { GitToken, TokenJob } from './git-tokens.ts';
import { handOver } from './hand-over.ts';
import { headStart } from './head-start.ts';
import type { JobFolder } from './job-folder.ts';
import type { Kept, TokenRecord } from './kept-tokens.ts';
import {
  fillJobFolder,
  makeJobFolder,
  nameJobFolder,
  type Installation,
  type JobFiles,
} from './make-job-folder.ts';
import { leadPlainSsh } from './plain-ssh.ts';
import { replacedBy, stateName, writeState } from './state.ts';
import { frontWanted, startFront } from './front.ts';
import { identityOf, type UsableKey } from '../host/usable-key.ts';
import { readJobSecrets, settleRole } from './job-secrets.ts';
import { hostRegions } from './region-inputs.ts';
import { checkRestrictable, destinationsOfKeys } from './restrictions.ts';
import { renderSummary } from './summary.ts';
import { sweep } from './sweep.ts';
import { unloadKeys } from './unload-keys.ts';
import type { Workflow } from './workflow.ts';

export interface Job {
  readonly env: Env;
  readonly workflow: Workflow;
  /** Aborted when the job is cancelled or the step takes too long, with a Failure as its reason. */
  readonly signal: AbortSignal;
  /** Starts programs that get no secret. */
  readonly run: Run;
  readonly installation: Installation;
  readonly programs: Programs;
}

/** Prepares everything for the next steps, or throws and leaves nothing behind. */
export async function loadKeys(inputs: Inputs, job: Job): Promise<void> {
  const { env, workflow, signal } = job;
  const knownHosts = renderKnownHosts(inputs.knownHosts);
  if (inputs.restrictToHosts) {
    checkRestrictable(inputs.keys.filter(isStoredLine), knownHosts);
    await requireSsh(forRestrictions, job);
  }
  if (inputs.gitSigning) await requireGit(forSigning, job);
  if (inputs.apps.length > 0) await requireGit(forTokens, job);
  const folder = nameJobFolder(env['RUNNER_TEMP']);
  const { path, socket } = folder;
  const { sshConfig, withAgent, withSsh } = inputs;
  const configuration = inputs.gitSigning || inputs.apps.length > 0;
  const replaced = replacedBy(env, { agent: withAgent, ssh: withSsh, configuration });
  if (withSsh) warnOfAccount(workflow);
  const kept: Kept[] = [];
  const save = (): void => {
    const state = { folder: path, socket, sshConfig, tokens: kept, replaced };
    workflow.saveState(stateName, writeState(state));
  };
  save();
  await makeJobFolder(folder, env['RUNNER_TRACKING_ID']);
  // The agent for keys in KMS takes the place of OpenSSH's, which is then behind it.
  const isBehind = !inputs.keys.every(isStoredLine);
  const starting = withAgent ? startAgent(isBehind ? folder.back : socket, job) : Promise.resolve(undefined);
  // It may fail while the role is settled, when nobody waits for it yet.
  starting.catch(() => undefined);
  const failed = new AbortController();
  let serving: ReturnType<typeof startFront> = Promise.resolve(undefined);
  try {
    // Nothing is asked before all that can be checked without it.
    const begun = headStart(inputs, env, signal);
    const settled = await settleRole(inputs, job);
    serving = startFront(inputs, {
      ...{ ...job, folder, settled },
      signal: anySignal(signal, failed.signal),
    });
    const [agent, secrets, front] = await Promise.all([
      starting,
      readJobSecrets(inputs, settled, { ...job, headStart: begun }),
      serving,
      sweep(dirname(path), { ...job, timeoutSeconds: inputs.timeoutSeconds }),
    ]);
    const keys = await Promise.all(
      inputs.keys.map(async (line) =>
        isStoredLine(line) ? await openKey(line, secrets, workflow) : found(front?.keys.get(line)),
      ),
    );
    const filled = withSsh || inputs.role !== undefined;
    const byShell = filled && (await leadSsh(agent, keys, { inputs, folder, knownHosts, ...job }));
    const record: TokenRecord = {
      add: async (token) => {
        kept.push(token);
        save();
        const { renderKept } = await import('./kept-tokens.ts');
        await appendFile(folder.tokens, renderKept(token), { mode: 0o600 });
      },
      drop: (token) => {
        forgetTokens(kept, save, [token]);
      },
    };
    const wanted = frontWanted(inputs, settled);
    const tokens = await makeTokens(inputs, secrets, { ...job, folder, record, wanted });
    signal.throwIfAborted();
    warnOfRivals(keys, workflow);
    const { account } = settled;
    const shown = front?.agent ?? agent;
    handOver({ folder, agent: shown, filled, byShell, keys, tokens, inputs, account, env }, workflow);
    if (inputs.summary && keys.length + tokens.length > 0)
      await workflow.summarize(renderSummary({ keys, tokens }, inputs.keyLifetime));
  } catch (error) {
    failed.abort(error);
    await Promise.allSettled([starting, serving]);
    const left = { folder: path, socket, sshConfig, tokens: [...kept], replaced: {} };
    for (const problem of await unloadKeys([left], { env, workflow: muted(workflow) }))
      workflow.warn(`not everything could be undone: ${problem}`);
    forgetTokens(kept, save, kept);
    throw error;
  }
}

function found(key: UsableKey | undefined): UsableKey {
  if (!key) throw new TypeError('a line has no key');
  return key;
}

/** The code that calls GitHub is loaded only if a line needs it. */
async function makeTokens({ apps }: Inputs, secrets: readonly Secret[], job: TokenJob): Promise<GitToken[]> {
  if (apps.length === 0) return [];
  const tokens = await import('./git-tokens.ts');
  return await tokens.makeTokens(apps, secrets, job);
}

interface Filling extends Job {
  readonly inputs: Inputs;
  readonly folder: JobFolder;
  readonly knownHosts: string;
}

/**
 * Fills the folder that tells ssh which key to use, and how to reach EC2 hosts.
 *
 * @returns whether sh must start the programs in it
 */
async function leadSsh(
  agent: Agent | undefined,
  keys: readonly UsableKey[],
  filling: Filling,
): Promise<boolean> {
  const { inputs, folder, knownHosts, ...job } = filling;
  const adding = agent ? addAll(keys, inputs, { ...job, agent, knownHosts }) : Promise.resolve();
  const writing = new Promise<void>((resolve) => {
    fillJobFolder(folder, { ...filesFor(keys, inputs, job), knownHosts });
    resolve();
  });
  await both(writing, adding);
  const byShell = !(await canStart(folder));
  if (byShell) warnOfNoexec(job.workflow);
  if (!inputs.sshConfig) return byShell;
  const identities = keys.map((key) => ({ repositories: key.repositories, ...identityIn(key, inputs) }));
  await leadPlainSsh(identities, { ...inputs, ...job, folder, knownHosts, byShell });
  return byShell;
}

/** Waits for both even if one fails: what is still being written could not be undone. */
async function both(...works: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(works);
  await Promise.all(works);
}

function filesFor(
  keys: readonly UsableKey[],
  inputs: Inputs,
  { env, installation, programs }: Job,
): Omit<JobFiles, 'knownHosts'> {
  const publicKeys = keys.map(({ publicKey }) => publicKey);
  return {
    strictHostKeyChecking: inputs.strictHostKeyChecking,
    routes: renderRoutes(keys),
    signing: renderSigningLines(inputs.keys),
    identities: keys.map((key) => identityIn(key, inputs)),
    allowedSigners: inputs.gitSigning ? publicKeys.map(allowedSigner).join('') : '',
    before: {
      agent: inputs.withAgent ? (env['SSH_AUTH_SOCK'] ?? '') : undefined,
      command: env['GIT_SSH_COMMAND'] ?? '',
    },
    ...{ installation, programs, region: input(env, 'aws-region') && (inputs.regions[0] ?? '') },
    role: inputs.role
      ? renderJobRole({
          ...{ ...inputs, role: inputs.role, regions: hostRegions(env, inputs.regions) },
          environmentRegion: environmentRegion(env),
        })
      : '',
  };
}

function identityIn(key: UsableKey, { restrictToHosts }: Inputs): Identity {
  return identityOf(key, restrictToHosts || !isLoaded(key));
}

/** Whether OpenSSH's agent gets it. */
function isLoaded(key: UsableKey): key is LoadedKey {
  return 'fields' in key;
}

async function addAll(
  all: readonly UsableKey[],
  { keyLifetime: lifetime, restrictToHosts }: Inputs,
  { agent, knownHosts, signal, workflow }: Job & { agent: Agent; knownHosts: string },
): Promise<void> {
  const keys = all.filter(isLoaded);
  const restricted = restrictToHosts ? destinationsOfKeys(keys, knownHosts) : undefined;
  const added = keys.map((key) => ({
    ...key,
    resource: key.secret.reference.text,
    destinations: restricted?.get(key.fingerprint) ?? [],
  }));
  await addKeys(agent, added, { lifetime, signal });
  for (const { secret, publicKey, fingerprint } of all) {
    const { reference, version } = secret;
    const which = version === '' ? '' : ` (version ${version})`;
    workflow.info(`${reference.text}${which}: ${publicKey.type} ${fingerprint}`);
  }
}

/** These tokens are revoked, so post must not look for them. If this cannot be saved (the disk is full), post finds none. */
function forgetTokens(kept: Kept[], save: () => void, revoked: readonly Kept[]): void {
  const left = kept.filter((token) => !revoked.includes(token));
  if (kept.splice(0, kept.length, ...left).length === left.length) return;
  try {
    save();
  } catch {
    // The first failure is reported.
  }
}

/** A host accepts the first key that it knows, and then gives access to the repositories of that key alone. */
function warnOfRivals(keys: readonly UsableKey[], workflow: Workflow): void {
  for (const [pattern, { size }] of claims(keys)) {
    if (size < 2) continue;
    const what = pattern || 'all repositories that no other key matches';
    const limit = size > 5 ? ', and most servers hang up after the sixth' : '';
    workflow.warn(
      `${size} keys are offered for ${what}, in the order written: a host takes the first that it knows${limit}`,
    );
  }
}

function warnOfNoexec(workflow: Pick<Workflow, 'warn'>): void {
  workflow.warn(
    'RUNNER_TEMP is mounted noexec: git works, which is told to start sh with ssm-ssh; the programs on PATH (ssm-ssh, ssm-ssh-agent, git-credential-ssm) cannot be started. Mount it with exec, or write $GIT_SSH_COMMAND instead of ssm-ssh',
  );
}

/** OpenSSH's programs look up the account of the user, and exit if there is none (getpwuid(3)). */
function warnOfAccount(workflow: Pick<Workflow, 'warn'>): void {
  if (homeOfAccount() === undefined) {
    workflow.warn(
      `the user ${userId()} has no entry in the list of accounts (/etc/passwd): OpenSSH does not run for such a user, and git does not reach its hosts by ssh. Start the container as a user that its image knows, or add the entry: docs/containers.md of this action says how`,
    );
  }
}
