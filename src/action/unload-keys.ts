/** The story of post, from saved state alone: everything that main left is undone. */
import { existsSync } from 'node:fs';
import { stopAgent } from '../ssh/agent.ts';
import { removeBlocks } from '../ssh/user-files.ts';
import { endEc2 } from './ec2-hosts.ts';
import type { Env } from './input.ts';
import { jobFolder, removeJobFolder } from './job-folder.ts';
import { endTokens } from './kept-tokens.ts';
import type { State } from './state.ts';
import type { Workflow } from './workflow.ts';

/** Undoing what is not there succeeds: main may have died at any point, or never begun. */
export async function unloadKeys(
  { folder: path, socket, sshConfig = false, replaced }: State,
  {
    env,
    workflow,
  }: { readonly env: Env; readonly workflow: Pick<Workflow, 'info' | 'warn' | 'exportVariable'> },
): Promise<void> {
  const folder = jobFolder(path, socket);
  const listening = existsSync(folder.socket);
  if (await stopAgent(folder.socket)) workflow.info('ssh-agent ended: the keys are forgotten');
  else if (listening)
    workflow.warn(`no process was found behind ${folder.socket}: its keys end with their lifetime`);
  await endEc2(folder);
  await endTokens(folder, { env, workflow });
  for (const [name, value] of Object.entries(replaced))
    workflow.exportVariable(name, value ?? unset[name] ?? '');
  // The one is undone whether or not the other can be.
  const undone = await Promise.allSettled([
    sshConfig ? removeBlocks((name) => name === path) : undefined,
    removeJobFolder(folder),
  ]);
  for (const result of undone) if (result.status === 'rejected') throw result.reason as Error;
}

/**
 * The runner can set a variable for the steps to come, not remove it. To ssh an empty SSH_AUTH_SOCK is no agent; git
 * would run an empty GIT_SSH_COMMAND.
 */
const unset: Readonly<Record<string, string>> = {
  GIT_SSH_COMMAND: 'ssh',
  GIT_SSH_VARIANT: 'ssh',
  GIT_CONFIG_COUNT: '0',
};
