/** EC2's Describe calls, page by page. Load this file only when needed: the SDK's client for EC2 is large. */
import {
  EC2Client,
  paginateDescribeInstanceConnectEndpoints,
  paginateDescribeInstances,
  type DescribeInstancesCommandInput,
  type Ec2InstanceConnectEndpoint,
  type Filter,
  type Instance,
} from '@aws-sdk/client-ec2';
import { notFromAws } from '../aws/failures.ts';
import type { Ec2Caller } from './caller.ts';

export type { Ec2InstanceConnectEndpoint, Instance };

export interface Asking {
  readonly client: EC2Client;
  readonly caller: Pick<Ec2Caller, 'region' | 'signal'>;
}

export function openEc2({ region, connection, credentials }: Ec2Caller): EC2Client {
  return new EC2Client({ region, ...connection, ...(credentials && { credentials }) });
}

export async function describeInstances(
  input: DescribeInstancesCommandInput,
  { client, caller }: Asking,
): Promise<Instance[]> {
  const instances: Instance[] = [];
  const pages = paginateDescribeInstances({ client }, input, { abortSignal: caller.signal });
  for await (const { Reservations } of pages) {
    // The SDK reads a captive portal's page as XML without a list. AWS's empty list is a list.
    if (!Reservations) throw foreign(caller);
    instances.push(...Reservations.flatMap((reservation) => reservation.Instances ?? []));
  }
  return instances;
}

export async function describeEndpoints(
  filters: Filter[],
  { client, caller }: Asking,
): Promise<Ec2InstanceConnectEndpoint[]> {
  const endpoints: Ec2InstanceConnectEndpoint[] = [];
  const input = { Filters: filters };
  const options = { abortSignal: caller.signal };
  for await (const { InstanceConnectEndpoints } of paginateDescribeInstanceConnectEndpoints(
    { client },
    input,
    options,
  )) {
    if (!InstanceConnectEndpoints) throw foreign(caller);
    endpoints.push(...InstanceConnectEndpoints);
  }
  return endpoints;
}

function foreign({ region }: Asking['caller']): Error {
  return notFromAws({ service: 'ec2', region, resource: '' });
}
