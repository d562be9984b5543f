import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import type { Job, StepResult } from '../support/runner/job.ts';
import { told, useStage } from './stage.ts';
import { itInRest, itInTurn as it } from '../support/parts.ts';

describe('a job that ends early', () => {
  const stage = useStage();
  let world: ReadyWorld;

  beforeEach(async () => {
    world = await startReadyWorld();
    world.put('/ci/deploy-key', stage.key.privateKey);
  });
  afterEach(async () => {
    await world.stop();
  });

  const inputs = { keys: '/ci/deploy-key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
  const asked = (operation: string) => async (): Promise<void> => {
    while (!world.aws.calls.some((call) => call.operation === operation)) await sleep(5);
  };
  const nothingLeft = async (job: Job): Promise<void> => {
    const { posts, leftoverProcesses } = await job.finish();
    expect(posts.map(({ outcome, annotations }) => [outcome, annotations])).toEqual([['success', []]]);
    expect(leftoverProcesses).toEqual([]);
    expect(job.files()).toEqual([]);
  };

  const waits = ['oidc:token', 'sts:AssumeRoleWithWebIdentity', 'ssm:GetParameter'];

  it.each(waits)('cancelled while it waits for %s: main itself leaves nothing', async (operation) => {
    world.aws.faults.order({ operation, fault: 'hang' });
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({ with: inputs, cancelWhen: asked(operation) });
    expect(main.outcome).toBe('cancelled');
    expect(main.signal).toBe(null);
    expect(job.processes()).toEqual([]);
    expect(job.files()).toEqual([]);
    await nothingLeft(job);
  });

  it.each(waits)('killed while it waits for %s: post leaves nothing', async (operation) => {
    world.aws.faults.order({ operation, fault: 'hang' });
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({ with: inputs, killWhen: asked(operation) });
    expect(main.signal).toBe('SIGKILL');
    await nothingLeft(job);
  });

  // Its process does not name the socket at first, as between fork(2) and execve(2).
  const lateAgent = (seconds: number): { path: string; hasBegun: () => Promise<void> } => {
    const folder = mkdtempSync(join(tmpdir(), 'late-agent-'));
    const begun = join(folder, 'begun');
    const late = `: >"${begun}"; sleep ${seconds}; PATH=\${PATH#*:} exec ssh-agent -s -a "$SOCKET"`;
    const text = `#!/bin/sh\nSOCKET=$3 exec sh -c '${late}'\n`;
    writeFileSync(join(folder, 'ssh-agent'), text, { mode: 0o755 });
    const hasBegun = async (): Promise<void> => {
      while (!existsSync(begun)) await sleep(5);
    };
    return { path: [folder, process.env['PATH'] ?? ''].join(delimiter), hasBegun };
  };

  it('cancelled while the agent has only begun to start: main waits for it, and leaves nothing', async () => {
    world.aws.faults.order({ operation: 'oidc:token', fault: 'hang' });
    const { path, hasBegun } = lateAgent(0.7);
    const job = stage.job({ env: { ...world.jobEnvironment(), PATH: path } });
    const main = await job.uses({ with: inputs, cancelWhen: hasBegun });
    expect(main.outcome).toBe('cancelled');
    expect(job.processes()).toEqual([]);
    expect(job.files()).toEqual([]);
    await nothingLeft(job);
  });

  const killedAtAnyTime = async (every: number): Promise<void> => {
    for (let after = 40; after <= 400; after += every) {
      const job = stage.job({ env: world.jobEnvironment() });
      await job.uses({ with: inputs, killWhen: () => sleep(after) });
      await nothingLeft(job);
    }
  };
  it('killed at any of four times: post leaves nothing', () => killedAtAnyTime(120));
  itInRest('killed at any of thirteen times: post leaves nothing', () => killedAtAnyTime(30));

  const killedWithoutPost = async (points: number): Promise<void> => {
    const temp = mkdtempSync(join(tmpdir(), 'runner-'));
    const env = { ...world.jobEnvironment(), RUNNER_TEMP: temp };
    mkdirSync(join(temp, 'ssm-ssh-agent-of-a-user'));
    const dead: Job[] = [];
    const started = Date.now();
    const whole = stage.job({ env });
    await whole.uses({ with: inputs });
    const duration = Date.now() - started;
    await whole.finish();
    for (let point = 1; point <= points; point++) {
      dead.push(stage.job({ env }));
      await dead.at(-1)?.uses({ with: inputs, killWhen: () => sleep((duration * point) / points) });
    }
    const [loaded = ''] = readdirSync(temp).filter((name) => /-[0-9a-f]{8}$/.test(name));
    expect(loaded).not.toBe('');
    rmSync(join(temp, loaded), { recursive: true }); // As the runner empties the folder between jobs.
    const job = stage.job({ env });
    expect(told(await job.uses({ with: inputs })).text).toBe('');
    const again = await job.uses({ with: inputs });
    const ours = readdirSync(temp).filter((name) => /-[0-9a-f]{8}$/.test(name));
    expect(ours.length).toBe(2); // Both uses of this job.
    expect(again.log).not.toContain('left behind');
    expect(dead.flatMap((left) => left.processes())).toEqual([]);
    await job.finish();
    expect(readdirSync(temp)).toEqual(['ssm-ssh-agent-of-a-user']);
    rmSync(temp, { recursive: true });
  };
  const sweeps = 'post never run: a new job on the runner works and sweeps, and leaves others alone';
  it(`killed at three points, ${sweeps}`, () => killedWithoutPost(3));
  itInRest(`killed at ten points, ${sweeps}`, () => killedWithoutPost(10));

  it('takes too long: TIMEOUT after timeout-seconds, with nothing left', async () => {
    world.aws.faults.order({ operation: 'ssm:GetParameter', fault: 'hang' });
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({ with: { ...inputs, 'timeout-seconds': '2' } });
    expect(told(main).code).toBe('TIMEOUT');
    expect(told(main).text).toContain('raise timeout-seconds');
    expect(job.files()).toEqual([]);
    expect(job.processes()).toEqual([]);
  });

  const post = async (state: Record<string, string>): Promise<StepResult> => {
    const job = stage.job({ env: { ...world.jobEnvironment(), ...state } });
    await job.uses({ with: { keys: '' } });
    const { posts } = await job.finish();
    expect(posts.length).toBe(1);
    return posts[0] as StepResult;
  };

  it.each([
    ['no state', {}],
    ['an empty state', { STATE_use: '' }],
    ['a state that is not ours', { STATE_use: '{"folder":7}' }],
    ['a folder that is not ours', { STATE_use: JSON.stringify({ folder: '/etc', replaced: {} }) }],
    [
      'a folder that is gone',
      { STATE_use: JSON.stringify({ folder: '/nowhere/ssm-ssh-agent-00000000', replaced: {} }) },
    ],
  ])('post succeeds with %s', async (_, state) => {
    const { outcome, annotations } = await post(state);
    expect([outcome, annotations]).toEqual(['success', []]);
    expect(readFileSync('/etc/hosts', 'utf8')).not.toBe('');
  });
});
