/** Converts errors of an EC2 Instance Connect Endpoint to our codes and hints. */
import { awsFailure, readAwsError } from '../aws/failures.ts';
import { Failure } from '../errors.ts';
import { denialHint } from './denials.ts';
import type { Instance } from './instances.ts';
import { UpgradeRefused } from './web-socket.ts';

export interface Route {
  /** `eice-…` */
  readonly id: string;
  readonly arn: string;
  /** The endpoint's DNS name. */
  readonly host: string;
  /** The instance's address inside its VPC. */
  readonly address: string;
  readonly port: number;
  readonly region: string;
  readonly instanceId: string;
}

const otherWay = 'use Session Manager, which needs no endpoint: via = session-manager';

export function noAddress({ instanceId }: Instance, region: string): Failure {
  return fail(`the instance ${instanceId} in ${region} has no private address`, otherWay);
}

export function noEndpoint({ instanceId, vpcId = 'VPC', subnetId }: Instance, region: string): Failure {
  const create = `aws ec2 create-instance-connect-endpoint --region ${region} --subnet-id ${subnetId ?? 'SUBNET'}`;
  return fail(
    `there is no EC2 Instance Connect Endpoint in ${vpcId}, the VPC of ${instanceId} in ${region}`,
    `create one (${create}), or ${otherWay}`,
  );
}

export function noFipsName(id: string, region: string): Failure {
  return fail(
    `the EC2 Instance Connect Endpoint ${id} in ${region} has no FIPS name`,
    `unset AWS_USE_FIPS_ENDPOINT, or ${otherWay}`,
  );
}

export function describeDenied(error: unknown, { instanceId }: Instance, region: string): Failure {
  const { message } = readAwsError(error);
  const statement = { Action: 'ec2:DescribeInstanceConnectEndpoints', Resource: '*' };
  return fail(
    `looking up the EC2 Instance Connect Endpoint for ${instanceId} in ${region} is denied: ${message}`,
    denialHint(message, statement),
    error,
  );
}

/** @param error from opening the WebSocket */
export function notOpened(error: unknown, route: Route): Failure {
  const { id, arn, region, host, port, instanceId } = route;
  if (!(error instanceof UpgradeRefused)) {
    return awsFailure(error, {
      ...{ service: 'ec2-instance-connect', region, host },
      ...{ resource: `${instanceId} by ${id}`, doing: 'opening a tunnel to' },
    });
  }
  const { code, message } = readRefusal(error);
  const what = `the EC2 Instance Connect Endpoint ${id} in ${region} refused a tunnel to ${instanceId}: ${message}`;
  if (/AccessDenied|Unauthorized/.test(code)) {
    const statement = {
      Action: 'ec2-instance-connect:OpenTunnel',
      Resource: arn,
      Condition: { NumericEquals: { 'ec2-instance-connect:remotePort': String(port) } },
    };
    return fail(what, denialHint(message, statement), error);
  }
  if (/port/i.test(message)) {
    return fail(
      what,
      `an endpoint only reaches ports 22 and 3389; Session Manager reaches every port`,
      error,
    );
  }
  if (/Throttl|LimitExceeded|TooMany/.test(code) || error.status === 429) {
    return fail(what, 'an endpoint allows 20 connections at the same time: try again later', error);
  }
  return fail(what, `check the endpoint and the credentials, or ${otherWay}`, error);
}

/** `{"ErrorCode":"InvalidParameter","Message":"…"}`, as the AWS CLI shows it. */
function readRefusal({ status, body, message }: UpgradeRefused): { code: string; message: string } {
  try {
    const { ErrorCode = '', Message = '' } = JSON.parse(body) as { ErrorCode?: unknown; Message?: unknown };
    if (typeof ErrorCode === 'string' && typeof Message === 'string' && Message !== '') {
      return { code: ErrorCode || String(status), message: printable(Message).replace(/\.$/, '') };
    }
  } catch {
    // The body is a proxy's page, or empty.
  }
  return { code: status === 403 ? 'AccessDenied' : '', message };
}

/**
 * @param code the service's close code (RFC 6455 §7.4)
 * @returns undefined if the host itself ended the connection
 */
export function endedBy(code: number, reason: string, route: Route): Failure | undefined {
  if (code === 1000 || code === 1005) return undefined;
  const { id, instanceId, port, region } = route;
  const why = printable(reason) || (code === 1006 ? 'the connection broke' : `code ${code}`);
  const what = `the tunnel to ${instanceId} by the EC2 Instance Connect Endpoint ${id} in ${region} ended: ${why}`;
  if (/duration/i.test(reason)) {
    return fail(what, 'a tunnel lasts one hour at most: connect again, or use via = session-manager');
  }
  if (/connect to target/i.test(reason)) {
    return fail(
      what,
      `check that sshd listens on port ${port}, and that the instance's security group allows the endpoint's`,
    );
  }
  return fail(what, 'connect again');
}

export function textInstead({ id, region }: Route): Failure {
  return fail(
    `the EC2 Instance Connect Endpoint ${id} in ${region} sent text instead of bytes`,
    'connect again',
  );
}

/** The first line, shortened for a message. */
function printable(text: string): string {
  return text.split(/\p{Cc}/u, 1)[0]?.slice(0, 300) ?? '';
}

function fail(what: string, hint: string, cause?: unknown): Failure {
  return new Failure('TUNNEL_FAILED', what, { hint, cause });
}
