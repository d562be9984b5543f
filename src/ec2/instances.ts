/** Finds the instance for a name, and its addresses, with EC2's DescribeInstances. */
import { awsFailure, readAwsError } from '../aws/failures.ts';
import { renewing } from '../aws/renewing.ts';
import { Failure } from '../errors.ts';
import type { Ec2Caller } from './caller.ts';
import { denialHint, isDenied } from './denials.ts';
import type { Instance as Described } from './ec2-client.ts';
import type { InstanceName } from './host-name.ts';
import { ambiguous, nameOf, noneRunning, notRunning, unknownId } from './lookup-failures.ts';

export interface Instance {
  readonly instanceId: string;
  /** The value of its tag `Name`. */
  readonly name: string | undefined;
  readonly availabilityZone: string | undefined;
  readonly vpcId: string | undefined;
  readonly subnetId: string | undefined;
  readonly publicIp: string | undefined;
  readonly ipv6: string | undefined;
  readonly privateIp: string | undefined;
  readonly platform: 'windows' | 'other';
}

/**
 * Finds the one running instance with that name.
 *
 * @throws TARGET_NOT_FOUND (no such instance, or it is not running, or the look-up is denied), TARGET_AMBIGUOUS,
 *   INPUT_INVALID, and the errors of any AWS call (src/aws/failures.ts)
 */
export async function findInstance(name: InstanceName, caller: Ec2Caller): Promise<Instance> {
  requireTag(name);
  const found = await describe(name, caller);
  const running = found.filter(({ State }) => State?.Name === 'running');
  const [first, second] = running;
  if (name.kind === 'instance') {
    if (first) return toInstance(first);
    const [other] = found;
    if (!other) throw unknownId(name.id, caller.region);
    throw notRunning(name.id, other.State?.Name, { region: caller.region });
  }
  if (second) throw ambiguous(name, running, caller.region);
  if (!first) throw noneRunning(name, found, caller.region);
  return toInstance(first);
}

function requireTag(name: InstanceName): void {
  if (name.kind === 'instance' || name.key !== '') return;
  throw new Failure('INPUT_INVALID', `the host ${textOf(name)} names no tag`, {
    hint: 'write TAG=VALUE, e.g. Name=web-1, or the id of the instance',
  });
}

/** Asks for all states at once, so that the error can name instances that are not running. */
async function describe(name: InstanceName, caller: Ec2Caller): Promise<Described[]> {
  const { region, signal } = caller;
  const { describeInstances, openEc2 } = await import('./ec2-client.ts');
  const input =
    name.kind === 'instance'
      ? { InstanceIds: [name.id] }
      : { Filters: [{ Name: `tag:${name.key}`, Values: [literally(name.value)] }] };
  try {
    // A new client, because a client keeps its credentials.
    return await renewing(caller, () => describeInstances(input, { client: openEc2(caller), caller }));
  } catch (error) {
    signal.throwIfAborted();
    if (name.kind === 'instance' && /^InvalidInstanceID/.test(readAwsError(error).name)) {
      throw unknownId(name.id, region, error);
    }
    if (isDenied(error)) throw denied(error, textOf(name), region);
    throw awsFailure(error, { service: 'ec2', region, resource: textOf(name), doing: 'looking up' });
  }
}

/** Filters allow wildcards, so they are escaped. @source EC2 API Reference, "Filter" */
function literally(value: string): string {
  return value.replace(/[*?\\]/g, '\\$&');
}

export function textOf(name: InstanceName): string {
  return name.kind === 'instance' ? name.id : `${name.key}=${name.value}`;
}

/** Without permission to look up, no host can be found, so the code is the same as for a missing host. */
function denied(error: unknown, text: string, region: string): Failure {
  const { message } = readAwsError(error);
  const statement = { Action: 'ec2:DescribeInstances', Resource: '*' };
  const hint = `${denialHint(message, statement)} (this action cannot be limited to one instance)`;
  return new Failure('TARGET_NOT_FOUND', `looking up ${text} in ${region} is denied: ${message}`, {
    hint,
    cause: error,
  });
}

function toInstance(described: Described): Instance {
  return {
    instanceId: described.InstanceId ?? '',
    name: nameOf(described),
    availabilityZone: described.Placement?.AvailabilityZone,
    vpcId: described.VpcId,
    subnetId: described.SubnetId,
    publicIp: described.PublicIpAddress,
    ipv6: described.Ipv6Address,
    privateIp: described.PrivateIpAddress,
    platform: described.Platform?.toLowerCase() === 'windows' ? 'windows' : 'other',
  };
}
