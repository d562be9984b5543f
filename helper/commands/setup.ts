/** `setup`: write the configuration of git for this host or user, or remove it again. */
import { command } from '../command-line/command.ts';
import { setupOptions } from '../setup/options.ts';

export const setup = command({
  name: 'setup',
  summary: 'Write the configuration of git for this host or user',
  synopsis:
    '--system|--global --key|--credential REF [REPOSITORY …]|--via WAY|--known-hosts FILE|--remove [OPTION …]',
  examples: [
    ['setup --system --key /ci/deploy-key --region eu-west-1', 'one key for every repository'],
    [
      'setup --global --key /ci/lib-key github.com/acme/lib',
      'a key for one repository; run it again for the next',
    ],
    ['setup --global --key kms:alias/deploy github.com/acme/app', 'a key that stays in KMS'],
    [
      'setup --global --credential /ci/github-token github.com/acme',
      "a token for the owner's repositories by HTTPS",
    ],
    ['setup --global --via session-manager', 'no key: for EC2 hosts alone'],
    ['setup --system --known-hosts /etc/ssh/git_known_hosts', 'the keys of a git host of your own'],
    ['setup --system --key /ci/deploy-key --dry-run', 'what it would write'],
    ['setup --global --remove', 'before you uninstall: remove what setup wrote'],
  ],
  options: setupOptions,
  run: async (line, running) => {
    // Loaded here, because other commands do not need it.
    const { runSetup } = await import('../setup/run-setup.ts');
    return await runSetup(line, running);
  },
});
