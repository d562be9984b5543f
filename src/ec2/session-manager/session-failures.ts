/** Converts errors of Session Manager to our codes and hints. */
import { awsFailure, readAwsError } from '../../aws/failures.ts';
import { certificateHint } from '../../certificate-trouble.ts';
import { Failure } from '../../errors.ts';
import { partitionOf } from '../../keys/partition.ts';
import { accountIn, denialHint, isDenied } from '../denials.ts';
import { UpgradeRefused } from '../web-socket.ts';
import type { End } from './conversation.ts';

/** @source Systems Manager User Guide, "Allow and control permissions for SSH connections through Session Manager" */
export const sshDocument = 'AWS-StartSSHSession';

export interface Target {
  /** `i-…` or `mi-…` */
  readonly instanceId: string;
  readonly port: number;
  readonly region: string;
}

type SessionAction = 'ssm:StartSession' | 'ssm:ResumeSession' | 'ssmmessages:OpenDataChannel';

const doing: Readonly<Record<SessionAction, string>> = {
  'ssm:StartSession': 'starting a session with',
  'ssm:ResumeSession': 'resuming the session with',
  'ssmmessages:OpenDataChannel': 'opening the data channel to',
};

/** @param error from the AWS SDK */
export function sessionFailure(error: unknown, action: SessionAction, target: Target): Failure {
  if (error instanceof Failure) return error;
  const { instanceId, region } = target;
  const { name, message } = readAwsError(error);
  if (name === 'TargetNotConnected') return notConnected(target, error);
  if (message.includes('sts:AssumeRole')) return roleDenied(message, error);
  if (isDenied(error)) return denied(message, { action, target, cause: error });
  if (/Throttl|TooManyRequests|RequestLimitExceeded/.test(name)) {
    const what = `Session Manager in ${region} throttled ${doing[action]} ${instanceId}`;
    return new Failure('THROTTLED', what, {
      hint: 'run it again later, with fewer connections at the same time',
      cause: error,
    });
  }
  if (
    /^Invalid|^Validation|^BadRequest|^DoesNotExist|^UnsupportedParameter/.test(name) &&
    name !== 'InvalidSignatureException'
  ) {
    const what = `Session Manager in ${region} refused ${doing[action]} ${instanceId}: ${message || name}`;
    return failed(
      what,
      `check the id of the host, and that the document ${sshDocument} exists (aws ssm describe-document --name ${sshDocument})`,
      error,
    );
  }
  return awsFailure(error, { service: 'ssm', region, resource: instanceId, doing: doing[action] });
}

/** @param error from opening the WebSocket */
export function socketFailure(error: unknown, target: Target, host: string): Failure {
  const { instanceId, region } = target;
  const action = 'ssmmessages:OpenDataChannel';
  if (!(error instanceof UpgradeRefused)) {
    return awsFailure(error, {
      service: 'ssmmessages',
      region,
      host,
      resource: instanceId,
      doing: doing[action],
    });
  }
  const said = saidIn(error);
  if (error.status === 401 || error.status === 403) return denied(said, { action, target, cause: error });
  if (error.status === 429 || /Throttl|TooManyRequests/.test(error.body))
    return sessionFailure({ name: 'ThrottlingException' }, action, target);
  if (error.status >= 500) {
    const what = `ssmmessages in ${region} failed while ${doing[action]} ${instanceId}: ${said}`;
    return new Failure('PROVIDER_FAILED', what, {
      hint: 'run it again; if it persists, see https://health.aws.amazon.com',
      cause: error,
    });
  }
  return failed(
    `ssmmessages in ${region} refused ${doing[action]} ${instanceId}: ${said}`,
    connectAgain,
    error,
  );
}

/** One line from `{"Message":"…"}` or `{"message":"…"}`; otherwise the HTTP status. */
function saidIn({ body, message }: UpgradeRefused): string {
  try {
    const { Message, message: lower } = JSON.parse(body) as Record<string, unknown>;
    const said = Message ?? lower;
    if (typeof said === 'string' && said !== '') return readAwsError({ message: said }).message.slice(0, 300);
  } catch {
    // The body is a proxy's page, or empty.
  }
  return message;
}

/**
 * Errors that may be gone at the next try.
 *
 * @param wasReady whether the tunnel worked before: then a job got its OIDC token before, too
 */
export function isPassing({ code, hint }: Failure, wasReady: boolean): boolean {
  // Nobody changes the authorities that a running program trusts.
  if (code === 'OIDC_REQUEST_FAILED') return wasReady && !hint.includes(certificateHint);
  return (
    code === 'NETWORK_UNREACHABLE' || code === 'THROTTLED' || code === 'PROVIDER_FAILED' || code === 'TIMEOUT'
  );
}

export function noAnswer({ instanceId, region }: Target, seconds: number): Failure {
  return failed(
    `the SSM agent of ${instanceId} in ${region} did not answer for ${seconds} s`,
    'check the load of the host and its amazon-ssm-agent; restart the agent or the host',
  );
}

