import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import {
  asRunnerOf,
  asUser,
  describeWithUsers,
  openTo,
  tempFor,
  wrapNode,
} from '../../support/node-wrapper.ts';
import { repository, told, useStage } from '../stage.ts';

/** Nobody's number, as `--user 54321` gives a container. */
const unnamed = 54_321;

describeWithUsers('a user without an entry in the list of accounts', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'accounts-'));
    world = await startReadyWorld();
    world.put('/ci/deploy-key', stage.key.privateKey);
  });
  afterAll(async () => {
    await world.stop();
    rmSync(folder, { recursive: true });
  });

  it('is told by main that OpenSSH refuses it, and what to do', async () => {
    const temp = tempFor(unnamed);
    const start = asRunnerOf(unnamed);
    const nodePath = wrapNode(folder, { main: start, post: start });
    const env = { ...world.jobEnvironment(), RUNNER_TEMP: temp };
    const job = openTo(stage.job({ env, nodePath }));
    const inputs = { keys: '/ci/deploy-key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
    const main = await job.uses({ with: inputs });
    expect(told(main).text).toBe('');
    expect(main.annotations).toEqual([
      {
        level: 'warning',
        message: expect.stringMatching(/user 54321 has no entry .*\/etc\/passwd.*OpenSSH/),
      },
    ]);
    // What it warns of is so.
    const { log } = await job.run(
      `${asUser(unnamed).join(' ')} git ls-remote ${stage.host.url(repository)} || true`,
    );
    expect(log).toContain('No user exists for uid 54321');
    const { posts, leftoverProcesses } = await job.finish();
    expect([posts[0]?.annotations, leftoverProcesses]).toEqual([[], []]);
    rmSync(temp, { recursive: true });
  });
});
