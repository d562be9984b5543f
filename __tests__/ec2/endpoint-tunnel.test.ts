/** Tunnels through an EC2 Instance Connect Endpoint to a TCP host: one presigned WebSocket over TLS, and all failures. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openEndpointTunnel } from '../../src/ec2/endpoint-tunnel.ts';
import type { Instance } from '../../src/ec2/instances.ts';
import type { Tunnel } from '../../src/ec2/tunnel.ts';
import { Failure } from '../../src/errors.ts';
import type { LaunchedInstance, PolicyDocument } from '../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { startGateway } from '../support/aws/wire/gateway.ts';
import { callerOf, connectionTo, failureOf, sessionOf, statementIn, usual } from './ec2-stage.ts';
import { endOf, pour, read, TcpHost } from './tcp-host.ts';

let world: ReadyWorld;
const host = new TcpHost();
const opened: Tunnel[] = [];

beforeAll(async () => {
  world = await startReadyWorld({ tls: true, regions: [REGION] });
  process.env['AWS_ENDPOINT_URL'] = world.aws.endpoint;
  await host.start();
});
afterAll(async () => {
  await world.stop();
  host.stop();
});
beforeEach(() => {
  world.aws.ec2.clear();
  world.aws.faults.clear();
  world.aws.forgetCalls();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((tunnel) => tunnel.close()));
  host.reset();
  while (world.aws.tunnels.open > 0) await sleep(5);
});

const launch = (more: Partial<LaunchedInstance> = {}): Instance => ({
  ...world.aws.ec2.launch({ ports: { 22: host.port }, ...more }),
  ...({ name: undefined, platform: 'other' } as const),
});

async function open(instance: Instance, at = 22, policies = usual): Promise<Tunnel> {
  const tunnel = await openEndpointTunnel({ instance, port: at }, callerOf(world.aws, policies));
  opened.push(tunnel);
  return tunnel;
}

describe('a tunnel through an Instance Connect Endpoint', () => {
  it('carries bytes unchanged in both directions', async () => {
    const instance = launch();
    world.aws.ec2.createConnectEndpoint();
    const { stream } = await open(instance);
    const sent = randomBytes(3_000_000);
    stream.write(sent);
    expect((await read(stream, sent.length)).equals(sent)).toBe(true);
  });

  it('is one presigned request for that endpoint, address and port', async () => {
    const instance = launch({ privateIp: '10.0.0.7' });
    const { endpointId } = world.aws.ec2.createConnectEndpoint();
    await open(instance);
    expect(world.aws.calls.map(({ operation }) => operation)).toEqual([
      'ec2:DescribeInstanceConnectEndpoints',
      'ec2-instance-connect:OpenTunnel',
    ]);
    expect(world.aws.calls[1]).toMatchObject({
      region: REGION,
      parameters: {
        ...{ instanceConnectEndpointId: endpointId, privateIpAddress: '10.0.0.7' },
        ...{ remotePort: '22', maxTunnelDuration: '3600' },
      },
    });
  });

  it('signs with a session token, too', async () => {
    const instance = launch();
    world.aws.ec2.createConnectEndpoint();
    const caller = sessionOf(world.aws, usual);
    opened.push(await openEndpointTunnel({ instance, port: 22 }, caller));
    expect(world.aws.tunnels.open).toBe(1);
  });

  it('uses the endpoint in the subnet, otherwise any ready endpoint in the VPC', async () => {
    const instance = launch({ subnetId: 'subnet-2' });
    world.aws.ec2.createConnectEndpoint({ vpcId: 'vpc-other', subnetId: 'subnet-2' });
    world.aws.ec2.createConnectEndpoint({ state: 'delete-in-progress', subnetId: 'subnet-2' });
    const any = world.aws.ec2.createConnectEndpoint({ subnetId: 'subnet-1', state: 'update-complete' });
    world.aws.ec2.pageSize = 1;
    await open(instance);
    const own = world.aws.ec2.createConnectEndpoint({ subnetId: 'subnet-2' });
    await open(instance);
    const used = world.aws.calls.filter(({ operation }) => operation.endsWith('OpenTunnel'));
    expect(used.map(({ parameters }) => parameters['instanceConnectEndpointId'])).toEqual([
      any.endpointId,
      own.endpointId,
    ]);
  });

  it('uses the IPv6 address if there is no other', async () => {
    const instance = launch({ privateIp: undefined, ipv6: '2001:db8::7' });
    world.aws.ec2.createConnectEndpoint();
    const { stream } = await open(instance);
    stream.write('here');
    expect(String(await read(stream, 4))).toBe('here');
  });

  it('uses the proxy of the environment', async () => {
    const gateway = await startGateway({ leads: world.aws.endpoint });
    const dnsName = `eice-1.${REGION}.amazonaws.com`;
    const instance = launch();
    world.aws.ec2.createConnectEndpoint({ dnsName });
    const connection = connectionTo(world.aws, { HTTPS_PROXY: gateway.url, NO_PROXY: '127.0.0.1' });
    const tunnel = await openEndpointTunnel(
      { instance, port: 22 },
      callerOf(world.aws, usual, { connection }),
    );
    tunnel.stream.write('here');
    expect(String(await read(tunnel.stream, 4))).toBe('here');
    expect(gateway.tunnels).toEqual([`${dnsName}:443`]);
    await tunnel.close();
    gateway.close();
  });

  it('ends when the host ends, after all of its bytes', async () => {
    const said = randomBytes(500_000);
    host.behave = (socket) => socket.resume().end(said);
    const instance = launch();
    world.aws.ec2.createConnectEndpoint();
    const { stream } = await open(instance);
    const heard = Buffer.concat((await stream.toArray()) as Buffer[]);
    expect(heard.equals(said)).toBe(true);
  });

  it('ends when this side ends, after the host has received everything', async () => {
    const heard = new Promise<Buffer>((resolve) => {
      host.behave = (socket) => {
        const chunks: Buffer[] = [];
        socket.on('data', (chunk) => chunks.push(chunk));
        socket.on('end', () => {
          resolve(Buffer.concat(chunks));
          socket.end();
        });
      };
    });
    const instance = launch();
    world.aws.ec2.createConnectEndpoint();
    const tunnel = await open(instance);
    const said = randomBytes(500_000);
    const end = endOf(tunnel);
    tunnel.stream.end(said);
    expect((await heard).equals(said)).toBe(true);
    expect(await end).toBeUndefined();
    expect(world.aws.tunnels.open).toBe(0);
  });

  it('stops reading from the host if nobody reads', async () => {
    let poured = { megabytes: Number.NaN };
    host.behave = (socket) => (poured = pour(socket));
    const instance = launch();
    world.aws.ec2.createConnectEndpoint();
    const { stream } = await open(instance);
    stream.once('readable', () => undefined);
    await sleep(300);
    // The buffers of the system between the two sides.
    expect(poured.megabytes).toBeLessThan(60);
    expect(stream.readableLength).toBeLessThan(2_000_000);
  });

  it('stops writing if the host does not read', async () => {
    host.behave = (socket) => socket.pause();
    const instance = launch();
    world.aws.ec2.createConnectEndpoint();
    const { stream } = await open(instance);
    const poured = pour(stream);
    await sleep(300);
    expect(poured.megabytes).toBeLessThan(60);
    expect(stream.writableLength).toBeLessThan(3_000_000);
  });

  it('sends pings while there is no traffic', async () => {
    const instance = launch();
    world.aws.ec2.createConnectEndpoint();
    const before = world.aws.tunnels.pings;
    opened.push(await openEndpointTunnel({ instance, port: 22 }, callerOf(world.aws), 10));
    while (world.aws.tunnels.pings < before + 3) await sleep(10);
  });

  it('closes at once, even with unread bytes, and repeatedly', async () => {
    host.behave = (socket) => socket.write(Buffer.alloc(20_000_000));
    const instance = launch();
    world.aws.ec2.createConnectEndpoint();
    const tunnel = await open(instance);
    await tunnel.close();
    await tunnel.close();
    expect(tunnel.stream.destroyed).toBe(true);
    expect(world.aws.tunnels.open).toBe(0);
  });
});

describe('a tunnel that an Instance Connect Endpoint does not open is TUNNEL_FAILED', () => {
  it('if the VPC has no endpoint, with the command that creates one', async () => {
    const instance = launch({ vpcId: 'vpc-1', subnetId: 'subnet-1' });
    world.aws.ec2.createConnectEndpoint({ vpcId: 'vpc-2' });
    const { code, message, hint } = await failureOf(open(instance));
    expect(code).toBe('TUNNEL_FAILED');
    expect(message).toContain(`no EC2 Instance Connect Endpoint in vpc-1, the VPC of ${instance.instanceId}`);
    expect(hint).toContain(`create-instance-connect-endpoint --region ${REGION} --subnet-id subnet-1`);
    expect(hint).toContain('via = session-manager');
  });

  it('if the look-up is denied, with the statement that allows it', async () => {
    const { code, hint } = await failureOf(open(launch(), 22, []));
    expect(code).toBe('TUNNEL_FAILED');
    expect(statementIn(hint)).toMatchObject({
      Action: 'ec2:DescribeInstanceConnectEndpoints',
      Resource: '*',
    });
  });

  it('if the tunnel is denied, with the statement that allows it', async () => {
    const instance = launch();
    const { endpointId } = world.aws.ec2.createConnectEndpoint();
    const describing = allow('ec2:Describe*', '*');
    const { code, message, hint } = await failureOf(open(instance, 22, [describing]));
    expect(code).toBe('TUNNEL_FAILED');
    expect(message).toContain(`${endpointId} in ${REGION} refused a tunnel to ${instance.instanceId}: `);
    const statement = statementIn(hint);
    expect(statement).toMatchObject({
      Action: 'ec2-instance-connect:OpenTunnel',
      Resource: `arn:aws:ec2:${REGION}:${ACCOUNT}:instance-connect-endpoint/${endpointId}`,
    });
    const policy = { Version: '2012-10-17', Statement: [statement] } as PolicyDocument;
    await open(instance, 22, [describing, policy]);
    expect(world.aws.tunnels.open).toBe(1);
  });

  it('for a port that endpoints do not allow', async () => {
    const instance = launch();
    world.aws.ec2.createConnectEndpoint();
    const { code, message, hint } = await failureOf(open(instance, 2222));
    expect(code).toBe('TUNNEL_FAILED');
    expect(message).toContain('RemotePort is not valid');
    expect(hint).toContain('22 and 3389');
  });

  it('if the instance has no address', async () => {
    const instance = launch({ privateIp: undefined });
    expect(await failureOf(open(instance))).toMatchObject({ code: 'TUNNEL_FAILED' });
  });

  it.each([
    ['TUNNEL_FAILED', { error: { code: 'TooManyConnections', message: 'Limit.' } }, '20 connections'],
    ['TUNNEL_FAILED', 'bad-gateway', 'check the endpoint'],
    ['TUNNEL_FAILED', 'malformed', 'check the endpoint'],
    ['NETWORK_UNREACHABLE', 'reset', 'reaches https://127.0.0.1:'],
  ] as const)('or %s (fault %j)', async (code, fault, hint) => {
    const instance = launch();
    world.aws.ec2.createConnectEndpoint();
    world.aws.faults.order({ operation: 'ec2-instance-connect:OpenTunnel', fault });
    const failure = await failureOf(open(instance));
    expect(failure).toMatchObject({ code });
    expect(failure.hint).toContain(hint);
  });

  it('unless the signal is aborted first', async () => {
    const instance = launch();
    world.aws.ec2.createConnectEndpoint();
    world.aws.faults.order({ operation: 'ec2-instance-connect:OpenTunnel', fault: 'hang' });
    const stop = new AbortController();
    const reason = new Failure('TIMEOUT', 'too late', { hint: '' });
    const caller = callerOf(world.aws, usual, { signal: stop.signal });
    const work = openEndpointTunnel({ instance, port: 22 }, caller);
    setTimeout(() => {
      stop.abort(reason);
    }, 200);
    expect(await failureOf(work)).toBe(reason);
  });
});

describe('a broken tunnel through an Instance Connect Endpoint is TUNNEL_FAILED', () => {
  const broken = async (trouble: () => void): Promise<Failure> => {
    const instance = launch();
    world.aws.ec2.createConnectEndpoint();
    const tunnel = await open(instance);
    const end = endOf(tunnel);
    trouble();
    const failure = await end;
    if (failure?.code !== 'TUNNEL_FAILED') throw new Error('no TUNNEL_FAILED', { cause: failure });
    return failure;
  };

  it('if nothing listens on the port', async () => {
    const instance = launch({ ports: {} });
    world.aws.ec2.createConnectEndpoint();
    const failure = await endOf(await open(instance));
    expect(failure).toMatchObject({ code: 'TUNNEL_FAILED' });
    expect(failure?.message).toContain('ended: Unable to connect to target');
    expect(failure?.hint).toContain('sshd listens on port 22');
  });

  it('after one hour', async () => {
    world.aws.tunnels.longest = 100;
    const failure = await broken(() => undefined);
    world.aws.tunnels.longest = 3_600_000;
    expect(failure.message).toContain('Maximum tunnel duration reached');
    expect(failure.hint).toContain('lasts one hour at most');
  });

  it('if the service ends it', async () => {
    const { message } = await broken(() => {
      world.aws.tunnels.end({ code: 1011, reason: '' });
    });
    expect(message).toContain('ended: code 1011');
  });

  it('if the connection is cut', async () => {
    const { message } = await broken(() => {
      world.aws.tunnels.end();
    });
    expect(message).toContain('ended: the connection broke');
  });

  it('if the endpoint sends text', async () => {
    const { message } = await broken(() => {
      world.aws.tunnels.sayText('hello');
    });
    expect(message).toContain('sent text');
  });
});
