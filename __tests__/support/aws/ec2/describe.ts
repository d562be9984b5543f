/** DescribeInstances and DescribeInstanceConnectEndpoints. */
import type { Caller } from '../iam/caller.ts';
import { AwsError } from '../errors.ts';
import type { XmlTree } from '../wire/aws-query.ts';
import { invalidFilter, matches, readFilters, readList } from './filters.ts';
import { partitionOf } from '../arn.ts';
import type { ConnectEndpoint, Ec2, LaunchedInstance, Place } from './instances.ts';

export type Ec2Operation = (
  ec2: Ec2,
  caller: Caller,
  parameters: Readonly<Record<string, string>>,
) => XmlTree;

export const describeInstances: Ec2Operation = (ec2, caller, parameters) => {
  const place = placeOf(caller);
  const ids = readList(parameters, 'InstanceId');
  const filters = readFilters(parameters);
  const named = ids.length === 0 ? ec2.instancesIn(place) : ids.map((id) => findInstance(ec2, place, id));
  const found = named.filter((instance) => matches(filters, (name) => instanceAttribute(instance, name)));
  const { page, nextToken } = pageOf(found, ec2.pageSize, parameters);
  return { reservationSet: page.map(reservation), nextToken };
};

export const describeInstanceConnectEndpoints =
  (origin: () => string): Ec2Operation =>
  (ec2, caller, parameters) => {
    const filters = readFilters(parameters);
    const found = ec2
      .endpointsIn(placeOf(caller))
      .filter((endpoint) => matches(filters, (name) => endpointAttribute(endpoint, name)));
    const { page, nextToken } = pageOf(found, ec2.pageSize, parameters);
    const host = new URL(origin()).host;
    return { instanceConnectEndpointSet: page.map((endpoint) => endpointTree(endpoint, host)), nextToken };
  };

function placeOf({ principal, region }: Caller): Place {
  return { account: principal.account, region };
}

function findInstance(ec2: Ec2, place: Place, id: string): LaunchedInstance {
  if (!/^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/.test(id)) {
    throw new AwsError({ code: 'InvalidInstanceID.Malformed', message: `Invalid id: "${id}"` });
  }
  const instance = ec2.find(id, place);
  if (instance) return instance;
  throw new AwsError({
    code: 'InvalidInstanceID.NotFound',
    message: `The instance ID '${id}' does not exist`,
  });
}

function instanceAttribute(instance: LaunchedInstance, name: string): string | undefined {
  if (name.startsWith('tag:')) return instance.tags[name.slice('tag:'.length)];
  if (name === 'instance-state-name') return instance.state;
  if (name === 'vpc-id') return instance.vpcId;
  throw invalidFilter(name);
}

function endpointAttribute(endpoint: ConnectEndpoint, name: string): string | undefined {
  if (name === 'vpc-id') return endpoint.vpcId;
  if (name === 'subnet-id') return endpoint.subnetId;
  if (name === 'state') return endpoint.state;
  throw invalidFilter(name);
}

/** The token is the index of the next page's first item. */
function pageOf<T>(
  found: readonly T[],
  limit: number,
  { NextToken = '0', MaxResults = '1000' }: Readonly<Record<string, string>>,
): { page: readonly T[]; nextToken: string | undefined } {
  const start = Number(Buffer.from(NextToken, 'base64url').toString() || '0');
  const end = start + Math.min(limit, Number(MaxResults));
  const nextToken = end < found.length ? Buffer.from(String(end)).toString('base64url') : undefined;
  return { page: found.slice(start, end), nextToken };
}

const STATE_CODES = {
  ...{ pending: 0, running: 16, 'shutting-down': 32, terminated: 48, stopping: 64, stopped: 80 },
};

/** One reservation for each instance. */
function reservation(instance: LaunchedInstance): XmlTree {
  const { account, instanceId, state, tags, launchTime, platform, ipv6 } = instance;
  // A terminated instance has left its network.
  const network = !['terminated', 'shutting-down'].includes(state);
  return {
    reservationId: `r-${instanceId.slice(2)}`,
    ownerId: account,
    instancesSet: [
      {
        instanceId,
        instanceState: { code: STATE_CODES[state], name: state },
        launchTime: launchTime.toISOString(),
        placement: { availabilityZone: instance.availabilityZone },
        platform,
        ...(network && {
          privateIpAddress: instance.privateIp,
          ipAddress: state === 'running' ? instance.publicIp : undefined,
          ipv6Address: ipv6,
          subnetId: instance.subnetId,
          vpcId: instance.vpcId,
        }),
        tagSet: Object.entries(tags).map(([key, value]) => ({ key, value })),
      },
    ],
  };
}

function endpointTree(endpoint: ConnectEndpoint, host: string): XmlTree {
  const { account, region, endpointId, state, vpcId, subnetId, dnsName = host, fipsDnsName } = endpoint;
  return {
    ownerId: account,
    instanceConnectEndpointId: endpointId,
    instanceConnectEndpointArn: endpointArn(endpoint),
    state,
    ...{ dnsName, fipsDnsName, subnetId, vpcId },
    availabilityZone: `${region}a`,
  };
}

export function endpointArn({ account, region, endpointId }: ConnectEndpoint): string {
  return `arn:${partitionOf(region)}:ec2:${region}:${account}:instance-connect-endpoint/${endpointId}`;
}
