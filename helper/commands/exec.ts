/** `exec`: run a command with a private agent that has the keys and ends with the command. */
import { command } from '../command-line/command.ts';
import { execOptions } from '../exec/options.ts';

export const exec = command({
  name: 'exec',
  summary: 'Run a command with a private agent that has the keys and ends with the command',
  synopsis: '--key REF [--key REF …] [OPTION …] -- COMMAND [ARGUMENT …]',
  examples: [
    ['exec --key /ci/deploy-key -- git clone git@github.com:acme/lib.git', 'clone a private repository'],
    [
      "exec --key '/ci/lib-key github.com/acme/lib' --key '/ci/tools-key github.com/acme/tools' -- npm ci",
      'one deploy key for each repository: git offers the right one',
    ],
  ],
  options: execOptions,
  run: async (line, running) => {
    // Loaded here, because other commands do not need it.
    const { runExec } = await import('../exec/run-exec.ts');
    return await runExec(line, running);
  },
});
