/** The agents that ssm-ssh keeps for a user: ssm-ssh-user-agent.sh starts them, and knows where. */
import { join } from 'node:path';
import { catalogue, Failure, type Code } from '../../src/errors.ts';
import { run } from '../../src/process/run.ts';
import { agentEnv, type AgentOptions } from '../../src/ssh/agent.ts';

export interface Wanted {
  /** The folder of the programs' scripts. */
  readonly helper: string;
  /** The agent's folder. Absent: that of the agent for pushed keys, which the script finds. */
  readonly folder?: string | undefined;
  /** For the agent's answer, as it was written. */
  readonly timeout?: string | undefined;
}

/**
 * @returns the agent's folder; its socket is `agent` in it
 * @throws STATE_UNSAFE, AGENT_NOT_FOUND, AGENT_FAILED, TIMEOUT
 */
export async function ensureAgent(
  { helper, folder: wanted, timeout = '30s' }: Wanted,
  { env, signal }: AgentOptions,
): Promise<string> {
  const argv = [
    'sh',
    join(helper, 'ssm-ssh-user-agent.sh'),
    ...(wanted === undefined ? [] : [wanted]),
  ] as const;
  const { exitCode, stdout, stderr } = await run(argv, {
    env: { ...agentEnv(env), SSM_SSH_TIMEOUT: timeout },
    signal,
  });
  const folder = stdout.trim();
  if (exitCode === 0 && folder.startsWith('/')) return folder;
  throw told(stderr) ?? new TypeError(`the agent did not start: ${stderr.trim()}`);
}

/** What the script told people, as it would be told here. */
function told(stderr: string): Failure | undefined {
  const [, code = '', message = '', hint = ''] = /^ssm-ssh: ([A-Z_]+): (.*)\nhint: (.*)$/m.exec(stderr) ?? [];
  return code in catalogue ? new Failure(code as Code, message, { hint }) : undefined;
}
