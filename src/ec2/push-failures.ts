/** Converts errors of EC2 Instance Connect to our codes and hints. @source its API Reference, SendSSHPublicKey */
import { awsFailure, readAwsError } from '../aws/failures.ts';
import { Failure } from '../errors.ts';
import { partitionOf } from '../keys/partition.ts';
import { accountIn, denialHint, isDenied } from './denials.ts';
import { notRunning, unknownId } from './lookup-failures.ts';

export interface Pushed {
  readonly instanceId: string;
  readonly user: string;
  readonly region: string;
}

export function pushFailure(error: unknown, pushed: Pushed): Failure {
  if (error instanceof Failure) return error;
  const { name, message } = readAwsError(error);
  const { instanceId, region } = pushed;
  if (isDenied(error) || name === 'AuthException') return denied(error, pushed);
  switch (name) {
    case 'EC2InstanceNotFoundException':
      return unknownId(instanceId, region, error);
    case 'EC2InstanceStateInvalidException':
      return notRunning(instanceId, stateIn(message), { region, cause: error });
    case 'InvalidArgsException':
      return failed(pushed, message, {
        hint: `check the login name ${pushed.user}, and that ${instanceId} is its whole id`,
        cause: error,
      });
    case 'EC2InstanceUnavailableException':
      return failed(pushed, message, { hint: 'wait a few minutes and try again', cause: error });
    case 'EC2InstanceTypeInvalidException':
      return failed(pushed, message, {
        hint: `set a key for it: ssm-ssh-agent put, and ssm.${instanceId}.key in git's configuration`,
        cause: error,
      });
    default:
      return awsFailure(error, {
        ...{ service: 'ec2-instance-connect', region },
        ...{ resource: `${pushed.user} on ${instanceId}`, doing: 'pushing a key for' },
      });
  }
}

export function notAccepted(pushed: Pushed): Failure {
  return failed(pushed, 'it gives no reason', { hint: 'run it again' });
}

function denied(error: unknown, pushed: Pushed): Failure {
  const { instanceId, region, user } = pushed;
  const { message } = readAwsError(error);
  const statement = {
    Action: 'ec2-instance-connect:SendSSHPublicKey',
    Resource: `arn:${partitionOf(region)}:ec2:${region}:${accountIn(message)}:instance/${instanceId}`,
    Condition: { StringEquals: { 'ec2:osuser': user } },
  };
  const hint = denialHint(message, statement);
  return failed(pushed, message, { hint, cause: error });
}

function failed(
  { instanceId, user, region }: Pushed,
  why: string,
  more: { hint: string; cause?: unknown },
): Failure {
  const what = `EC2 Instance Connect did not accept a key for ${user} on ${instanceId} in ${region}`;
  return new Failure('INSTANCE_CONNECT_FAILED', `${what}: ${why}`, more);
}

/** AWS's message may contain it. */
function stateIn(message: string): string | undefined {
  return /\b(?:stopping|stopped|pending|shutting-down|terminated)$/.exec(message)?.[0];
}
