/** Proves that a key opens a repository: `git ls-remote` with only this key in a private agent, and nothing else of the user's. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tookTooLong, withDeadline } from '../../src/deadline.ts';
import { Failure } from '../../src/errors.ts';
import { notFound } from '../../src/git/config-file.ts';
import type { PrivateKey } from '../../src/keys/private-key.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import { visible } from '../../src/keys/visible-text.ts';
import { programSeconds } from '../../src/process/in-time.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { ProgramNotFound } from '../../src/process/program-not-found.ts';
import { runInGroup } from '../../src/process/run-in-group.ts';
import type { Finished } from '../../src/process/run.ts';
import { addKeys } from '../../src/ssh/agent-keys.ts';
import { exclusively, keyFolder, type KeyFolder } from '../../src/ssh/key-folder.ts';
import type { Signer } from '../../src/keys/signer.ts';
import { lastFailure } from '../../src/kms/front/control.ts';
import type { Front } from '../../src/kms/front/front.ts';
import { startPrivateAgent, type PrivateAgent } from '../../src/ssh/private-agent.ts';
import type { Running } from '../command-line/command.ts';
import { nameTemporaryFolder } from '../command-line/temporary-folder.ts';
import type { StoredKey } from './progress.ts';
import { startProofFront } from './sign-proof.ts';

export interface Proof {
  readonly key: StoredKey['key'];
  /** For a key in KMS. */
  readonly signer?: Signer | undefined;
  /** The key in messages: `the new key of /ci/deploy-key`. */
  readonly resource: string;
  /** The ssh address of a repository. */
  readonly url: string;
  /** In known_hosts form. */
  readonly knownHosts: string;
  /** Whether the host may need a moment until it knows the key. */
  readonly isNew: boolean;
  /** What to do if the host refuses the key. */
  readonly hint: string;
}

/** Milliseconds before the next try: a host takes a moment until it knows a new key. */
const waits = [500, 1000, 2000, 3000, 4000, 5000];
/** Bytes of what the agent for a key in KMS could not sign. */
const mostLog = 65_536;
/** @throws PROVIDER_FAILED if the host refuses the key; KEY_ACCESS_DENIED if KMS does not let it sign; NETWORK_UNREACHABLE, KNOWN_HOSTS_INVALID, GIT_NOT_FOUND, TIMEOUT */
export async function prove(proof: Proof, running: Pick<Running, 'env' | 'signal'>): Promise<void> {
  const { key, knownHosts, isNew } = proof;
  const folder = keyFolder(nameTemporaryFolder('rotate'));
  const socket = proof.signer ? join(folder.path, 'back') : folder.socket;
  const agent = await startPrivateAgent({ ...folder, socket }, running);
  let front: Front | undefined;
  try {
    await writeFile(folder.knownHosts, knownHosts, exclusively);
    await writeFile(publicFile(folder), `${authorizedKeysLine(key.publicKey)}\n`, exclusively);
    front = await serve(proof, { folder, agent }, running);
    for (const wait of [...(isNew ? waits : []), undefined]) {
      const finished = await listRemote(proof, folder, running);
      if (finished.exitCode === 0 && listing.test(finished.stdout)) return;
      const unsigned = front && lastFailure(front.log.page(0, mostLog).uses, { since: '' });
      if (unsigned) throw unsigned;
      if (wait === undefined || !isRefusal(finished)) throw failureOf(finished, proof);
      await sleep(wait, undefined, { signal: running.signal }).catch(() => undefined);
      running.signal.throwIfAborted();
    }
  } finally {
    await front?.end();
    await agent.end();
  }
}

/** A key in KMS has an agent of ours. OpenSSH's agent guards the folder then, and holds no key. */
async function serve(
  { key, signer, resource, url }: Proof,
  { folder, agent }: { readonly folder: KeyFolder; readonly agent: PrivateAgent },
  running: Pick<Running, 'env' | 'signal'>,
): Promise<Front | undefined> {
  if (signer) return await startProofFront({ signer, folder, url }, running);
  await addKeys(agent, [{ ...(key as PrivateKey), resource }], { lifetime: 0, signal: running.signal });
  return undefined;
}

function publicFile({ path }: KeyFolder): string {
  return join(path, 'key.pub');
}

