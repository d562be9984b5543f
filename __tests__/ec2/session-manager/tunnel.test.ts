/** Tunnels through Session Manager: how they open and end, and their errors. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Ec2Caller } from '../../../src/ec2/caller.ts';
import { Sessions } from '../../../src/ec2/session-manager/sessions.ts';
import { openSessionTunnel } from '../../../src/ec2/session-manager/tunnel.ts';
import type { Tunnel } from '../../../src/ec2/tunnel.ts';
import { Failure } from '../../../src/errors.ts';
import type { AgentInput, PolicyDocument } from '../../support/aws/local-aws.ts';
import { startGateway } from '../../support/aws/wire/gateway.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { callerOf, connectionTo, failureOf, statementIn } from '../ec2-stage.ts';
import { endOf, read, TcpHost } from '../tcp-host.ts';

const instanceId = 'i-0123456789abcdef0';
const target = { instanceId, port: 22 };
const everything = [allow(['ssm:*', 'ssmmessages:*'], '*')];

let world: ReadyWorld;
const host = new TcpHost();
const opened: Tunnel[] = [];

beforeAll(async () => {
  world = await startReadyWorld();
  process.env['AWS_ENDPOINT_URL'] = world.aws.endpoint;
  await host.start();
});
afterAll(async () => {
  delete process.env['AWS_ENDPOINT_URL'];
  await world.stop();
  host.stop();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((tunnel) => tunnel.close()));
  host.reset();
  expect(world.aws.sessions.violations).toEqual([]);
  expect(world.aws.sessions.open).toEqual([]);
  world.aws.sessions.forget();
  world.aws.sessions.faults = {};
  world.aws.faults.clear();
  world.aws.forgetCalls();
});

function connectAgent(more: Partial<AgentInput> = {}): void {
  const ports = { 22: host.port };
  world.aws.sessions.connectAgent({ account: ACCOUNT, region: REGION, instanceId, ports, ...more });
}

async function open(
  more: {
    policies?: readonly PolicyDocument[];
    agent?: Partial<AgentInput>;
    caller?: Partial<Ec2Caller>;
  } = {},
): Promise<Tunnel> {
  connectAgent(more.agent);
  const tunnel = await openSessionTunnel(
    target,
    callerOf(world.aws, more.policies ?? everything, more.caller),
  );
  opened.push(tunnel);
  return tunnel;
}

/** The other end of the next connection. */
function nextConnection(): Promise<Socket> {
  return new Promise((resolve) => {
    host.behave = resolve;
  });
}

const operations = (): string[] => world.aws.calls.map(({ operation }) => operation);
const cancelled = new Failure('TIMEOUT', 'it took too long', { hint: 'wait longer' });

describe('a tunnel through Session Manager', () => {
  it('needs two requests to open, and one to end', async () => {
    const tunnel = await open();
    tunnel.stream.write('hello');
    expect((await read(tunnel.stream, 5)).toString()).toBe('hello');
    expect(operations()).toEqual(['ssm:StartSession', 'ssmmessages:OpenDataChannel']);
    await tunnel.close();
    await tunnel.close();
    expect(operations().filter((operation) => operation !== 'ssm:TerminateSession')).toHaveLength(2);
  });

  it('limits ssh to the pace of the host, and the host to the pace of ssh', async () => {
    const connection = nextConnection();
    const { stream } = await open();
    const socket = (await connection).pause();
    const large = Buffer.alloc(64 * 1024);
    let written = 0;
    while (stream.write(large)) written += large.length;
    for (let round = 0; round < 20; round++) {
      await sleep(10);
      while (stream.write(large) && written < 1e9) written += large.length;
    }
    // Nobody reads, so this is the window and the sockets' buffers.
    expect(written).toBeLessThan(50_000_000);
    let sent = 0;
    while (socket.write(large)) sent += large.length;
    socket.on('drain', () => {
      while (socket.write(large)) sent += large.length;
    });
    await sleep(300);
    expect(sent).toBeLessThan(50_000_000);
    expect(stream.readableLength).toBeLessThan(1_000_000);
  });

  it.each(['reset', 'internal-error', 'throttling'] as const)(
    'opens although its first socket has the fault %s',
    async (fault) => {
      world.aws.faults.order({ operation: 'ssmmessages:OpenDataChannel', fault, times: 2 });
      const { stream } = await open();
      stream.write('hello');
      expect((await read(stream, 5)).toString()).toBe('hello');
    },
  );

  it('ends when the host ends', async () => {
    host.behave = (socket) => socket.end('bye');
    const tunnel = await open();
    expect(await endOf(tunnel)).toBeUndefined();
  });

  it('delivers everything to the host before it ends, when ssh ends', async () => {
    const connection = nextConnection();
    const { stream } = await open();
    const arrived = read(await connection, 300_000);
    stream.end(Buffer.alloc(300_000, 'x'));
    stream.resume();
    await once(stream, 'close');
    expect(await arrived).toHaveLength(300_000);
    expect(world.aws.sessions.open).toEqual([]);
  });
});

