/** Finds the instance of a name with the real SDK, at an EC2 with pages, filters and denials. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { parseHostName, type InstanceName } from '../../src/ec2/host-name.ts';
import { findInstance } from '../../src/ec2/instances.ts';
import { Failure } from '../../src/errors.ts';
import { allow, REGION, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { callerOf, failureOf, sessionOf, statementIn, usual } from './ec2-stage.ts';

let world: ReadyWorld;
beforeAll(async () => {
  world = await startReadyWorld();
  process.env['AWS_ENDPOINT_URL'] = world.aws.endpoint;
});
afterAll(() => world.stop());
beforeEach(() => {
  world.aws.ec2.clear();
  world.aws.faults.clear();
  world.aws.forgetCalls();
});

const id = 'i-0123456789abcdef0';
const nameOf = (text: string): InstanceName => parseHostName(text) as InstanceName;
const find = (text: string): ReturnType<typeof findInstance> =>
  findInstance(nameOf(text), callerOf(world.aws));

describe('an instance', () => {
  it('is found by its id, with everything that a connection needs', async () => {
    world.aws.ec2.launch({
      ...{ instanceId: id, tags: { Name: 'web-1' }, vpcId: 'vpc-1', subnetId: 'subnet-1' },
      ...{ publicIp: '203.0.113.7', ipv6: '2001:db8::7', privateIp: '10.0.0.7', platform: 'windows' },
    });
    expect(await find(id)).toEqual({
      ...{ instanceId: id, name: 'web-1', vpcId: 'vpc-1', subnetId: 'subnet-1' },
      ...{ availabilityZone: `${REGION}a`, publicIp: '203.0.113.7', ipv6: '2001:db8::7' },
      ...{ privateIp: '10.0.0.7', platform: 'windows' },
    });
  });

  it('is found by a tag in one call, if it is the only running one', async () => {
    world.aws.ec2.launch({ tags: { Name: 'web-1' }, state: 'stopped' });
    const { instanceId } = world.aws.ec2.launch({ tags: { Name: 'web-1' } });
    world.aws.ec2.launch({ tags: { Name: 'web-10' } });
    expect(await find('Name=web-1')).toMatchObject({ instanceId, name: 'web-1', platform: 'other' });
    expect(world.aws.calls.map(({ operation }) => operation)).toEqual(['ec2:DescribeInstances']);
  });

  it('is found on a later page', async () => {
    for (let count = 0; count < 4; count += 1)
      world.aws.ec2.launch({ tags: { role: 'web' }, state: 'stopped' });
    const { instanceId } = world.aws.ec2.launch({ tags: { role: 'web' } });
    world.aws.ec2.pageSize = 2;
    expect(await find('role=web')).toMatchObject({ instanceId });
    expect(world.aws.calls).toHaveLength(3);
  });

  it.each(['we*', 'we?', 'w\\eb', '*'])(
    'is not matched by a wildcard: %s is the literal text of a tag',
    async (value) => {
      world.aws.ec2.launch({ tags: { role: 'web' } });
      expect(await failureOf(find(`role=${value}`))).toMatchObject({ code: 'TARGET_NOT_FOUND' });
      const { instanceId } = world.aws.ec2.launch({ tags: { role: value } });
      expect(await find(`role=${value}`)).toMatchObject({ instanceId });
    },
  );
});

describe('a name without a running instance', () => {
  it('is TARGET_NOT_FOUND, with a command to look for it', async () => {
    const failure = await failureOf(find(id));
    expect(failure).toMatchObject({
      code: 'TARGET_NOT_FOUND',
      message: `there is no instance ${id} in ${REGION}`,
    });
    expect(failure.hint).toContain(`aws ec2 describe-instances --region ${REGION} --instance-ids ${id}`);
    const tag = await failureOf(find('Name=web-1'));
    expect(tag).toMatchObject({
      code: 'TARGET_NOT_FOUND',
      message: `no running instance in ${REGION} has the tag Name=web-1`,
    });
    expect(tag.hint).toContain(`--region ${REGION} --filters 'Name=tag:Name,Values=web-1'`);
  });

  it.each([
    ['stopped', `start it: aws ec2 start-instances --region ${REGION} --instance-ids ${id}`],
    ['stopping', `aws ec2 wait instance-stopped --region ${REGION} --instance-ids ${id} && aws ec2 start-`],
    ['pending', `aws ec2 wait instance-running --region ${REGION} --instance-ids ${id}`],
    ['terminated', 'no longer exists'],
    ['shutting-down', 'no longer exists'],
  ] as const)('reports that the instance is %s, with a hint', async (state, help) => {
    world.aws.ec2.launch({ instanceId: id, state, tags: { Name: 'web-1' } });
    const byId = await failureOf(find(id));
    expect(byId).toMatchObject({ code: 'TARGET_NOT_FOUND' });
    expect(byId.message).toBe(`the instance ${id} in ${REGION} is ${state}`);
    expect(byId.hint).toContain(help);
    const byTag = await failureOf(find('Name=web-1'));
    expect(byTag).toMatchObject({ code: 'TARGET_NOT_FOUND' });
    expect(byTag.message).toContain(`Name=web-1: ${id} (web-1) is ${state}`);
    expect(byTag.hint).toContain(help);
  });

  it('gives a hint for the instance that can be started', async () => {
    world.aws.ec2.launch({ tags: { role: 'web' }, state: 'terminated' });
    world.aws.ec2.launch({ instanceId: id, tags: { role: 'web' }, state: 'stopped' });
    expect((await failureOf(find('role=web'))).hint).toContain(
      `start-instances --region ${REGION} --instance-ids ${id}`,
    );
  });

  it('is INPUT_INVALID if it names no tag', async () => {
    expect(await failureOf(find('=web'))).toMatchObject({ code: 'INPUT_INVALID' });
    expect(world.aws.calls).toEqual([]);
  });
});

describe('a tag of several running instances', () => {
  it('is TARGET_AMBIGUOUS, with the candidates', async () => {
    world.aws.ec2.launch({
      instanceId: id,
      tags: { role: 'web', Name: 'a\nb\u202e' },
      privateIp: '10.0.0.7',
    });
    world.aws.ec2.launch({ instanceId: 'i-01234567', tags: { role: 'web' }, privateIp: undefined });
    const { code, message, hint } = await failureOf(find('role=web'));
    expect(code).toBe('TARGET_AMBIGUOUS');
    expect(message).toBe(
      `2 running instances in ${REGION} have the tag role=web: ` +
        `${id} (a b ), 10.0.0.7, launched 2026-11-01T10:00:00Z; ` +
        'i-01234567, no private address, launched 2026-11-01T10:00:00Z',
    );
    expect(hint).toContain(id);
  });

  it('lists at most ten of them', async () => {
    for (let count = 0; count < 12; count += 1) world.aws.ec2.launch({ tags: { role: 'web' } });
    const { message } = await failureOf(find('role=web'));
    expect(message.match(/i-0[0-9a-f]{16}/g)).toHaveLength(10);
    expect(message).toContain('12 running instances');
    expect(message).toContain('; and 2 more');
  });
});

describe('looking an instance up', () => {
  const statement = { Effect: 'Allow', Action: 'ec2:DescribeInstances', Resource: '*' };

  it('that is denied is TARGET_NOT_FOUND, with the statement that allows it', async () => {
    const failure = await failureOf(findInstance(nameOf('Name=web-1'), callerOf(world.aws, [])));
    expect(failure.code).toBe('TARGET_NOT_FOUND');
    expect(failure.message).toContain(`looking up Name=web-1 in ${REGION} is denied: You are not authorized`);
    expect(failure.hint).toContain("add to the role's policy");
    expect(statementIn(failure.hint)).toEqual(statement);
  });

  it('that the session policy denies names the session policy', async () => {
    const caller = sessionOf(world.aws, [allow('ssm:StartSession', '*')]);
    const { hint } = await failureOf(findInstance(nameOf(id), caller));
    expect(hint).toContain('add to the session policy');
    expect(statementIn(hint)).toEqual(statement);
  });

  it('that an explicit deny forbids is not fixed by an Allow', async () => {
    const deny = { Effect: 'Deny', Action: 'ec2:DescribeInstances', Resource: '*' } as const;
    const policy = { Version: '2012-10-17', Statement: [deny] } as const;
    const caller = callerOf(world.aws, [...usual, policy]);
    const { hint } = await failureOf(findInstance(nameOf(id), caller));
    expect(hint).toContain('an Allow does not override an explicit deny');
    expect(statementIn(hint)).toBeNull();
  });

  it.each([
    ['THROTTLED', 'throttling'],
    ['NETWORK_UNREACHABLE', 'malformed'],
    ['PROVIDER_FAILED', 'internal-error'],
    ['CREDENTIALS_EXPIRED', { error: { code: 'RequestExpired', message: 'Request has expired.' } }],
  ] as const)('can fail with %s (%j)', async (code, fault) => {
    world.aws.faults.order({ operation: 'ec2:DescribeInstances', fault });
    expect(await failureOf(find('Name=web-1'))).toMatchObject({ code });
  });

  it('with a key that AWS does not know is CREDENTIALS_MISSING', async () => {
    const credentials = { accessKeyId: 'AKIAUNKNOWN', secretAccessKey: 'x' };
    const caller = callerOf(world.aws, usual, { credentials: () => Promise.resolve(credentials) });
    expect(await failureOf(findInstance(nameOf(id), caller))).toMatchObject({ code: 'CREDENTIALS_MISSING' });
  });

  it('stops when its signal is aborted', async () => {
    world.aws.faults.order({ operation: 'ec2:DescribeInstances', fault: 'hang' });
    const stop = new AbortController();
    const reason = new Failure('TIMEOUT', 'too late', { hint: '' });
    const work = findInstance(nameOf(id), callerOf(world.aws, usual, { signal: stop.signal }));
    setTimeout(() => {
      stop.abort(reason);
    }, 50);
    expect(await failureOf(work)).toBe(reason);
  });
});
