import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest } from '@jest/globals';
import { startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { Ec2Host, launchInstance } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { startGitHost, type GitHost } from '../../support/git-host/git-host.ts';
import { runningProcesses } from '../../support/runner/process-table.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';
import { it, itInRest } from '../../support/parts.ts';

// A small machine needs long for a hundred connections.
jest.setTimeout(240_000);

describeOnHost('many parallel git commands on a cold host', () => {
  let world: ReadyWorld;
  let git: GitHost;
  let host: Ec2Host;

  beforeAll(async () => {
    git = await startGitHost();
    await git.createRepository('acme/lib');
  });
  afterAll(async () => {
    await git.stop();
  });
  beforeEach(async () => {
    world = await startReadyWorld();
    launchInstance(world);
    const key = await makeSshKey();
    git.addDeployKey({ repository: 'acme/lib', publicKey: key.publicKey });
    world.put('/ci/key', key.privateKey);
    host = new Ec2Host(world, [git], { SSM_SSH_KEY: '/ci/key' });
  });
  afterEach(async () => {
    host.dispose();
    await world.stop();
  });

  // Many commands run with nice, so that they do not slow down other tests.
  const atOnce = (commands: number): string =>
    `for i in $(seq ${commands}); do (nice -n ${commands > 20 ? 10 : 0} git ls-remote ${git.url('acme/lib')} >/dev/null && echo done) & done; wait`;
  const calls = (): number => world.aws.calls.filter(({ service }) => service === 'ssm').length;
  const lines = (text: string): number => text.split('\n').filter((line) => line === 'done').length;

  const allSucceed = async (commands: number): Promise<void> => {
    const { stdout, stderr } = await host.run(atOnce(commands), { SSM_SSH_TIMEOUT: '120s' });
    expect([stderr, lines(stdout), calls()]).toEqual(['', commands, 1]);
    expect(host.processes().filter(({ command }) => command.startsWith('ssh-agent')).length).toBe(1);
  };
  it('all succeed with one AWS call', () => allSucceed(6));
  itInRest('all succeed with one AWS call', () => allSucceed(100));

  const allSucceedAllTheSame = async (commands: number): Promise<void> => {
    world.aws.faults.order({ operation: 'ssm:GetParameter', fault: { latency: 3000 }, times: 1 });
    const running = host.run(atOnce(commands), { SSM_SSH_TIMEOUT: '120s' });
    while (calls() === 0) await sleep(10);
    const fetching = runningProcesses().filter(
      ({ command, environment }) =>
        command.includes('dist/programs/index.js') && environment.includes(host.home),
    );
    expect(fetching.length).toBe(1);
    for (const { pid } of fetching) process.kill(pid, 'SIGKILL');
    const { stdout } = await running;
    expect(lines(stdout)).toBe(commands);
    expect(calls()).toBeLessThan(3);
  };
  it('all succeed if the fetching process is killed', () => allSucceedAllTheSame(6));
  itInRest('all succeed if the fetching process is killed', () => allSucceedAllTheSame(100));

  it('all fail after one failed attempt, each with the reason', async () => {
    world.aws.faults.order({ operation: 'ssm:GetParameter', fault: 'hang', times: 100 });
    const { stderr, took } = await host.run(atOnce(20), { SSM_SSH_TIMEOUT: '4s' });
    expect(stderr.match(/^ssm-ssh: TIMEOUT: /gm)?.length).toBe(20);
    expect(took).toBeLessThan(120_000);
  });
});
