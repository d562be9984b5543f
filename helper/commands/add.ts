/** `add`: load keys into the agent of the caller, or into a new one. */
import { addOptions } from '../add/options.ts';
import { command } from '../command-line/command.ts';

export const add = command({
  name: 'add',
  summary: 'Load keys into the agent at SSH_AUTH_SOCK, for an hour',
  synopsis: 'REF … [OPTION …]',
  examples: [
    ['add /ci/deploy-key', 'into the agent of this session'],
    [
      "add '/ci/deploy-key passphrase=/ci/passphrase' --lifetime 15m",
      'a key that has a passphrase, for 15 minutes',
    ],
    [
      "add --agent 'kms:alias/deploy github.com/acme/lib'",
      'a key in KMS, in a new agent of ours that signs by KMS',
    ],
    [
      "add 'kms:alias/deploy github.com/acme/lib'",
      'the same, into an agent of ours that runs, with its AWS settings',
    ],
    ['add --agent /ci/deploy-key', 'into a new agent: eval "$(…)"; ssh-agent -k ends it'],
  ],
  options: addOptions,
  run: async (line, running) => {
    // Loaded here, because other commands do not need it.
    const { runAdd } = await import('../add/run-add.ts');
    return await runAdd(line, running);
  },
});
