import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jobKeyId, runKeyId } from '../../src/kms/key-id.ts';
import { ACCOUNT, REGION, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';

const job = {
  ...{ GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'acme/app', GITHUB_RUN_ID: '123' },
  GITHUB_RUN_ATTEMPT: '2',
};
const { signal } = new AbortController();

describe('the key id of a certificate', () => {
  let world: ReadyWorld;
  let before: string | undefined;

  beforeAll(async () => {
    world = await startReadyWorld();
    before = process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'];
    // The AWS SDK reads it from the environment of this process.
    Object.assign(process.env, world.aws.environment({ metadata: true }));
  });
  afterAll(async () => {
    if (before === undefined) Reflect.deleteProperty(process.env, 'AWS_EC2_METADATA_SERVICE_ENDPOINT');
    else process.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = before;
    await world.stop();
  });

  const onMachine = (env: Readonly<Record<string, string>> = {}): Promise<string> =>
    runKeyId({ env, hostName: 'build 1:x\n', signal });

  it('names the run of a job, without a question to anybody', async () => {
    expect(await onMachine(job)).toBe('github:acme/app:run 123:attempt 2');
    expect(jobKeyId({ ...job, GITHUB_RUN_ATTEMPT: undefined })).toBe('github:acme/app:run 123:attempt 1');
    expect(world.aws.calls).toEqual([]);
  });

  it.each([
    [{ GITHUB_ACTIONS: 'false' }],
    [{ GITHUB_REPOSITORY: 'acme/app:run 1' }],
    [{ GITHUB_RUN_ID: '1\n2' }],
    [{ GITHUB_RUN_ATTEMPT: 'x' }],
  ])('does not name a run that is none: %j', (odd) => {
    expect(jobKeyId({ ...job, ...odd })).toBeUndefined();
  });

  it('names the instance on EC2', async () => {
    world.aws.metadata.set({ account: ACCOUNT, region: REGION, instanceId: 'i-0abc1234def567890' });
    expect(await onMachine()).toBe('ec2:i-0abc1234def567890');
  });

  it('names the machine elsewhere, and where the metadata service is off or broken', async () => {
    expect(await onMachine({ AWS_EC2_METADATA_DISABLED: 'true' })).toBe('host:build_1_x_');
    world.aws.metadata.set(undefined);
    expect(await onMachine()).toBe('host:build_1_x_');
    world.aws.metadata.set({ account: ACCOUNT, region: REGION, instanceId: 'not an id' });
    expect(await onMachine()).toBe('host:build_1_x_');
  });
});
