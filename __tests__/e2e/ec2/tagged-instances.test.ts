/** The guide's loop over all instances of a tag: what it deploys to, and what it says of those that it did not reach. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { Ec2Host, launchInstance, program, project, stateIsOurs, type Ran } from '../../support/ec2-host.ts';
import type { Ec2Instance } from '../../support/ec2-instance.ts';
import { describeWhere, describeWith } from '../../support/needs.ts';
import { describeInTurn, itInTurn as it } from '../../support/parts.ts';
import { launch, reachHosts } from '../../support/reachable-ec2.ts';

const guide = readFileSync(join(project, 'docs/other-ci.md'), 'utf8');
const lines = /## Deploy to all.*?```sh\n(.*?)```/s.exec(guide)?.[1] ?? '';
const describeHere = stateIsOurs
  ? describeWith('aws', 'rsync')
  : describeWhere(false, 'a state folder of the test');

describe('the guide to other CI services', () => {
  it('has lines that deploy to all instances of a tag', () => {
    expect(lines).toContain('aws ec2 describe-instances');
    expect(lines).toContain('ssm-ssh');
  });
});

describeInTurn(describeHere)('deploying to all instances of a tag, by the guide', () => {
  let world: ReadyWorld;
  let host: Ec2Host;
  let instances: Ec2Instance[];

  beforeAll(async () => {
    world = await startReadyWorld();
    launchInstance(world, reachHosts);
    instances = [];
    for (const tags of [{ role: 'web' }, { role: 'web' }, { role: 'db' }]) {
      instances.push(await launch(world, { tags }));
    }
    world.aws.ec2.launch({ instanceId: 'i-0aaaaaaaaaaaaaaaa', tags: { role: 'web' }, state: 'stopped' });
    host = new Ec2Host(world, []);
    host.configure([]);
    mkdirSync(join(host.home, 'site'));
    writeFileSync(join(host.home, 'site/index.html'), 'new');
  });
  afterAll(async () => {
    host.dispose();
    for (const instance of instances) await instance.stop();
    await world.stop();
  });

  /** The sshd of every instance is this machine's: each gets a folder of its own for its home. */
  const deploy = (script = lines): Promise<Ran> => {
    const here = script
      .replaceAll('ec2-user@', `${instances[0]?.user ?? ''}@`)
      .replaceAll(':site/', `:${host.home}/at-$instance/`)
      .replaceAll('sudo systemctl reload nginx', `'echo reloaded >>${host.home}/reloads'`);
    return host.run(here, {
      AWS_REGION: REGION,
      PATH: `${dirname(program)}:${host.env['PATH'] ?? ''}`,
      // A version manager's aws looks for its own files there.
      PYENV_ROOT: process.env['PYENV_ROOT'] ?? join(process.env['HOME'] ?? '', '.pyenv'),
    });
  };
  const idOf = (index: number): string => instances[index]?.instanceId ?? '';
  const isDeployed = (index: number): boolean => existsSync(join(host.home, `at-${idOf(index)}/index.html`));

  it('reaches those that run and have the tag, and no other', async () => {
    const { code, stderr } = await deploy();
    expect([stderr.replaceAll(/^Warning: Permanently added .*\r?\n/gm, ''), code]).toEqual(['', 0]);
    expect([0, 1, 2].map(isDeployed)).toEqual([true, true, false]);
    expect(readFileSync(join(host.home, 'reloads'), 'utf8')).toBe('reloaded\n'.repeat(2));
  });

  it('fails where no instance has the tag, and where AWS does not answer', async () => {
    const none = await deploy(lines.replace('Values=web', 'Values=nothing'));
    expect([none.code, none.stderr]).toEqual([1, 'no instance has the tag role=web\n']);
    world.aws.faults.order({ operation: 'ec2:DescribeInstances', fault: { error: denied }, times: 1 });
    const refused = await deploy();
    expect(refused.code).not.toBe(0);
  });

  it('goes on to the next where one cannot be reached, and names that one at the end', async () => {
    await instances[0]?.stop();
    const { code, stderr } = await deploy();
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(`not deployed: ${idOf(0)}`);
    expect(readFileSync(join(host.home, 'reloads'), 'utf8')).toMatch(/(reloaded\n){1,3}$/);
  });
});

const denied = { code: 'UnauthorizedOperation', message: 'You are not authorized.', status: 403 };
