/** Calls of the programs after AWS says that the credentials have expired, although this machine's clock says otherwise. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Ec2Caller } from '../../src/ec2/caller.ts';
import { pushKey, makeKeyPair } from '../../src/ec2/instance-connect.ts';
import { findInstance } from '../../src/ec2/instances.ts';
import { openEndpointTunnel } from '../../src/ec2/endpoint-tunnel.ts';
import { Sessions } from '../../src/ec2/session-manager/sessions.ts';
import { openEc2Caller } from '../../src/host/ec2-caller.ts';
import { openKeyVersions } from '../../src/host/key-versions.ts';
import { openKmsRotation } from '../../src/host/kms-rotation.ts';
import type { KmsReference } from '../../src/keys/key-reference.ts';
import { parseReference } from '../../src/keys/reference.ts';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';

const arn = `arn:aws:iam::${ACCOUNT}:role/ops`;
const place = { account: ACCOUNT, region: REGION };
const instanceId = 'i-0123456789abcdef0';
const voice = { info: () => undefined, warn: () => undefined, mask: () => undefined };
const host = { region: REGION, roles: [arn], timeoutSeconds: 60 };

let world: ReadyWorld;
let ahead = 0;
const before = { ...process.env };

beforeEach(async () => {
  ahead = 0;
  world = await startReadyWorld({ clock: () => new Date(Date.now() + ahead) });
  const trustPolicy: PolicyDocument = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }],
  };
  world.aws.iam.createRole({ arn, trustPolicy, policies: [allow('*', '*')] });
  const user = { userArn: `arn:aws:iam::${ACCOUNT}:user/operator`, policies: [allow('*', '*')] };
  const credentials = world.aws.iam.createAccessKey(user);
  // The AWS SDK reads its settings from the environment of this process.
  Object.assign(process.env, world.aws.environment({ credentials }));
});
afterEach(async () => {
  for (const name of Object.keys(process.env)) {
    if (!(name in before)) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, before);
  await world.stop();
});

const options = (): Parameters<typeof openEc2Caller>[2] => ({
  ...{ env: process.env, voice },
  signal: new AbortController().signal,
});
/** A role's session lasts 15 minutes. */
const endSessions = (): void => {
  ahead = 16 * 60_000;
};
/** Each once: the AWS SDK itself repeats a call if a clock is wrong. */
const refused = (): string[] => [
  ...new Set(
    world.aws.calls.flatMap(({ operation, errorCode = '' }) =>
      /Expired/.test(errorCode) ? [operation] : [],
    ),
  ),
];
const assumed = (): number =>
  world.aws.calls.filter(({ operation, errorCode }) => operation === 'sts:AssumeRole' && !errorCode).length;

describe('credentials that only AWS knows to have expired are renewed, and the call is made again:', () => {
  const target = { instanceId, port: 22, region: REGION };
  const { publicKey } = makeKeyPair('test');
  it.each<[string, (caller: Ec2Caller) => Promise<unknown>]>([
    ['ec2:DescribeInstances', (caller) => findInstance({ kind: 'instance', id: instanceId }, caller)],
    [
      'ec2-instance-connect:SendSSHPublicKey',
      (caller) => pushKey({ instanceId, user: 'deploy', publicKey }, caller),
    ],
    ['ssm:StartSession', (caller) => new Sessions(target, caller).start(caller.signal)],
    [
      'ec2:DescribeInstanceConnectEndpoints',
      async (caller) => {
        const instance = await findInstance({ kind: 'instance', id: instanceId }, { ...caller });
        await openEndpointTunnel({ instance, port: 22 }, caller).catch((error: unknown) => {
          if (!String(error).includes('there is no EC2 Instance Connect Endpoint')) throw error;
        });
      },
    ],
  ])('%s', async (operation, call) => {
    world.aws.ec2.launch({ instanceId });
    world.aws.sessions.connectAgent({ ...place, instanceId, ports: { 22: 9 } });
    const caller = await openEc2Caller({}, host, options());
    if (operation.endsWith('Endpoints')) {
      const error = { code: 'ExpiredToken', message: 'expired' };
      world.aws.faults.order({ operation, fault: { error }, times: 1 });
    } else endSessions();
    await call(caller);
    expect(refused()).toEqual([operation]);
    expect(assumed()).toBe(2);
  });

  it('the later calls of a session, by its own client', async () => {
    world.aws.ec2.launch({ instanceId });
    world.aws.sessions.connectAgent({ ...place, instanceId, ports: { 22: 9 } });
    const caller = await openEc2Caller({}, host, options());
    const sessions = new Sessions(target, caller);
    const { id } = await sessions.start(caller.signal);
    endSessions();
    expect(await sessions.resume(id, caller.signal)).toBeDefined();
    await sessions.terminate(id, caller.signal);
    expect(refused()).toEqual(['ssm:ResumeSession']);
    expect(world.aws.sessions.open).toEqual([]);
  });

  it.each(['/ci/key', 'secretsmanager:ci/key'])('the versions of %s', async (text) => {
    world.put('/ci/key', 'old');
    world.putSecret('ci/key', 'old');
    const store = await openKeyVersions(parseReference(text), host, options());
    await store.read();
    endSessions();
    await store.stage('new');
    expect(await store.read()).toMatchObject({ latest: { text: 'old' }, next: { text: 'new' } });
    expect([refused().length, assumed()]).toEqual([1, 2]);
  });

  it('the keys of a rotation in KMS', async () => {
    world.aws.signingKeys.create({ ...place, alias: 'alias/deploy' });
    const reference: KmsReference = { kind: 'kms', text: 'kms:alias/deploy', name: 'alias/deploy' };
    const { keys, signer } = await openKmsRotation(reference, host, options());
    await keys.read();
    endSessions();
    await keys.read();
    await signer('alias/deploy');
    expect(refused()).toEqual(['kms:GetPublicKey']);
    expect(assumed()).toBe(2);
  });
});

it('access keys of the environment cannot be renewed: AWS is asked once', async () => {
  const error = { code: 'RequestExpired', message: 'Request has expired.' };
  world.aws.faults.order({ operation: 'ec2:DescribeInstances', fault: { error } });
  const caller = await openEc2Caller({}, { ...host, roles: [] }, options());
  const name = { kind: 'instance', id: instanceId } as const;
  await expect(findInstance(name, caller)).rejects.toMatchObject({ code: 'CREDENTIALS_EXPIRED' });
  expect(world.aws.calls.map(({ operation }) => operation)).toEqual(['ec2:DescribeInstances']);
});
