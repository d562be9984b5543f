/** A process that hangs or is killed delays others no longer than SSM_SSH_TIMEOUT. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { program, project } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { useHost } from './use-host.ts';

const credentialHelper = join(project, 'helper/git-credential-ssm');

describeOnHost('a host with a hanging or killed process', () => {
  const stand = useHost();
  const fetch = (): string => `git ls-remote ${stand.git.url('acme/lib')}`;
  const login = (): string => `${program} -p ${stand.git.port} ${stand.git.user}@${stand.git.address}`;
  const agentPids = (): number[] =>
    stand.host
      .processes()
      .filter(({ command }) => command.startsWith('ssh-agent '))
      .map(({ pid }) => pid);
  const signalAgent = (signal: NodeJS.Signals): void => {
    for (const pid of agentPids()) process.kill(pid, signal);
  };
  const impatient = { SSM_SSH_TIMEOUT: '4s' };

  it('reports a hanging agent, with a key that it has and one that it does not have', async () => {
    const { host, world, key } = stand;
    world.put('/ci/other', key.privateKey);
    expect((await host.run(fetch())).code).toBe(0);
    expect(agentPids().length).toBe(1);
    signalAgent('SIGSTOP');
    for (const [command, env] of [
      [login(), {}],
      [login(), { SSM_SSH_KEY: '/ci/other' }],
      [fetch(), { SSM_SSH_KEY: '/ci/other' }],
    ] as const) {
      const { code, stderr, took } = await host.run(command, { ...impatient, ...env });
      expect(code).not.toBe(0);
      expect(stderr).toMatch(/^ssm-ssh: TIMEOUT: the agent on \S+ has not answered within 4 seconds\nhint: /);
      expect(took).toBeLessThan(30_000);
    }
  });

  it('works again after flush, which ends a hanging agent', async () => {
    const { host } = stand;
    await host.run(fetch());
    const hanging = agentPids();
    signalAgent('SIGSTOP');
    expect((await host.run(`${project}/helper/ssm-ssh-agent flush`)).code).toBe(0);
    expect(agentPids().filter((pid) => hanging.includes(pid))).toEqual([]);
    expect((await host.run(fetch())).code).toBe(0);
  });

  it.each(['keys/*', 'asked/*'])('reports a hanging process that holds %s', async (lock) => {
    const { host } = stand;
    // The settings are the same, so nothing is compiled again.
    await host.run(fetch(), { SSM_SSH_TIMEOUT: '6s' });
    await host.run(`rm ${host.state}/keys/*/live`);
    if (lock === 'asked/*') await host.run(`rm -r ${host.state}/compiled`);
    const [file = '', ...args] = host.argv([
      'sh',
      '-c',
      `exec flock $(echo ${host.state}/${lock})/lock sh -c 'echo held; sleep 600'`,
    ]);
    const holder = spawn(file, args, { cwd: host.home, env: host.env });
    await once(holder.stdout, 'data');
    const { code, stderr, took } = await host.run(fetch(), { SSM_SSH_TIMEOUT: '6s' });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(
      /^ssm-ssh: TIMEOUT: another ssm-ssh has kept this one waiting for 6 seconds: it has \S+\nhint: /,
    );
    expect(took).toBeLessThan(30_000);
  });

  it('waits as long with busybox’s flock, which has no time limit', async () => {
    const { host } = stand;
    const real = (await host.run('command -v flock')).stdout.trim();
    await host.run(
      `mkdir bin; printf '#!/bin/sh\\ncase $1 in -E | -w) exit 1 ;; esac\\nexec ${real} "$@"\\n' >bin/flock; chmod +x bin/flock`,
    );
    host.env['PATH'] = `${host.home}/bin:${host.env['PATH'] ?? ''}`;
    const both = await host.run(
      `for i in 1 2; do (${fetch()} >/dev/null && echo done) & done; wait`,
      impatient,
    );
    expect([both.stdout, both.stderr, stand.calls()]).toEqual(['done\ndone\n', '', 1]);
    await host.run(`rm ${host.state}/keys/*/live`);
    const { stderr } = await host.run(
      `${real} $(echo ${host.state}/keys/*)/lock sleep 600 >/dev/null 2>&1 & sleep 0.5; ${fetch()} || true`,
      impatient,
    );
    expect(stderr).toMatch(/^ssm-ssh: TIMEOUT: another ssm-ssh has kept this one waiting for 4 seconds/);
  });

  it('that is killed while it starts an agent leaves no agent that ends later', async () => {
    const { host } = stand;
    const bin = join(host.home, 'bin');
    const real = (await host.run('command -v ssh-agent')).stdout.trim();
    await host.run(`mkdir ${bin}`);
    writeFileSync(
      join(bin, 'ssh-agent'),
      `#!/bin/sh\ntouch ${host.home}/starting\nsleep 1\nexec ${real} "$@"\n`,
      {
        mode: 0o755,
      },
    );
    const env = { ...host.env, PATH: `${bin}:${host.env['PATH'] ?? ''}` };
    const [file = '', ...args] = host.argv(['bash', '-c', fetch()]);
    const child = spawn(file, args, { cwd: host.home, env, detached: true, stdio: 'ignore' });
    while (!existsSync(join(host.home, 'starting'))) await sleep(10);
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await once(child, 'exit');
    while (!existsSync(join(host.state, 'keeper'))) await sleep(10);
    expect((await host.run(fetch())).code).toBe(0);
    // An agent checks every ten seconds whether its keeper is running.
    const keeper = Number(readFileSync(join(host.state, 'keeper'), 'utf8'));
    expect(host.processes().map(({ pid }) => pid)).toContain(keeper);
  });

  it('leaves no agent and no keeper after flush during a fetch', async () => {
    const { host, world } = stand;
    world.aws.faults.order({ operation: 'ssm:GetParameter', fault: 'hang', times: 100 });
    const fetching = host.run(fetch(), { SSM_SSH_TIMEOUT: '5s' });
    while (!existsSync(join(host.state, 'keeper'))) await sleep(10);
    await host.run(`${project}/helper/ssm-ssh-agent flush`);
    // Now the key arrives, and finds no agent.
    world.aws.faults.clear();
    expect((await fetching).code).not.toBe(0);
    for (let waited = 0; waited < 20_000 && host.processes().length > 0; waited += 50) await sleep(50);
    expect(host.processes()).toEqual([]);
  });

  it.each(['git', 'flock'] as const)('reports a %s that hangs', async (name) => {
    const { host } = stand;
    const script = '#!/bin/sh\nwhile :; do sleep 0.5; done\n';
    await host.run('mkdir bin');
    writeFileSync(join(host.home, 'bin', name), script, { mode: 0o755 });
    host.env['PATH'] = `${host.home}/bin:${host.env['PATH'] ?? ''}`;
    const { code, stderr, took } = await host.run(login(), impatient);
    expect(code).toBe(255);
    const [asked, seconds] = name === 'git' ? ['git config', 4] : ['flock', 6];
    expect(stderr).toBe(
      `ssm-ssh: TIMEOUT: ${asked} has not answered within ${seconds} seconds\nhint: see why ${name} hangs: run it by hand (command -v ${name}); or raise SSM_SSH_TIMEOUT\n`,
    );
    expect(took).toBeLessThan(30_000);
  });

  it.each([
    ['folder', (): unknown => stand.host.run(`rm -r ${stand.host.state}`)],
    [
      'agent',
      () => {
        signalAgent('SIGKILL');
      },
    ],
  ])('has a keeper that ends with its %s', async (_, end) => {
    const { host } = stand;
    await host.run(fetch());
    expect(host.processes().length).toBe(2);
    await end();
    for (let waited = 0; waited < 20_000 && host.processes().length > 0; waited += 50) await sleep(50);
    expect(host.processes()).toEqual([]);
  });

  it('lets git-credential-ssm wait for git no longer than SSM_SSH_TIMEOUT', async () => {
    const { host } = stand;
    const { code, stderr, took } = await host.run(`mkfifo in; exec 3<>in; ${credentialHelper} get <in 3<&-`, {
      SSM_SSH_CREDENTIAL: '/ci/token',
      SSM_SSH_TIMEOUT: '2s',
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^git-credential-ssm: TIMEOUT: reading what git asks for took longer than 2 seconds\nhint: /,
    );
    expect(took).toBeLessThan(30_000);
  });
});
