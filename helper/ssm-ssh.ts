/** The cold half of ssm-ssh: helper/ssm-ssh-fetch.sh starts it for a key that the agent does not have. */
import { fetchKey } from './commands/fetch.ts';

const { argv, env, stderr } = process;

process.exit(
  await fetchKey(argv.slice(2), {
    env,
    terminal: stderr.isTTY,
    tell: (text) => {
      stderr.write(text);
    },
  }),
);