describe('a tunnel leaves no session', () => {
  it.each([
    ['closed', (tunnel: Tunnel) => tunnel.close()],
    [
      'destroyed',
      async (tunnel: Tunnel): Promise<void> => {
        tunnel.stream.destroy(new Error('EPIPE'));
        await tunnel.close();
      },
    ],
    [
      'ended',
      async (tunnel: Tunnel): Promise<void> => {
        tunnel.stream.resume().end();
        await once(tunnel.stream, 'close');
      },
    ],
  ])('%s, even if nobody reads and the service is slow', async (_, end) => {
    host.behave = (socket) => socket.end(Buffer.alloc(1_000_000));
    const tunnel = await open();
    await end(tunnel);
    expect(world.aws.sessions.open).toEqual([]);
  });

  it('if it is aborted while it is open', async () => {
    const controller = new AbortController();
    const tunnel = await open({ caller: { signal: controller.signal } });
    const end = endOf(tunnel);
    controller.abort(cancelled);
    expect(await end).toBe(cancelled);
    await tunnel.close();
    expect(world.aws.sessions.open).toEqual([]);
  });

  it('if it is aborted during StartSession: it waits for the answer', async () => {
    const controller = new AbortController();
    world.aws.faults.order({ operation: 'ssm:StartSession', fault: { latency: 150 } });
    connectAgent();
    const opening = failureOf(
      openSessionTunnel(target, callerOf(world.aws, everything, { signal: controller.signal })),
    );
    await sleep(50);
    controller.abort(cancelled);
    expect(await opening).toBe(cancelled);
  });

  it('if it is aborted while the agent is silent', async () => {
    const controller = new AbortController();
    connectAgent({ faults: { drop: 1 } });
    const opening = failureOf(
      openSessionTunnel(target, callerOf(world.aws, everything, { signal: controller.signal })),
    );
    while (world.aws.sessions.open[0]?.connected !== true) await sleep(5);
    controller.abort(cancelled);
    expect(await opening).toBe(cancelled);
  });

  it('ends soon if AWS hangs: Session Manager ends the session later', async () => {
    const tunnel = await open();
    world.aws.sessions.faults = { terminateDelay: 60_000, drop: 1 };
    const since = performance.now();
    await tunnel.close();
    expect(performance.now() - since).toBeLessThan(10_000);
    world.aws.sessions.stop();
  });
});

const sessions = `arn:aws:ssm:${REGION}:${ACCOUNT}:session/`;
const hostArn = `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/${instanceId}`;
const documentArn = `arn:aws:ssm:${REGION}::document/AWS-StartSSHSession`;

