import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { openEc2Host, type Ec2Host } from './ec2-host.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('ssm-ssh-agent exec ends early', () => {
  let host: Ec2Host;
  let key: SshKey;

  beforeAll(async () => {
    key = await makeSshKey();
  });
  beforeEach(async () => {
    host = await openEc2Host();
    host.world.put('/ci/deploy-key', key.privateKey);
  });
  afterEach(async () => {
    expect(await gone()).toEqual([]);
    await host.close();
  });

  /** What is left a moment later: the guard cleans up after the program, where that is killed. */
  const gone = async (): Promise<string[]> => {
    for (let waited = 0; waited < 3000 && host.leftovers().length > 0; waited += 20) await sleep(20);
    return host.leftovers();
  };
  const exec = (...words: string[]): string[] => ['exec', '--key', '/ci/deploy-key', '--', ...words];

  const started = async (script: string): Promise<ReturnType<Ec2Host['startAgent']>> => {
    const running = host.startAgent(exec('sh', '-c', `${script} echo ready; while :; do sleep 0.05; done`));
    while (!running.said().includes('ready')) await sleep(10);
    return running;
  };

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('by %s, which the command gets', async (name) => {
    const running = await started(`trap 'echo got; exit 9' ${name.slice(3)};`);
    running.child.kill(name);
    const { exitCode, stdout } = await running.ended;
    expect([exitCode, stdout]).toEqual([9, 'ready\ngot\n']);
  });

  it('by a kill of the program itself: its agent and its folder are gone soon after', async () => {
    const running = await started('echo $$;');
    const agents = host.leftovers();
    expect(agents.some((line) => line.startsWith('ssh-agent -a'))).toBe(true);
    running.child.kill('SIGKILL');
    expect(await gone()).toEqual([]);
    process.kill(Number(running.said().split('\n')[0]), 'SIGKILL');
    await running.ended;
  });

  it('by SIGTERM while it waits for AWS, and says nothing', async () => {
    host.world.aws.faults.order({ operation: 'ssm:GetParameter', fault: 'hang' });
    const running = host.startAgent(exec('echo', 'never'));
    while (!host.world.aws.calls.some(({ operation }) => operation === 'ssm:GetParameter')) await sleep(10);
    running.child.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ exitCode: 143, stdout: '', stderr: '' });
  });

  it('by a kill at any time', async () => {
    for (let after = 30; after <= 600; after += 60) {
      const running = host.startAgent(exec('true'));
      await sleep(after);
      running.child.kill('SIGKILL');
      await running.ended;
      expect(await gone()).toEqual([]);
    }
  });
});
