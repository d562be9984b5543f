/** EC2's questions by the AWS SDK, page by page. The client is large: this file is loaded where it is needed, and not before. */
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
    // The page of a captive portal is XML enough for the SDK, and no list at all. AWS's empty list is one.
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
