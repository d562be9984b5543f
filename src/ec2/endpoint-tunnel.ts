/**
 * A tunnel through an EC2 Instance Connect Endpoint: one presigned WebSocket that carries raw bytes.
 *
 * @source EC2 User Guide, "Connect using EC2 Instance Connect Endpoint"; aws-cli, customizations/ec2instanceconnect
 */
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { WebSocket } from 'ws';
import { awsFailure } from '../aws/failures.ts';
import { renewing } from '../aws/renewing.ts';
import type { Ec2Caller } from './caller.ts';
import type { Asking, Ec2InstanceConnectEndpoint } from './ec2-client.ts';
import {
  describeDenied,
  endedBy,
  noAddress,
  noEndpoint,
  noFipsName,
  notOpened,
  textInstead,
  type Route,
} from './endpoint-failures.ts';
import { isDenied } from './denials.ts';
import type { Instance } from './instances.ts';
import { presign } from './signature.ts';
import { SocketStream } from './socket-stream.ts';
import type { Tunnel } from './tunnel.ts';
import { openWebSocket } from './web-socket.ts';

/** The longest duration of a tunnel, in seconds. */
const longest = 3600;
/** Seconds until the presigned URL expires. */
const urlLifetime = 60;
/** Milliseconds. Load balancers drop connections without traffic after some minutes. */
const pingInterval = 30_000;
/** An endpoint that is being modified still works. */
const usable = ['create-complete', 'update-in-progress', 'update-failed', 'update-complete'];

export interface EndpointTarget {
  readonly instance: Instance;
  readonly port: number;
}

/**
 * @param pingEvery milliseconds between two pings
 * @throws TUNNEL_FAILED, and the errors of any AWS call (src/aws/failures.ts)
 */
export async function openEndpointTunnel(
  target: EndpointTarget,
  caller: Ec2Caller,
  pingEvery = pingInterval,
): Promise<Tunnel> {
  const { region, connection, signal } = caller;
  const { openEc2 } = await import('./ec2-client.ts');
  const { client, route } = await renewing(caller, async () => {
    const client = openEc2(caller);
    return { client, route: await findRoute(target, { client, caller }) };
  });
  try {
    const url = await presignedUrl(route, client, region);
    const socket = await openWebSocket(url, { connection, signal });
    const pings = setInterval(() => {
      socket.ping();
    }, pingEvery).unref();
    socket.once('close', () => {
      clearInterval(pings);
    });
    return tunnelOver(socket, route);
  } catch (error) {
    signal.throwIfAborted();
    throw notOpened(error, route);
  }
}

async function findRoute({ instance, port }: EndpointTarget, asking: Asking): Promise<Route> {
  const { region } = asking.caller;
  const address = instance.privateIp ?? instance.ipv6;
  if (address === undefined) throw noAddress(instance, region);
  const endpoint = await findEndpoint(instance, asking);
  if (!endpoint) throw noEndpoint(instance, region);
  const { InstanceConnectEndpointId: id = '', InstanceConnectEndpointArn: arn = '' } = endpoint;
  const fips = await asking.client.config.useFipsEndpoint();
  const host = fips ? endpoint.FipsDnsName : endpoint.DnsName;
  if (!host) throw noFipsName(id, region);
  return { ...{ id, arn, host, address, port, region }, instanceId: instance.instanceId };
}

/** Prefers an endpoint in the instance's subnet, then in its zone. Every endpoint reaches the whole VPC. */
async function findEndpoint(
  instance: Instance,
  asking: Asking,
): Promise<Ec2InstanceConnectEndpoint | undefined> {
  const { region, signal } = asking.caller;
  const { describeEndpoints } = await import('./ec2-client.ts');
  const filters = [
    { Name: 'vpc-id', Values: [instance.vpcId ?? ''] },
    { Name: 'state', Values: usable },
  ];
  try {
    const endpoints = await describeEndpoints(filters, asking);
    return (
      endpoints.find(({ SubnetId }) => SubnetId === instance.subnetId) ??
      endpoints.find(({ AvailabilityZone }) => AvailabilityZone === instance.availabilityZone) ??
      endpoints[0]
    );
  } catch (error) {
    signal.throwIfAborted();
    if (isDenied(error)) throw describeDenied(error, instance, region);
    const resource = `the Instance Connect Endpoints of ${instance.vpcId ?? 'no VPC'}`;
    throw awsFailure(error, { service: 'ec2', region, resource, doing: 'looking up' });
  }
}

async function presignedUrl(
  { host, id, address, port }: Route,
  { config }: EC2Client,
  region: string,
): Promise<URL> {
  const url = new URL(`wss://${host}/openTunnel`);
  const query = {
    instanceConnectEndpointId: id,
    remotePort: String(port),
    privateIpAddress: address,
    maxTunnelDuration: String(longest),
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const credentials = await config.credentials();
  const date = new Date(Date.now() + config.systemClockOffset);
  return await presign(url, { service: 'ec2-instance-connect', region, credentials, date }, urlLifetime);
}

function tunnelOver(socket: WebSocket, route: Route): Tunnel {
  const stream = new SocketStream(socket, {
    ended: (code, reason) => endedBy(code, reason, route),
    broken: (error) => notOpened(error, route),
    text: () => textInstead(route),
  });
  return {
    stream,
    close: async () => {
      if (stream.closed) return;
      const closed = new Promise((resolve) => stream.once('close', resolve));
      stream.destroy();
      await closed;
    },
  };
}
