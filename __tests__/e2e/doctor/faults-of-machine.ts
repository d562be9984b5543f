/** Faults of programs, folders, the clock, the network and agents, for doctor to find. */
import { chmodSync, copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { program, project } from '../../support/ec2-host.ts';
import { agentProgram, asWritten, setVariable, type Fault } from './stage.ts';

const without = (name: string, more: Partial<Fault> = {}): Fault => {
  let path: string | undefined;
  return {
    ...{ fault: `no ${name} is on PATH`, check: name, status: 'fail', detail: /is not on PATH/ },
    break: (stage) => {
      path = stage.host.env['PATH'];
      setVariable('PATH', stage.pathWithout(name))(stage);
    },
    // The remedy installs the package.
    repair: (stage) => {
      setVariable('PATH', path)(stage);
    },
    ...more,
  };
};

const unreachable = (variable: string, url: string, fault: Pick<Fault, 'check' | 'detail'>): Fault => ({
  ...{ fault: `${variable} is ${url}`, status: 'fail', ...fault },
  break: setVariable(variable, url),
  repair: setVariable(variable),
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
      stage.write('old/ssh', '#!/bin/sh\necho OpenSSH_7.4p1, OpenSSL 1.0.2k >&2\n', 0o755);
      stage.host.env['PATH'] = `${join(stage.host.home, 'old')}:${stage.host.env['PATH'] ?? ''}`;
    },
    repair: ({ host }) => {
      rmSync(join(host.home, 'old/ssh'));
    },
  },
  {
    ...{ fault: "git's ssh command is gone", check: 'ssh command', status: 'fail' },
    detail: /cannot start \/nowhere\/ssm-ssh, which GIT_SSH_COMMAND names: it does not exist/,
    break: setVariable('GIT_SSH_COMMAND', '/nowhere/ssm-ssh'),
    repair: (stage, { remedy }) => {
      setVariable('GIT_SSH_COMMAND', /GIT_SSH_COMMAND=(\S+),/.exec(remedy)?.[1])(stage);
    },
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
    repair: asWritten,
  },
  {
    ...{ fault: 'the credential helper is gone', check: 'credential helper', status: 'fail' },
    detail: /\/nowhere\/git-credential-ssm.*does not exist/,
    break: (stage) => {
      stage.configure(['helper =', 'helper = /nowhere/git-credential-ssm']);
    },
    repair: (stage) => {
      stage.configure();
    },
  },
];

const ofNetwork: readonly Fault[] = [
  {
    ...{
      fault: 'the clock is ten minutes behind',
      check: 'clock',
      status: 'fail',
      detail: /\d+ seconds behind AWS/,
    },
    break: (stage) => (stage.time.skew = 600_000),
    repair: (stage) => (stage.time.skew = 0),
  },
  {
    ...{
      fault: 'the clock is two minutes ahead',
      check: 'clock',
      status: 'warn',
      detail: /seconds ahead of AWS/,
    },
    break: (stage) => (stage.time.skew = -120_000),
    repair: (stage) => (stage.time.skew = 0),
  },
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
    repair: ({ world }) => {
      world.aws.faults.clear();
    },
  },
  {
    ...{ fault: 'a proxy answers 502', check: 'network ssm', status: 'warn', detail: /answered 502/ },
    break: ({ world }) => {
      world.aws.faults.order({ operation: 'ssm:Unknown', fault: 'bad-gateway' });
    },
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
    repair: ({ host }) => {
      rmSync(host.state, { recursive: true });
    },
  },
  {
    ...{ fault: "nobody answers at our agent's socket", check: 'agent', status: 'warn', detail: /AGENT_/ },
    break: (stage) => {
      mkdirSync(stage.host.state, { recursive: true, mode: 0o700 });
      stage.write(`.cache/${stage.host.state.split('/').at(-1) ?? ''}/agent`, '');
    },
    repair: ({ host }) => host.run(`${agentProgram} flush`),
    after: { status: 'skip' },
  },
  {
    ...{
      fault: 'nobody answers at SSH_AUTH_SOCK',
      check: 'SSH_AUTH_SOCK',
      status: 'warn',
      detail: /AGENT_NOT_FOUND/,
    },
    break: setVariable('SSH_AUTH_SOCK', '/nowhere/agent'),
    repair: setVariable('SSH_AUTH_SOCK'),
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
