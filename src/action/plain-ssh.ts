/** ssh-config: blocks in ~/.ssh for programs that start ssh themselves. Such programs tell ssh only the host. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readClaims, type RoutedKey } from '../keys/routes.ts';
import { jobRoleFile } from '../host/job-role.ts';
import { quoteForShell } from '../process/quote.ts';
import { ProgramNotFound } from '../process/program-not-found.ts';
import type { Run } from '../process/run.ts';
import { certificateFile, publicKeyFile, type Identity } from '../ssh/key-folder.ts';
import { renderSshConfig, type Claimed, type Ec2Access } from '../ssh/ssh-config.ts';
import { addBlocks, blockNames } from '../ssh/user-files.ts';
import type { Env } from './input.ts';
import { usesBefore, type JobFolder } from './job-folder.ts';
import type { Workflow } from './workflow.ts';

interface Leading {
  readonly env: Env;
  readonly workflow: Pick<Workflow, 'warn'>;
  readonly signal: AbortSignal;
  readonly run: Run;
  readonly folder: JobFolder;
  /** The text of the known_hosts file in the folder. */
  readonly knownHosts: string;
  readonly strictHostKeyChecking: string;
  /** Whether sh must start our programs. */
  readonly byShell: boolean;
}

/** @throws STATE_UNSAFE */
export async function leadPlainSsh(
  keys: readonly (Pick<RoutedKey, 'repositories'> & Identity)[],
  { env, workflow, signal, run, folder, knownHosts, strictHostKeyChecking, byShell }: Leading,
): Promise<void> {
  const named = keys.map(({ certificate, repositories }, number) => ({
    publicKey: publicKeyFile(folder, number),
    certificate: certificate && certificateFile(folder, number),
    repositories,
  }));
  const { socket } = folder;
  const temp = env['RUNNER_TEMP'] ?? '';
  const uses = await usesBefore(folder.path);
  const files = { socket, temp, knownHosts: folder.knownHosts, strictHostKeyChecking };
  const there = { claimedBefore: await claimedBefore(uses), ec2: ec2Access(folder, uses, byShell) };
  await addBlocks(folder.path, {
    config: renderSshConfig(named, { ...files, ...there }),
    // Other jobs of this user read this file, too, so @revoked and @cert-authority lines are left out.
    knownHosts: knownHosts.split('\n').filter((line) => line !== '' && !line.startsWith('@')),
  });
  const shell = env['SHELL'] || '/bin/sh';
  if (await readsConditions(shell, { env, signal, run })) return;
  workflow.warn(
    `ssh-config has no effect where SHELL is ${shell}: ssh asks it for the conditions, which are sh's. Set SHELL: /bin/sh in the job's env`,
  );
}

/** The blocks of earlier uses come after this one's, but take precedence over its default keys. */
async function claimedBefore(uses: readonly string[]): Promise<Claimed[]> {
  const written = await blockNames();
  const routes = uses
    .filter((use) => written.includes(use))
    .map((use) => readFile(join(use, 'routes'), 'utf8'));
  return (await Promise.all(routes)).flatMap(readClaims);
}

/** The role may be the role of an earlier use: this block comes before its block. */
function ec2Access(
  { path, programs, ec2 }: JobFolder,
  uses: readonly string[],
  byShell: boolean,
): Ec2Access | undefined {
  if (![path, ...uses].some((use) => existsSync(join(use, jobRoleFile)))) return undefined;
  const program = quoteForShell(join(programs, 'ssm-ssh-agent'));
  return { proxy: `${byShell ? 'sh ' : ''}${program} proxy`, socket: ec2.socket, knownHosts: ec2.knownHosts };
}

/** @source ssh_config(5), `Match exec`: the user's shell runs it, which may be csh, fish or nologin */
async function readsConditions(
  shell: string,
  { env: { RUNNER_TRACKING_ID: job }, signal, run }: Pick<Leading, 'env' | 'signal' | 'run'>,
): Promise<boolean> {
  // The runner finds a shell that hangs by RUNNER_TRACKING_ID.
  const env = job === undefined ? {} : { RUNNER_TRACKING_ID: job };
  try {
    const condition = 'case x in x) ;; *) false;; esac';
    return (await run([shell, '-c', condition], { env, signal })).exitCode === 0;
  } catch (error) {
    if (error instanceof ProgramNotFound) return false;
    throw error;
  }
}
