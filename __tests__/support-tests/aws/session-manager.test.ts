import type { SSMClient } from '@aws-sdk/client-ssm';
import { ResumeSessionCommand, TerminateSessionCommand } from '@aws-sdk/client-ssm';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';

import type { PolicyDocument } from '../../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, ROLE_ARN } from '../../support/aws/world.ts';
import { failureOf, ssmClient } from './clients.ts';
import { presignedUrl, RawSession, signedHeaders } from './raw-session.ts';
import { startSessionWorld, target, type SessionWorld } from './session-world.ts';

const instanceArn = `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/${target}`;
const documentArn = `arn:aws:ssm:${REGION}::document/AWS-StartSSHSession`;
const sessionsArn = `arn:aws:ssm:${REGION}:${ACCOUNT}:session/run-1-*`;

let world: SessionWorld;

beforeAll(async () => {
  world = await startSessionWorld();
});
afterAll(() => world.stop());
afterEach(() => {
  world.reset();
});

function narrowed(...sessionPolicies: PolicyDocument[]): SSMClient {
  const session = { roleArn: ROLE_ARN, sessionName: 'run-1', sessionPolicies };
  return ssmClient(world.aws, world.aws.iam.createSession(session));
}

describe('StartSession', () => {
  test('names the session after the role session, and logs no token', async () => {
    world.connectAgent();
    const { SessionId, StreamUrl, TokenValue = '' } = await world.start();
    expect(SessionId).toMatch(/^run-1-[0-9a-f]{17}$/);
    expect(StreamUrl).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/v1\/data-channel\/run-1-[0-9a-f]{17}\?role=publish/);
    expect(world.aws.sessions.open).toMatchObject([{ id: SessionId, target, connected: false, sockets: 0 }]);
    const session = await RawSession.connect({ StreamUrl, TokenValue }, world);
    await session.shakeHands();
    expect(world.aws.calls.map(({ operation, sessionName }) => [operation, sessionName])).toEqual([
      ['ssm:StartSession', 'run-1'],
      ['ssmmessages:OpenDataChannel', 'run-1'],
    ]);
    expect(JSON.stringify(world.aws.calls)).not.toContain(TokenValue);
  });

  test('asks for the instance and for the document', async () => {
    world.connectAgent();
    const [onInstance, onDocument] = [
      allow('ssm:StartSession', instanceArn),
      allow('ssm:StartSession', documentArn),
    ];
    await expect(world.start({ client: narrowed(onInstance, onDocument) })).resolves.toHaveProperty(
      'SessionId',
    );
    expect(await failureOf(world.start({ client: narrowed(onDocument) }))).toEqual({
      name: 'AccessDeniedException',
      message:
        `User: arn:aws:sts::${ACCOUNT}:assumed-role/ci/run-1 is not authorized to perform: ssm:StartSession on ` +
        `resource: ${instanceArn} because no session policy allows the ssm:StartSession action`,
      status: 400,
    });
    const failure = await failureOf(world.start({ client: narrowed(onInstance) }));
    expect(failure.message).toContain(`on resource: ${documentArn} because`);
  });

  test("knows a host's tags, and hosts that are not EC2's", async () => {
    const byTag = (role: string): PolicyDocument => ({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 'ssm:StartSession', Resource: documentArn },
        {
          ...{ Effect: 'Allow', Action: 'ssm:StartSession' },
          Resource: [
            `arn:aws:ec2:*:*:instance/*`,
            `arn:aws:ssm:${REGION}:${ACCOUNT}:managed-instance/mi-0123456789abcdef0`,
          ],
          Condition: { StringEquals: { 'ssm:resourceTag/role': role } },
        },
      ],
    });
    for (const instance of [target, 'mi-0123456789abcdef0']) {
      world.connectAgent({ instanceId: instance, tags: { role: 'web' } });
      await expect(world.start({ instance, client: narrowed(byTag('web')) })).resolves.toBeDefined();
      const refused = failureOf(world.start({ instance, client: narrowed(byTag('db')) }));
      expect(await refused).toMatchObject({ name: 'AccessDeniedException' });
    }
  });

  test('refuses unconnected targets, other documents, and a missing port', async () => {
    world.connectAgent();
    expect(await failureOf(world.start({ instance: 'i-00000000' }))).toEqual({
      name: 'TargetNotConnected',
      message: 'i-00000000 is not connected.',
      status: 400,
    });
    world.aws.sessions.disconnectAgent(target);
    expect(await failureOf(world.start())).toMatchObject({ name: 'TargetNotConnected' });
    expect(await failureOf(world.start({ document: 'SSM-Other' }))).toMatchObject({
      name: 'InvalidDocument',
    });
    expect(await failureOf(world.start({ port: '0' }))).toMatchObject({ name: 'InvalidParameters' });
    expect(await failureOf(world.start({ instance: 'web-1' }))).toMatchObject({
      name: 'ValidationException',
    });
  });

  test('supports the same faults as every other call', async () => {
    world.connectAgent();
    world.aws.faults.order({ operation: 'ssm:StartSession', fault: 'throttling', times: 1 });
    expect(await failureOf(world.start())).toMatchObject({ name: 'ThrottlingException' });
    expect(world.aws.sessions.open).toEqual([]);
  });
});

