/**
 * A tunnel by an EC2 Instance Connect Endpoint: one presigned WebSocket, raw bytes inside.
 *
 * @source EC2 User Guide, "Connect using EC2 Instance Connect Endpoint"; aws-cli, customizations/ec2instanceconnect
 */
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { WebSocket } from 'ws';
import { awsFailure } from '../aws/failures.ts';
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

/** Seconds that a tunnel may last: as much as there is. */
const longest = 3600;
/** Seconds in which the URL has to be used. */
const urlLifetime = 60;
/** Milliseconds: load balancers drop connections that are silent for minutes. */
const pingInterval = 30_000;
/** An endpoint that is being modified works on as it was. */
const usable = ['create-complete', 'update-in-progress', 'update-failed', 'update-complete'];

export interface EndpointTarget {
  readonly instance: Instance;
  readonly port: number;
}

/**
 * @param pingEvery milliseconds between two signs of life
 * @throws TUNNEL_FAILED, and whatever any call can meet (src/aws/failures.ts)
 */
export async function openEndpointTunnel(
  target: EndpointTarget,
  caller: Ec2Caller,
  pingEvery = pingInterval,
): Promise<Tunnel> {
  const { region, connection, signal } = caller;
  const { openEc2 } = await import('./ec2-client.ts');
  const client = openEc2(caller);
  const route = await findRoute(target, { client, caller });
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

/** The one in the instance's own subnet, else in its zone, else any: an endpoint reaches all of its VPC. */
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
