/** The cold half of ssm-ssh: helper/ssm-ssh-fetch.sh starts it for a key that the agent does not have. */
import { readFileSync } from 'node:fs';
import { fetchKey } from './commands/fetch.ts';

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const { env, stderr } = process;
  return await fetchKey(args, {
    env,
    terminal: stderr.isTTY,
    agentIsUp: () => readFileSync(0, 'utf8') === 'up\n',
    tell: (text) => {
      stderr.write(text);
    },
  });
}
