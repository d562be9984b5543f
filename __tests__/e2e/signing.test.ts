import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { openStage, told, type Stage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('git-signing', () => {
  let stage: Stage;
  let world: ReadyWorld;

  beforeAll(async () => {
    [stage, world] = await Promise.all([openStage(), startReadyWorld()]);
    world.put('/ci/deploy-key', stage.key.privateKey);
  });
  afterAll(async () => {
    await Promise.all([stage.close(), world.stop()]);
  });

  const inputs = (): Record<string, string> => ({
    keys: '/ci/deploy-key',
    'aws-region': REGION,
    'role-to-assume': ROLE_ARN,
    'git-signing': 'true',
  });
  const commit = `
    git init --quiet repository && cd repository
    git -c user.name=ci -c user.email=ci@acme.test commit --quiet --allow-empty -m signed
    git -c user.name=ci -c user.email=ci@acme.test tag -m tagged v1
    git log -1 --show-signature --format=%G? && git verify-tag v1`;

  it('signs commits and tags of the job, which git verifies by our allowed signers', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    expect(told(await job.uses({ with: inputs() })).text).toBe('');
    const { log } = await job.run(commit);
    const good = `Good "git" signature for * with ED25519 key ${stage.key.fingerprint}`;
    expect(log.split(good).length - 1).toBe(2);
    expect(log).toContain('\nG\n');
    expect(job.files().filter(({ path }) => path.startsWith(job.home))).toEqual([]);
  });

  it('still signs by its own key and agent where a later use of the action signs nothing', async () => {
    const [job, later] = [stage.job({ env: world.jobEnvironment() }), await makeSshKey()];
    world.put('/ci/later-key', later.privateKey);
    await job.uses({ with: inputs() });
    expect(
      told(await job.uses({ with: { ...inputs(), keys: '/ci/later-key', 'git-signing': 'false' } })).text,
    ).toBe('');
    const { log } = await job.run(commit);
    expect(log.split(stage.key.fingerprint).length - 1).toBe(2);
  });

  it('adds to the configuration that the environment has, and post takes only its own away', async () => {
    const there = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.name', GIT_CONFIG_VALUE_0: 'somebody' };
    const job = stage.job({ env: { ...world.jobEnvironment(), ...there } });
    await job.uses({ with: inputs() });
    const show = 'git config user.name; git config commit.gpgSign || echo unsigned';
    expect((await job.run(show)).log).toBe('somebody\ntrue\n');
    await job.finish();
    expect((await job.run(show)).log).toBe('somebody\nunsigned\n');
  });

  it('leaves no trace for later steps where nothing was configured before', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    await job.uses({ with: inputs() });
    await job.finish();
    expect((await job.run('git config commit.gpgSign || echo unsigned')).log).toBe('unsigned\n');
  });

  it.each([
    ['no git', undefined, /git-signing needs git: git is not on PATH/],
    ['an old git', '#!/bin/sh\necho "git version 2.30.2"\n', /needs git 2\.34, this is git version 2\.30\.2/],
  ])('on a runner with %s is GIT_NOT_FOUND, before anything is loaded', async (_, script, text) => {
    const bin = mkdtempSync(join(tmpdir(), 'bin-'));
    if (script) writeFileSync(join(bin, 'git'), script, { mode: 0o755 });
    const job = stage.job({
      env: { ...world.jobEnvironment(), PATH: script ? `${bin}:${process.env['PATH'] ?? ''}` : bin },
    });
    const main = await job.uses({ with: inputs() });
    rmSync(bin, { recursive: true });
    expect(told(main).code).toBe('GIT_NOT_FOUND');
    expect(told(main).text).toMatch(text);
    expect(job.files()).toEqual([]);
  });
});
