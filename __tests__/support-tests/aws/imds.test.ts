import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { Instance, PolicyDocument } from '../../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { runClient } from './client-process.ts';

const ROLE = `arn:aws:iam::${ACCOUNT}:role/hosts/runner`;
const trustService = (service: string): PolicyDocument => ({
  Statement: { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' },
});
const instance: Instance = { account: ACCOUNT, region: REGION, roleArn: ROLE };

let now: Date;
let world: ReadyWorld;
let url: string;

beforeEach(async () => {
  now = new Date();
  world = await startReadyWorld({ clock: () => now });
  url = world.aws.metadataEndpoint;
  world.aws.iam.createRole({
    arn: ROLE,
    trustPolicy: trustService('ec2.amazonaws.com'),
    policies: [allow('ssm:GetParameter', '*')],
  });
  world.aws.metadata.set(instance);
});
afterEach(() => world.stop());

async function token(ttl = '60'): Promise<string> {
  const headers = { 'x-aws-ec2-metadata-token-ttl-seconds': ttl };
  return (await fetch(`${url}/latest/api/token`, { method: 'PUT', headers })).text();
}

async function read(path: string): Promise<string> {
  const answer = await fetch(`${url}${path}`, { headers: { 'x-aws-ec2-metadata-token': await token() } });
  return answer.ok ? answer.text() : String(answer.status);
}

describe('instance metadata', () => {
  test('returns Region, identity and the name of the role', async () => {
    expect(await read('/latest/meta-data/placement/region')).toBe(REGION);
    expect(await read('/latest/meta-data/instance-id')).toBe('i-0123456789abcdef0');
    expect(JSON.parse(await read('/latest/dynamic/instance-identity/document'))).toMatchObject({
      accountId: ACCOUNT,
      region: REGION,
    });
    expect(await read('/latest/meta-data/iam/security-credentials/')).toBe('runner');
    expect(await read('/latest/meta-data/iam/security-credentials/other')).toBe('404');
    expect(await read('/latest/user-data')).toBe('404');
  });

  test('requires a session token with a valid lifetime', async () => {
    const region = `${url}/latest/meta-data/placement/region`;
    expect((await fetch(region)).status).toBe(401);
    expect((await fetch(region, { headers: { 'x-aws-ec2-metadata-token': 'made-up' } })).status).toBe(401);
    const put = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${url}/latest/api/token`, { method: 'PUT', headers });
    expect((await put({})).status).toBe(400);
    expect((await put({ 'x-aws-ec2-metadata-token-ttl-seconds': '21601' })).status).toBe(400);
    expect(
      (await put({ 'x-aws-ec2-metadata-token-ttl-seconds': '60', 'x-forwarded-for': '10.0.0.1' })).status,
    ).toBe(403);
  });

  test('uses the requested lifetime of a session token', async () => {
    const headers = { 'x-aws-ec2-metadata-token': await token('60') };
    const status = async (seconds: number): Promise<number> => {
      now = new Date(now.getTime() + seconds * 1000);
      return (await fetch(`${url}/latest/meta-data/instance-id`, { headers })).status;
    };
    expect(await status(59)).toBe(200);
    expect(await status(1)).toBe(401);
  });

  test('returns the same credentials until half of their lifetime is over', async () => {
    const path = '/latest/meta-data/iam/security-credentials/runner';
    const first = await read(path);
    expect(JSON.parse(first)).toMatchObject({ Code: 'Success', Type: 'AWS-HMAC' });
    expect(await read(path)).toBe(first);
    now = new Date(now.getTime() + 3.5 * 3_600_000);
    expect(await read(path)).not.toBe(first);
  });

  test('reports a role that does not trust EC2', async () => {
    world.aws.iam.createRole({ arn: ROLE, trustPolicy: trustService('ecs-tasks.amazonaws.com') });
    expect(JSON.parse(await read('/latest/meta-data/iam/security-credentials/runner'))).toMatchObject({
      Code: 'AssumeRoleUnauthorizedAccess',
    });
  });

  test('is forbidden when disabled, and silent with a hop limit of 1', async () => {
    world.aws.metadata.set({ ...instance, access: 'disabled' });
    expect(await read('/latest/meta-data/placement/region')).toBe('403');
    world.aws.metadata.set({ ...instance, access: 'hop-limit' });
    const put = fetch(`${url}/latest/api/token`, {
      method: 'PUT',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
      signal: AbortSignal.timeout(200),
    });
    await expect(put).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

test("the SDK's default chain takes an instance role from here, in a process with our environment only", async () => {
  world.put('/ci/key', 'text');
  const { stdout } = await runClient(world.aws.environment({ metadata: true }));
  expect(JSON.parse(stdout)).toMatchObject({ value: 'text' });
  expect(world.aws.calls.at(-1)).toMatchObject({
    operation: 'ssm:GetParameter',
    principal: `arn:aws:sts::${ACCOUNT}:assumed-role/runner/i-0123456789abcdef0`,
  });
});
