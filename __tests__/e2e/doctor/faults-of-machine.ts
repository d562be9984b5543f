/** Faults of programs, folders, the clock, the network and agents, for doctor to find. */
import { chmodSync, copyFileSync, cpSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { program, project } from '../../support/ec2-host.ts';
import { setVariable, type CommandFault, type DoctorStage, type Fault } from './stage.ts';

/** As the package manager would: into a folder of PATH. */
const installs = (place: string): string =>
  `test "$1 $2" = "install -y" || exit 9
case $3 in git) names=git ;; openssh-client) names="ssh ssh-agent ssh-add" ;; *) exit 9 ;; esac
for name in $names; do
  for folder in /usr/local/bin /usr/bin /bin; do
    test -x "$folder/$name" && ln -sf "$folder/$name" ${place}/
  done
done
true`;

const without = (name: string): Fault => ({
  ...{ fault: `no ${name} is on PATH`, check: name, status: 'fail', detail: /is not on PATH/ },
  break: (stage) => {
    stage.stub({ 'apt-get': installs('"$HOME/programs"') }, name);
  },
});

const unreachable = (variable: string, url: string, fault: Pick<Fault, 'check' | 'detail'>): Fault => ({
  ...{ fault: `${variable} is ${url}`, status: 'fail', ...fault },
  break: setVariable(variable, url),
});

const ofPrograms: readonly Fault[] = [
  without('git'),
  without('ssh'),
  without('ssh-agent'),
  without('ssh-add'),
  {
    ...{
      fault: 'ssh is too old',
      check: 'ssh',
      status: 'fail',
      detail: /OpenSSH_7\.4.* older than OpenSSH 8\.4/,
    },
    break: (stage) => {
      stage.stub({ 'apt-get': installs('"$HOME/old"') });
      stage.write('old/ssh', '#!/bin/sh\necho OpenSSH_7.4p1, OpenSSL 1.0.2k >&2\n', 0o755);
      stage.host.env['PATH'] = [join(stage.host.home, 'old'), stage.host.env['PATH']].join(delimiter);
    },
  },
  {
    ...{ fault: "git's ssh command is gone", check: 'ssh command', status: 'fail' },
    detail: /cannot start \/nowhere\/ssm-ssh, which GIT_SSH_COMMAND names: it does not exist/,
    break: setVariable('GIT_SSH_COMMAND', '/nowhere/ssm-ssh'),
  },
  {
    ...{ fault: "git's ssh command is not executable", check: 'ssh command', status: 'fail' },
    detail: /is not executable/,
    break: (stage) => {
      const path = join(stage.host.home, 'ssm-ssh');
      copyFileSync(program, path);
      chmodSync(path, 0o600);
      setVariable('GIT_SSH_COMMAND', path)(stage);
    },
  },
  {
    ...{ fault: "git's ssh command of the configuration is gone", check: 'ssh command', status: 'fail' },
    detail: /cannot start \/nowhere\/ssm-ssh, which core\.sshCommand names/,
    break: (stage) => {
      stage.configure(['[core]', 'sshCommand = /nowhere/ssm-ssh']);
    },
  },
  {
    ...{ fault: 'the credential helper is gone', check: 'credential helper', status: 'fail' },
    detail: /\/nowhere\/git-credential-ssm.*does not exist/,
    break: (stage) => {
      stage.configure(['helper =', 'helper = /nowhere/git-credential-ssm']);
    },
  },
];

const clock = (fault: string, skew: number, more: Pick<Fault, 'status' | 'detail'>): CommandFault => ({
  ...{ fault, check: 'clock', ...more },
  break: (stage: DoctorStage) => {
    stage.time.skew = skew;
    stage.keepCalls('timedatectl');
  },
  effect: (stage) => {
    if (stage.calls('timedatectl') === 'set-ntp true') stage.time.skew = 0;
  },
});

const ofNetwork: readonly Fault[] = [
  clock('the clock is ten minutes behind', 600_000, { status: 'fail', detail: /\d+ seconds behind AWS/ }),
  clock('the clock is two minutes ahead', -120_000, { status: 'warn', detail: /seconds ahead of AWS/ }),
  unreachable('AWS_ENDPOINT_URL_STS', 'http://127.0.0.1:9', {
    check: 'network sts',
    detail: /NETWORK_UNREACHABLE: sts .*ECONNREFUSED.*TCP/,
  }),
  unreachable('AWS_ENDPOINT_URL_SSM', 'https://ssm.nowhere.invalid', {
    check: 'network ssm',
    detail: /NETWORK_UNREACHABLE: ssm .*DNS failed/,
  }),
  {
    ...{
      fault: 'a portal answers',
      check: 'network ssm',
      status: 'fail',
      detail: /redirects to portal\.example/,
    },
    break: ({ world }) => {
      world.aws.faults.order({ operation: 'ssm:Unknown', fault: 'redirect' });
    },
    advice: /sign in to the network/,
    repair: ({ world }) => {
      world.aws.faults.clear();
    },
  },
  {
    ...{ fault: 'a proxy answers 502', check: 'network ssm', status: 'warn', detail: /answered 502/ },
    break: ({ world }) => {
      world.aws.faults.order({ operation: 'ssm:Unknown', fault: 'bad-gateway' });
    },
    advice: /run it again/,
    repair: ({ world }) => {
      world.aws.faults.clear();
    },
  },
];

const ofAgents: readonly Fault[] = [
  {
    ...{ fault: 'others may write to the state folder', check: 'state folder', status: 'warn' },
    detail: /not used: .*others may write to it/,
    break: ({ host }) => {
      mkdirSync(host.state, { recursive: true });
      chmodSync(host.state, 0o777);
    },
  },
  {
    ...{ fault: "nobody answers at our agent's socket", check: 'agent', status: 'warn', detail: /AGENT_/ },
    break: (stage) => {
      mkdirSync(stage.host.state, { recursive: true, mode: 0o700 });
      stage.write(`.cache/${stage.host.state.split('/').at(-1) ?? ''}/agent`, '');
    },
  },
  {
    ...{
      fault: 'nobody answers at SSH_AUTH_SOCK',
      check: 'SSH_AUTH_SOCK',
      status: 'warn',
      detail: /AGENT_NOT_FOUND/,
    },
    break: setVariable('SSH_AUTH_SOCK', '/nowhere/agent'),
  },
];

export const faultsOfMachine: readonly Fault[] = [...ofPrograms, ...ofNetwork, ...ofAgents];

/** A copy of the package in a folder of nvm. @returns its ssm-ssh-agent */
export function installInNvm(home: string): string {
  const folder = join(home, '.nvm/versions/node/v24.0.0/lib/node_modules/ssm-ssh-agent');
  for (const name of ['helper', 'dist/programs', 'package.json'])
    cpSync(join(project, name), join(folder, name), { recursive: true });
  return join(folder, 'helper/ssm-ssh-agent');
}
