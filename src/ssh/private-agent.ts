/**
 * An ssh-agent for the lifetime of this process, and of one that gets its lifeline. It ends and its folder is removed soon
 * after, even if the process is killed.
 */
import { dirname } from 'node:path';
import { Failure } from '../errors.ts';
import { startChildWithLifeline, type ChildWithLifeline } from '../process/child-with-lifeline.ts';
import { inTime } from '../process/in-time.ts';
import { ProgramNotFound } from '../process/program-not-found.ts';
import { removeFolder } from '../process/remove-folder.ts';
import { agentEnv, agentFailed, found, requireFit, stopAgent, type AgentOptions } from './agent.ts';
import type { Agent } from './agent.ts';

export interface PrivateAgent extends Agent, Pick<ChildWithLifeline, 'lifeline'> {
  /** Ends the agent and removes its folder. */
  end(): Promise<void>;
}

/**
 * `ssh-agent COMMAND` replaces itself with the command and leaves the agent as its child. This command waits for the
 * end of its standard input, which comes when this process closes it or ends, and cleans up. It ignores signals,
 * because the terminal sends them for other programs. It also ignores SIGPIPE. rm fails if a program that is still running
 * writes into the folder meanwhile.
 */
const guard = `trap '' HUP INT PIPE QUIT TERM
echo "$SSH_AGENT_PID"
while read -r _; do :; done
kill "$SSH_AGENT_PID"
rm -rf -- "$0" || rm -rf -- "$0"`;

/** Exit codes of `start`: the shell's code for a missing program, and a code that ssh-agent does not use. */
const [notFound, noFolder] = [127, 73];

/** The same process creates the folder and becomes its guard, so the folder never exists without a guard. */
const start = `command -v ssh-agent >/dev/null || exit ${notFound}
mkdir -m 700 -- "$0" || exit ${noFolder}
exec ssh-agent -a "$1" sh -c "$2" "$0"`;

/**
 * @param folder must not exist; it is created with access only for this user, and holds the socket
 * @throws AGENT_NOT_FOUND, AGENT_FAILED, STATE_UNSAFE, TIMEOUT
 */
export async function startPrivateAgent(
  { path, socket }: { readonly path: string; readonly socket: string },
  { env, signal }: AgentOptions,
): Promise<PrivateAgent> {
  requireFit(socket);
  return await found(startGuarded({ path, socket }, { env, signal }));
}

async function startGuarded(
  { path, socket }: { readonly path: string; readonly socket: string },
  { env, signal }: AgentOptions,
): Promise<PrivateAgent> {
  const argv = ['sh', '-c', start, path, socket, guard] as const;
  const child = await inTime({ program: 'ssh-agent', env, signal }, (limited) =>
    startChildWithLifeline(argv, { env: agentEnv(env), signal: limited }),
  ).catch(async (error: unknown) => {
    // An ssh-agent that hangs has not become the guard yet, which would do this.
    await stopAgent(socket);
    await removeFolder(path);
    throw error;
  });
  const pid = Number(child.firstLine);
  if (Number.isInteger(pid) && pid > 0)
    return { socket, pid, lifeline: child.lifeline, end: () => endAgent(child, socket) };
  const ended = await child.end();
  if (ended.exitCode === noFolder) throw cannotHold(dirname(path), ended.stderr);
  await removeFolder(path);
  if (ended.exitCode === notFound) throw new ProgramNotFound('ssh-agent is not on PATH');
  throw agentFailed('ssh-agent did not start', ended);
}

function cannotHold(place: string, why: string): Failure {
  const said = why.trim().replace(/\s+/g, ' ');
  return new Failure('STATE_UNSAFE', `the temporary folder ${place} cannot hold a folder (${said})`, {
    hint: 'set TMPDIR to a folder that you can write to',
  });
}

async function endAgent(child: ChildWithLifeline, socket: string): Promise<void> {
  await child.end();
  // Ends an agent that the guard has not ended yet, or that lost its guard.
  await stopAgent(socket);
}
