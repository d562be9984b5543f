/** The post step: undoes what main did, by the saved state alone. */
import { Failure, toFailure } from '../errors.ts';
import { inLanes } from '../in-lanes.ts';
import { endProcesses, type Process } from '../process/process-table.ts';
import { isAgentAt } from '../ssh/agent.ts';
import { forgetKeys } from '../ssh/agent-keys.ts';
import { folderOfCommand } from '../ssh/key-folder.ts';
import type { Env } from './input.ts';
import { ec2FoldersIn, jobFolder, removeJobFolder, type JobFolder } from './job-folder.ts';
import type { State } from './state.ts';
import type { Workflow } from './workflow.ts';

interface Unloading {
  readonly env: Env;
  readonly workflow: Pick<Workflow, 'info' | 'warn' | 'exportVariable'>;
  /** Ends requests to other programs and services: nothing waits for their answers any more. */
  readonly signal?: AbortSignal;
}

/**
 * Undoes several uses at once. It succeeds for things that do not exist: main may have been killed at any point. If one
 * thing cannot be undone, all others still are. Keys are removed before files.
 *
 * @returns messages about what could not be undone
 */
export async function unloadKeys(uses: readonly State[], options: Unloading): Promise<string[]> {
  const { workflow, env } = options;
  const folders = uses.map(({ folder, socket }) => jobFolder(folder, socket));
  const problems: string[] = [];
  let ended: readonly Process[] = [];
  const attempt = async (work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const { message, hint } = toFailure(error);
      // The hint has the command that removes what is left.
      const isLeft = error instanceof Failure && error.code === 'STATE_UNSAFE';
      problems.push(isLeft ? `${message}: ${hint}` : message);
    }
  };
  await Promise.all([
    attempt(async () => {
      ended = await endAgents(folders, options);
    }),
    attempt(() => forgetTokens(uses, folders, options)),
    ...uses.map((use) =>
      attempt(() => {
        putBack(use, { env, workflow });
      }),
    ),
  ]);
  const withBlocks = uses.filter(({ sshConfig }) => sshConfig).map(({ folder }) => folder);
  await Promise.all([
    attempt(async () => {
      if (withBlocks.length === 0) return;
      const { removeBlocks } = await import('../ssh/user-files.ts');
      await removeBlocks((name) => withBlocks.includes(name));
    }),
    inLanes(folders, (folder) => attempt(() => removeJobFolder(folder))),
  ]);
  // An agent that was starting is seen by now. No other one can start: its folder is gone.
  if (ended.length === 0) await attempt(() => endProcesses(isOfOneOf(folders)));
  return problems;
}

/** Most jobs have no token, and are spared what calls GitHub: it takes longer to load than all the rest. */
async function forgetTokens(
  uses: readonly State[],
  folders: readonly JobFolder[],
  options: Unloading,
): Promise<void> {
  if (uses.every(({ tokens }) => tokens?.length === 0)) return;
  const { endTokens } = await import('./kept-tokens.ts');
  const kept = uses.map(({ tokens = [] }, index) => ({ folder: folders[index] as JobFolder, tokens }));
  await endTokens(kept, options);
}

/** Removes the keys through the sockets first: a process in another namespace is not visible. */
async function endAgents(folders: readonly JobFolder[], { env, workflow }: Unloading): Promise<Process[]> {
  const asked = await inLanes(folders, async (folder) => {
    const { socket } = folder;
    const others = (await ec2FoldersIn(folder)).map((one) => one.socket);
    const [said] = await Promise.all([socket, ...others].map(forgetKeys));
    return { socket, said };
  });
  const ended = await endProcesses(isOfOneOf(folders));
  for (const { socket, said } of asked) {
    if (ended.some(isAgentAt(socket))) workflow.info('ssh-agent ended: the keys are forgotten');
    else if (said === 'forgotten')
      workflow.warn(
        `the keys are forgotten, but the process of the agent at ${socket} was not found: it is left without keys`,
      );
    else if (said === 'refused')
      workflow.warn(`no process was found behind ${socket}: its keys end with their lifetime`);
    else if (env['SSH_AUTH_SOCK'] === socket)
      workflow.info(
        `no agent was found at ${socket}: it has ended, or a step has removed its socket, and its keys end with their lifetime`,
      );
  }
  return ended;
}

function isOfOneOf(folders: readonly JobFolder[]): (process: Process) => boolean {
  const ours = folders.flatMap((folder) => [
    isAgentAt(folder.socket),
    isAgentAt(folder.back),
    isOfEc2(folder),
  ]);
  return (process) => ours.some((isOurs) => isOurs(process));
}

/**
 * Ends what connections to EC2 hosts left: the agent of their keys, its keeper, and connections of earlier steps. Their
 * command lines name the folder, whose name is random. When ssh ends, its tunnel ends, and so does the session at AWS.
 */
function isOfEc2({ ec2 }: Pick<JobFolder, 'ec2'>): (process: Process) => boolean {
  // Another user of the job has a folder with a number (helper/ssm-ssh-ec2.sh).
  return ({ command }) =>
    `${command} `
      .split(ec2.path)
      .slice(1)
      .some((rest) => /^(-\d+)?[/ ]/.test(rest));
}

/** If a later step has set a variable again, its value stays. */
function putBack(
  { folder, socket, replaced }: State,
  { env, workflow }: { readonly env: Env; readonly workflow: Pick<Workflow, 'exportVariable'> },
): void {
  const agent = env['SSH_AUTH_SOCK'] === jobFolder(folder, socket).socket;
  const command = folderOfCommand(env['GIT_SSH_COMMAND'] ?? '') === folder;
  for (const [name, value] of Object.entries(replaced)) {
    const ours = name.startsWith('SSH_') ? agent : name.startsWith('GIT_SSH_') ? command : true;
    if (ours) workflow.exportVariable(name, value ?? unset[name] ?? '');
  }
}

/**
 * An action can set a variable for later steps, but cannot remove it. For ssh an empty SSH_AUTH_SOCK means no agent. git
 * would try to run an empty GIT_SSH_COMMAND.
 */
const unset: Readonly<Record<string, string>> = {
  GIT_SSH_COMMAND: 'ssh',
  GIT_SSH_VARIANT: 'ssh',
  GIT_CONFIG_COUNT: '0',
};