describe('TerminateSession and ResumeSession', () => {
  test('end a session once and again, after which it has no token', async () => {
    const session = await world.open();
    await session.shakeHands();
    const SessionId = world.aws.sessions.open[0]?.id;
    await world.client.send(new TerminateSessionCommand({ SessionId }));
    await world.client.send(new TerminateSessionCommand({ SessionId }));
    await session.until(() => session.channelClosed !== undefined);
    expect(world.aws.sessions.open).toEqual([]);
    expect(world.aws.sessions.ended).toMatchObject([{ id: SessionId, target }]);
    const resumed = world.client.send(new ResumeSessionCommand({ SessionId }));
    await expect(resumed).resolves.toMatchObject({ TokenValue: '' });
  });

  test('need permission for the session', async () => {
    world.connectAgent();
    const { SessionId } = await world.start();
    for (const Command of [ResumeSessionCommand, TerminateSessionCommand]) {
      const action = `ssm:${Command.name.replace('Command', '')}`;
      await expect(
        narrowed(allow(action, sessionsArn)).send(new Command({ SessionId })),
      ).resolves.toBeDefined();
      const refused = failureOf(narrowed(allow(action, `${sessionsArn}x`)).send(new Command({ SessionId })));
      expect(await refused).toMatchObject({ name: 'AccessDeniedException' });
      const unknown = failureOf(world.client.send(new Command({ SessionId: 'run-1-0' })));
      expect(await unknown).toMatchObject({ name: 'DoesNotExistException', status: 400 });
    }
  });
});

describe('the data channel opens', () => {
  test('for a signature in headers or in the URL', async () => {
    world.connectAgent();
    const { StreamUrl = '', TokenValue } = await world.start();
    const url = await presignedUrl(StreamUrl, world.credentials);
    const session = await RawSession.connect({ StreamUrl: url, TokenValue }, { ...world, signs: false });
    await session.shakeHands();
    expect(world.violations()).toEqual([]);
  });

  test('for nobody else', async () => {
    world.connectAgent();
    const { StreamUrl = '' } = await world.start();
    const denied = { ...allow('ssm:*', '*') };
    const session = { roleArn: ROLE_ARN, sessionName: 'run-1', sessionPolicies: [denied] };
    const { credentials } = world;
    for (const headers of [
      {},
      await signedHeaders(StreamUrl, credentials, { service: 'ssm' }),
      await signedHeaders(StreamUrl, { ...credentials, secretAccessKey: 'x' }),
      await signedHeaders(StreamUrl, world.aws.iam.createSession(session)),
    ]) {
      expect(await statusOf(StreamUrl, headers)).toBe(403);
    }
    expect(
      await statusOf(StreamUrl, await signedHeaders(StreamUrl, credentials, { region: 'us-east-1' })),
    ).toBe(404);
  });

  test('at the latest StreamUrl, with its own token', async () => {
    world.connectAgent();
    const first = await world.start();
    const { SessionId } = first;
    const second = await world.client.send(new ResumeSessionCommand({ SessionId }));
    await expect(RawSession.connect(first, world)).rejects.toThrow('400');
    const session = await RawSession.connect(second, world);
    await session.shakeHands();
    const again = await RawSession.connect(second, world);
    await again.until(() => again.closed !== undefined);
    expect(world.violations()).toEqual(['a token that opens nothing']);
  });

  test.each<[string, Record<string, unknown>]>([
    ['a token that opens nothing', { TokenValue: 'x' }],
    ['no TokenValue', { TokenValue: undefined }],
    ['the MessageSchemaVersion "1"', { MessageSchemaVersion: '1' }],
    ['a RequestId that is no UUID', { RequestId: '1' }],
    ['a ClientId that is no UUID', { ClientId: '' }],
    ['the ClientVersion 1.2.763.9', { ClientVersion: '1.2.763.9' }],
  ])('and closes over %s', async (violation, opening) => {
    const session = await world.open({}, { opening });
    await session.until(() => session.closed !== undefined);
    expect(session.closed).toBe(1008);
    expect(world.violations()).toEqual([violation]);
  });

  test('over HTTPS, and supports faults before it opens', async () => {
    const secure = await startSessionWorld({ tls: true });
    try {
      secure.connectAgent();
      const started = await secure.start();
      secure.aws.faults.order({ operation: 'ssmmessages:*', fault: 'unavailable', times: 1 });
      secure.aws.faults.order({ operation: 'ssmmessages:*', fault: 'reset', times: 1 });
      const connecting = { credentials: secure.credentials, ca: secure.aws.ca };
      await expect(RawSession.connect(started, connecting)).rejects.toThrow('503');
      await expect(RawSession.connect(started, connecting)).rejects.toThrow(/ECONNRESET|hang up/);
      const session = await RawSession.connect(started, connecting);
      await session.shakeHands();
      session.send({ sequence: 1, payload: 'echo' });
      await session.until(() => session.output.toString() === 'echo');
    } finally {
      await secure.stop();
    }
  });
});

/** The status of a refused upgrade. */
async function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  const socket = new WebSocket(url, { headers });
  return await new Promise((resolve, reject) => {
    socket.on('unexpected-response', (_, response) => {
      response.resume();
      resolve(response.statusCode);
    });
    socket.on('open', () => {
      reject(new Error('opened'));
    });
    socket.on('error', () => undefined);
  });
}