export function closedAtOnce({ instanceId, region }: Target): Failure {
  return broken(
    `Session Manager closes each socket for ${instanceId} in ${region} at once`,
    'check the proxies between this machine and AWS, and connect again',
  );
}

export function sessionOver({ instanceId, region }: Target): Failure {
  return broken(
    `the session with ${instanceId} in ${region} is over`,
    'connect again; the preferences of Session Manager limit the idle time and the duration of a session',
  );
}

export function notComeBack({ instanceId, region }: Target, seconds: number, cause?: unknown): Failure {
  const what = `the connection to Session Manager for ${instanceId} in ${region} broke, and could not be restored for ${seconds} s`;
  return broken(
    cause instanceof Failure ? `${what}: ${cause.message}` : what,
    'check the network of this machine, and connect again',
    cause,
  );
}

export interface Ended {
  /** Whether the host has sent any bytes. */
  readonly spoke: boolean;
  /** Whether the handshake was complete. */
  readonly opened: boolean;
}

/** @returns undefined if the host ended the connection normally */
export function endFailure(end: End, target: Target, { spoke, opened }: Ended): Failure | undefined {
  const { instanceId, port, region } = target;
  const listen = `check that sshd is listening on port ${port} of ${instanceId}, on 127.0.0.1 as well: the SSM agent connects from there`;
  const host = `${instanceId} in ${region}`;
  if (end.kind === 'connect-failed') {
    return broken(`nothing accepts connections on port ${port} of ${host}`, listen);
  }
  if (end.kind === 'silent') {
    return broken(
      `the SSM agent of ${host} acknowledged nothing for ${end.milliseconds / 1000} s`,
      `check that the host is up and that its amazon-ssm-agent runs (aws ssm describe-instance-information --region ${region} lists the connected hosts), then connect again`,
    );
  }
  if (end.kind === 'unsupported') {
    return failed(
      `the SSM agent of ${host} asks for ${end.what}, which is not supported`,
      `use the original document ${sshDocument} of AWS, and update the SSM agent`,
    );
  }
  const output = end.kind === 'closed' ? end.output : '';
  const said = output === '' ? '' : `: ${output}`;
  if (!opened)
    return failed(
      `the session with ${host} ended before it began${said}`,
      'connect again, and read the log of the SSM agent on the host',
    );
  if (!spoke) return broken(`nothing accepts connections on port ${port} of ${host}${said}`, listen);
  if (end.kind === 'closed' && !end.complete)
    return broken(`the session with ${host} ended with data missing${said}`, connectAgain);
  return output === '' ? undefined : broken(`the session with ${host} was ended${said}`, connectAgain);
}

const connectAgain = 'connect again';

function notConnected({ instanceId, region }: Target, cause: unknown): Failure {
  return failed(
    `${instanceId} is not connected to Session Manager in ${region}`,
    `check that the host and its SSM agent run in that region, that its instance profile has AmazonSSMManagedInstanceCore, and that it reaches ssm and ssmmessages through the internet or VPC endpoints. aws ssm describe-instance-information --region ${region} lists the connected hosts`,
    cause,
  );
}

/** With AWS_WEB_IDENTITY_TOKEN_FILE or a profile's role, the default chain itself calls STS. */
function roleDenied(message: string, cause: unknown): Failure {
  return new Failure('ASSUME_ROLE_DENIED', `the default credential chain did not get its role: ${message}`, {
    hint: 'check the trust policy of the role that AWS_ROLE_ARN or the profile names; test it with aws sts get-caller-identity',
    cause,
  });
}

function denied(
  message: string,
  { action, target, cause }: { action: SessionAction; target: Target; cause: unknown },
): Failure {
  const { instanceId, region } = target;
  const Resource = resourceOf(action, target, accountIn(message));
  const isResume = action === 'ssm:ResumeSession';
  const statement = { Action: action, Resource, ...(isResume && { Condition: ownSession }) };
  return failed(
    `${doing[action]} ${instanceId} in ${region} is denied: ${message}`,
    denialHint(message, statement),
    cause,
  );
}

/** Session Manager tags each session with the id of the caller who started it. */
const ownSession = { StringLike: { 'ssm:resourceTag/aws:ssmmessages:session-id': '${aws:userid}' } };

/** StartSession needs the host and the document. */
function resourceOf(
  action: SessionAction,
  { instanceId, region }: Target,
  account: string,
): string | string[] {
  const partition = partitionOf(region);
  if (action !== 'ssm:StartSession') return `arn:${partition}:ssm:${region}:${account}:session/*`;
  const host = instanceId.startsWith('mi-')
    ? `arn:${partition}:ssm:${region}:${account}:managed-instance/${instanceId}`
    : `arn:${partition}:ec2:${region}:${account}:instance/${instanceId}`;
  return [host, `arn:${partition}:ssm:${region}::document/${sshDocument}`];
}

function failed(what: string, hint: string, cause?: unknown): Failure {
  return new Failure('SESSION_FAILED', what, { hint, cause });
}

function broken(what: string, hint: string, cause?: unknown): Failure {
  return new Failure('TUNNEL_FAILED', what, { hint, cause });
}
