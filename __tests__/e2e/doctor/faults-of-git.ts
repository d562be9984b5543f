/** Faults of git's configuration, of variables, and of repositories, for doctor to find. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { helperProgram, setVariable, type CommandFault, type DoctorStage, type Fault } from './stage.ts';

const lines = (
  fault: string,
  written: readonly string[],
  more: Omit<CommandFault, 'fault' | 'break'>,
): Fault => ({
  fault,
  break: (stage) => {
    stage.configure(written);
  },
  ...more,
});

const ofSettings: readonly Fault[] = [
  {
    ...{
      fault: 'GIT_SSH_COMMAND is another program',
      check: 'git ssh command',
      status: 'warn',
      detail: /GIT_SSH_COMMAND is ssh/,
    },
    break: setVariable('GIT_SSH_COMMAND', 'ssh'),
  },
  lines('core.sshCommand is another program', ['[core]', 'sshCommand = ssh -v'], {
    ...{
      check: 'git ssh command',
      status: 'warn',
      detail: /core\.sshCommand is ssh \(its arguments are not shown\) \(\S*\.gitconfig line \d+\)/,
    },
  }),
  lines('git runs plain ssh', ['[core]', 'sshCommand ='], {
    ...{ check: 'git ssh command', status: 'fail', detail: /git runs plain ssh/ },
  }),
  lines('the ssh variant is that of plink', ['[ssh]', 'variant = plink'], {
    ...{ check: 'ssh.variant', status: 'fail', detail: /ssh\.variant \(\S*\.gitconfig line \d+\) is plink/ },
  }),
  lines(
    'insteadOf leads from SSH to HTTPS',
    [
      '[ssm "github.com/acme/lib"]',
      'key = /ci/key',
      '[url "https://github.com/"]',
      'insteadOf = git@github.com:',
    ],
    {
      ...{
        check: 'insteadOf',
        status: 'warn',
        detail: /replaces git@github\.com: with https:\/\/github\.com\//,
      },
    },
  ),
  lines(
    'another credential helper is asked first',
    ['[credential "https://github.com"]', 'helper =', 'helper = cache', `helper = ${helperProgram}`],
    {
      ...{
        check: 'credential helpers github.com',
        status: 'warn',
        detail: /asks cache \(\S*\.gitconfig line \d+\) first/,
      },
    },
  ),
  lines('no helper of ours is asked', ['helper ='], {
    ...{ check: 'credential helpers github.com', status: 'fail', detail: /does not ask git-credential-ssm/ },
  }),
  lines('git does not send the path', ['useHttpPath = false'], {
    ...{ check: 'useHttpPath github.com', status: 'fail', detail: /does not say for which repository/ },
  }),
  lines('a section names no repository', ['[ssm "not a repository"]', 'key = /ci/key'], {
    ...{ check: 'ssm sections', status: 'warn', detail: /names no repository: it is ignored/ },
  }),
  lines('a credential is in no section', ['[ssm]', 'credential = /ci/token'], {
    ...{ check: 'ssm sections', status: 'warn', detail: /ssm\.credential is ignored/ },
  }),
  {
    ...{ fault: 'the repository chooses a role', check: 'ignored settings', status: 'warn', folder: 'clone' },
    detail: /sets ssm\.roleArn, which is ignored/,
    break: ({ host }) =>
      host.run('git init -q clone && git -C clone config ssm.roleArn arn:aws:iam::111122223333:role/admin'),
  },
  lines('a time limit is no time', ['[ssm]', 'timeout = soon'], {
    ...{ check: 'ssm settings', status: 'fail', detail: /ssm\.timeout .* is not a duration: "soon"/ },
  }),
  lines('host keys are not checked', ['[ssm]', 'strictHostKeyChecking = no'], {
    ...{ check: 'ssm settings', status: 'warn', detail: /strictHostKeyChecking \(.*\) is no/ },
  }),
  {
    ...{
      fault: "git's configuration has a syntax error",
      check: 'git configuration',
      status: 'fail',
      detail: /INPUT_INVALID: git cannot read/,
    },
    break: ({ host }) => {
      writeFileSync(join(host.home, '.gitconfig'), '[core\n');
    },
    advice: /git config --list/,
    repair: (stage) => {
      stage.configure();
    },
  },
  {
    ...{
      fault: 'a reference has no slash at its start',
      status: 'fail',
      detail: /INPUT_INVALID.*without a slash/,
    },
    check: (stage) => `read [ssm "${stage.section}"]`,
    break: (stage) => {
      stage.configure([], ['key = ci/key']);
    },
    after: 'read /ci/key',
  },
];

const url = (stage: DoctorStage): readonly string[] => ['--url', stage.url];
const onUrl = (check: string): Pick<Fault, 'check' | 'args'> => ({
  check: (stage) => `${check} ${stage.url}`,
  args: url,
});

const ofUrls: readonly Fault[] = [
  {
    ...{
      fault: 'no key is for the repository',
      status: 'warn',
      detail: /no key of ours is for it/,
      ...onUrl('route'),
    },
    break: ({ host, section }) =>
      host.run(`git config --global --rename-section 'ssm.${section}' ssm.git.example.com/acme`),
    fill: { REF: '/ci/key' },
  },
  lines('git starts another ssh, so no key is offered', ['[core]', 'sshCommand = ssh -v'], {
    ...{
      status: 'warn',
      detail: /no key of ours is for it: .* git starts ssh \(its arguments are not shown\), not ssm-ssh/,
    },
    ...onUrl('route'),
  }),
  {
    ...{
      fault: 'the host key is not known',
      status: 'fail',
      detail: /KNOWN_HOSTS_INVALID: no key of/,
      ...onUrl('host key'),
    },
    break: ({ host }) => {
      writeFileSync(join(host.home, 'known'), '');
    },
    behind: 'If it is the same: ',
  },
  {
    ...{
      fault: 'the file of host keys is not there',
      status: 'fail',
      detail: /which cannot be read/,
      ...onUrl('host key'),
    },
    break: (stage) => {
      stage.write('.ssh/known_hosts', stage.git.knownHosts);
      setVariable('SSM_SSH_KNOWN_HOSTS', '/nowhere/known')(stage);
    },
  },
  {
    ...{
      fault: 'the deploy key is not registered',
      status: 'fail',
      detail: /Permission denied/,
      ...onUrl('repository'),
    },
    break: ({ git, key }) => {
      git.removeKey(key.publicKey);
    },
    advice: /register the public key at the host/,
    repair: ({ git, key }) => {
      git.addDeployKey({ repository: 'acme/lib', publicKey: key.publicKey, write: true });
    },
  },
];

export const faultsOfGit: readonly Fault[] = [...ofSettings, ...ofUrls];