async function listRemote(
  { url }: Proof,
  folder: KeyFolder,
  { env, signal }: Pick<Running, 'env' | 'signal'>,
): Promise<Finished> {
  const patience = programSeconds(env);
  const hint = 'check the network of this machine, and --test; or raise SSM_SSH_TIMEOUT';
  const reason = tookTooLong(`git ls-remote ${url}`, patience, hint);
  const own = {
    // The user's configuration may rewrite the address, so that another credential would be proven.
    ...{ HOME: folder.path, GIT_CONFIG_NOSYSTEM: '1', GIT_ALLOW_PROTOCOL: 'ssh' },
    ...{ GIT_TERMINAL_PROMPT: '0', GIT_SSH_VARIANT: 'ssh', GIT_SSH_COMMAND: sshCommand(folder), LC_ALL: 'C' },
  };
  const around = { PATH: env['PATH'] ?? '', ...(env['TMPDIR'] !== undefined && { TMPDIR: env['TMPDIR'] }) };
  const deadline = { milliseconds: patience * 1000, reason, signal };
  // In a group, because git that is killed leaves its ssh behind.
  const finished = await withDeadline(deadline, (limited) =>
    runInGroup(['git', 'ls-remote', '--quiet', '--', url, 'HEAD'], {
      ...{ env: { ...around, ...own }, cwd: '/', signal: limited },
    }),
  );
  if (noGit.test(finished.stderr)) return notFound(new ProgramNotFound('git is not on PATH'));
  return finished;
}

/** Of the shell that starts the group: dash, bash, busybox. git itself says nothing of this kind. */
const noGit = /\bgit: (?:not found|command not found|Permission denied|Is a directory)\s*$/m;

/**
 * The user's configuration of ssh is not read: it can add other keys, or share a connection that another key opened.
 *
 * @source ssh(1), `-F`; ssh_config(5), IdentitiesOnly, UserKnownHostsFile
 */
function sshCommand(folder: KeyFolder): string {
  // ssh replaces % and needs quotes around white space.
  const quoted = (path: string): string => `"${path.replaceAll('%', '%%')}"`;
  const options = [
    ...['BatchMode=yes', 'IdentitiesOnly=yes', 'ControlPath=none', 'ForwardAgent=no', 'ConnectTimeout=15'],
    ...['PasswordAuthentication=no', 'KbdInteractiveAuthentication=no', 'StrictHostKeyChecking=yes'],
    `IdentityAgent=${quoted(folder.socket)}`,
    `IdentityFile=${quoted(publicFile(folder))}`,
    `UserKnownHostsFile=${quoted(folder.knownHosts)} ~/.ssh/known_hosts ~/.ssh/known_hosts2`,
  ];
  return ['ssh', '-F', 'none', ...options.flatMap((option) => ['-o', option])].map(quoteForShell).join(' ');
}

const hostKey = /Host key verification failed|REMOTE HOST IDENTIFICATION/;
const network =
  /Could not resolve|Connection (refused|timed out|reset)|Network is unreachable|No route to host|Operation timed out/i;

const noSsh = /cannot run ssh|\bssh: (?:not found|command not found|Permission denied|Is a directory)\s*$/m;
/** What git lists for HEAD; nothing for a repository without commits. */
const listing = /^(?:[0-9a-f]{40,64}\tHEAD\n)*$/;

function isRefusal({ stderr }: Finished): boolean {
  return ![hostKey, network, noSsh].some((sentence) => sentence.test(stderr));
}

function failureOf({ stderr, exitCode }: Finished, { url, resource, hint }: Proof): Failure {
  const lines = stderr.split('\n').map((line) => line.trim());
  const told = lines.find((line) =>
    /denied|not found|ERROR|fatal|verification|Could not|Connection/.test(line),
  );
  const said = visible(told ?? `exit code ${exitCode}`)
    .slice(0, 300)
    .replace(/[.\s]+$/, '');
  if (hostKey.test(stderr)) {
    return new Failure('KNOWN_HOSTS_INVALID', `the host key of ${url} is not known: ${said}`, {
      hint: 'write it to a file (ssh-keyscan HOST; compare its fingerprint with what the host publishes), and pass --known-hosts FILE',
    });
  }
  if (network.test(stderr)) {
    return new Failure('NETWORK_UNREACHABLE', `${url} cannot be reached: ${said}`, {
      hint: 'check --test and the network of this machine; the configuration of ssh is not used here, with its proxies and host names',
    });
  }
  if (noSsh.test(stderr)) {
    return new Failure('SSH_NOT_FOUND', 'ssh is not on PATH', {
      hint: "install OpenSSH's client: apt-get install openssh-client, dnf install openssh-clients, or apk add openssh-client",
    });
  }
  return new Failure('PROVIDER_FAILED', `${resource} does not open ${url}: ${said}`, { hint });
}
