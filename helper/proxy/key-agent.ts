/** The agent of this user that is for pushed keys alone: helper/ssm-ssh-ec2-agent.sh starts it, and knows where. */
import { join } from 'node:path';
import { catalogue, Failure, type Code } from '../../src/errors.ts';
import { run } from '../../src/process/run.ts';
import { agentEnv, type AgentOptions } from '../../src/ssh/agent.ts';

/**
 * @param helper the folder of the script
 * @param wanted the agent's folder; absent: the script finds it
 * @returns the agent's folder; its socket is `agent` in it
 * @throws STATE_UNSAFE, AGENT_FAILED
 */
export async function ensureKeyAgent(
  helper: string,
  wanted: string | undefined,
  { env, signal }: AgentOptions,
): Promise<string> {
  const argv = [
    'sh',
    join(helper, 'ssm-ssh-ec2-agent.sh'),
    ...(wanted === undefined ? [] : [wanted]),
  ] as const;
  const { exitCode, stdout, stderr } = await run(argv, {
    env: agentEnv(env),
    signal,
  });
  const folder = stdout.trim();
  if (exitCode === 0 && folder.startsWith('/')) return folder;
  throw told(stderr) ?? new TypeError(`the agent for pushed keys did not start: ${stderr.trim()}`);
}

/** What the script told people, as it would be told here. */
function told(stderr: string): Failure | undefined {
  const [, code = '', message = '', hint = ''] = /^ssm-ssh: ([A-Z_]+): (.*)\nhint: (.*)$/m.exec(stderr) ?? [];
  return code in catalogue ? new Failure(code as Code, message, { hint }) : undefined;
}
