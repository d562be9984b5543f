/** An ssh-agent for the length of this process: it and its folder are gone soon after, even where the process is killed. */
import { startCompanion, type Companion } from '../process/companion.ts';
import { agentEnv, agentFailed, found, requireFit, stopAgent, type AgentOptions } from './agent.ts';
import type { Agent } from './agent.ts';

export interface PrivateAgent extends Agent {
  /** Ends the agent and removes its folder. */
  end(): Promise<void>;
}

/**
 * `ssh-agent COMMAND` becomes the command and leaves the agent beside it. Ours waits for the end of its standard input,
 * which comes when this process closes it or is no more, and cleans up. It hears no signal: the
 * terminal's are for others, and its own words may come to a closed pipe.
 */
const guard = `trap '' HUP INT PIPE QUIT TERM
echo "$SSH_AGENT_PID"
while read -r _; do :; done
kill "$SSH_AGENT_PID"
rm -rf -- "$0"`;

/**
 * @param folder ours alone; the socket is in it
 * @throws AGENT_NOT_FOUND, AGENT_FAILED
 */
export async function startPrivateAgent(
  { path, socket }: { readonly path: string; readonly socket: string },
  { env, signal }: AgentOptions,
): Promise<PrivateAgent> {
  requireFit(socket);
  const argv = ['ssh-agent', '-a', socket, 'sh', '-c', guard, path] as const;
  const companion = await found(startCompanion(argv, { env: agentEnv(env), signal }));
  const pid = Number(companion.firstLine);
  if (!Number.isInteger(pid) || pid === 0)
    throw agentFailed('ssh-agent did not start', await companion.end());
  return { socket, pid, end: () => endAgent(companion, socket) };
}

async function endAgent(companion: Companion, socket: string): Promise<void> {
  await companion.end();
  // One that the guard's signal has not ended yet, or whose guard was killed.
  await stopAgent(socket);
}