describe('the error', () => {
  it('if the instance is not connected', async () => {
    world.aws.sessions.disconnectAgent(instanceId);
    const failure = await failureOf(openSessionTunnel(target, callerOf(world.aws, everything)));
    expect(failure).toMatchObject({
      code: 'SESSION_FAILED',
      message: `${instanceId} is not connected to Session Manager in ${REGION}`,
      hint: expect.stringContaining('AmazonSSMManagedInstanceCore') as unknown as string,
    });
  });

  it.each([
    ['ssm:StartSession', [hostArn, documentArn]],
    ['ssmmessages:OpenDataChannel', `${sessions}*`],
  ])('if %s is denied has the statement that allows it', async (action, resources) => {
    const others = ['ssm:StartSession', 'ssm:TerminateSession', 'ssmmessages:OpenDataChannel'];
    const policies = [
      allow(
        others.filter((other) => other !== action),
        '*',
      ),
    ];
    const failure = await failureOf(open({ policies }));
    expect(failure.code).toBe('SESSION_FAILED');
    expect(failure.message).toContain(instanceId);
    expect(statementIn(failure.hint)).toEqual({ Effect: 'Allow', Action: action, Resource: resources });
  });

  it('if resuming is denied has the statement that allows it', async () => {
    const actions = ['ssm:StartSession', 'ssm:TerminateSession', 'ssmmessages:OpenDataChannel'];
    const tunnel = await open({ policies: [allow(actions, '*')] });
    const end = endOf(tunnel);
    world.aws.sessions.cut();
    const failure = await end;
    expect(failure?.code).toBe('SESSION_FAILED');
    expect(statementIn(failure?.hint ?? '')).toMatchObject({
      ...{ Action: 'ssm:ResumeSession', Resource: `${sessions}*` },
      Condition: { StringLike: { 'ssm:resourceTag/aws:ssmmessages:session-id': '${aws:userid}' } },
    });
  });

  it('if nothing listens on the port', async () => {
    const tunnel = await open({ agent: { ports: {} } });
    expect(await endOf(tunnel)).toMatchObject({
      code: 'TUNNEL_FAILED',
      message: `nothing accepts connections on port 22 of ${instanceId} in ${REGION}`,
      hint: expect.stringContaining('sshd is listening on port 22') as unknown as string,
    });
  });

  it('if the session is terminated by somebody else', async () => {
    const tunnel = await open();
    tunnel.stream.write('hello');
    await read(tunnel.stream, 5);
    const end = endOf(tunnel);
    const [session] = world.aws.sessions.open;
    const caller = callerOf(world.aws, everything);
    await new Sessions({ ...target, region: REGION }, caller).terminate(session?.id ?? '', caller.signal);
    expect(await end).toMatchObject({
      code: 'TUNNEL_FAILED',
      message: `the session with ${instanceId} in ${REGION} was ended: Session terminated.`,
    });
  });

  it('if the agent asks for encryption', async () => {
    const failure = await failureOf(open({ agent: { encryption: true } }));
    expect(failure).toMatchObject({ code: 'SESSION_FAILED' });
    expect(failure.message).toContain('KMSEncryption');
  });

  it.each([
    ['ssm:StartSession', 'throttling', 'THROTTLED'],
    ['ssm:StartSession', 'malformed', 'NETWORK_UNREACHABLE'],
    [
      'ssm:StartSession',
      { error: { code: 'ExpiredTokenException', message: 'expired' } },
      'CREDENTIALS_EXPIRED',
    ],
  ] as const)('if %s has the fault %j is %s', async (operation, fault, code) => {
    world.aws.faults.order({ operation, fault });
    const failure = await failureOf(open());
    expect(failure.code).toBe(code);
    expect(failure.hint).not.toContain('Parameter Store');
  });
});

it('a tunnel uses the proxy of the environment for its calls and its socket', async () => {
  const secure = await startReadyWorld({ tls: true });
  const gateway = await startGateway();
  process.env['AWS_ENDPOINT_URL'] = secure.aws.endpoint;
  try {
    const ports = { 22: host.port };
    secure.aws.sessions.connectAgent({ account: ACCOUNT, region: REGION, instanceId, ports });
    const connection = connectionTo(secure.aws, { HTTPS_PROXY: gateway.url });
    const tunnel = await openSessionTunnel(target, callerOf(secure.aws, everything, { connection }));
    tunnel.stream.write('hello');
    expect((await read(tunnel.stream, 5)).toString()).toBe('hello');
    await tunnel.close();
    const { host: address } = new URL(secure.aws.endpoint);
    expect(gateway.tunnels.slice(0, 2)).toEqual([address, address]);
  } finally {
    process.env['AWS_ENDPOINT_URL'] = world.aws.endpoint;
    gateway.close();
    await secure.stop();
  }
});
