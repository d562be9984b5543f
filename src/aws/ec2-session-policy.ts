/** An EC2 host → the session policy with the least permissions that reach it. Pure. */
import type { Location } from '../keys/reference.ts';
import type { Role } from './caller.ts';

/** How the host is reached: a value of the setting `via`. */
export const ways = ['session-manager', 'instance-connect-endpoint', 'direct'] as const;
export type Way = (typeof ways)[number];

export interface Ec2Target {
  /** `i-…` or `mi-…`. Absent: not known yet, the host is looked up by its tag. */
  readonly instanceId?: string | undefined;
  /** The user whose key is pushed. Absent: no key is pushed. */
  readonly user?: string | undefined;
  /** Absent: any. */
  readonly via?: Way | undefined;
}

/** Which role reaches the host, and in which Region. */
export interface Ec2Home extends Pick<Role, 'arn' | 'sessionName'> {
  readonly region: string;
}

/**
 * Allows to look hosts up. For a known host it also allows a tunnel, and a key for its user.
 *
 * @returns JSON, under STS's 2,048 characters
 * @source Service Authorization Reference, "Actions, resources, and condition keys" of Amazon EC2, AWS Systems Manager,
 *   Amazon Message Gateway Service and Amazon EC2 Instance Connect
 */
export function ec2SessionPolicy(target: Ec2Target, role: Ec2Home): string {
  const { instanceId, user, via } = target;
  const home = placeOf(role);
  const reaching =
    instanceId === undefined
      ? []
      : [
          ...(via === undefined || via === 'session-manager' ? sessionStatements(instanceId, home) : []),
          ...(via === undefined || via === 'instance-connect-endpoint' ? [tunnelStatement(home)] : []),
          ...(user === undefined || isManaged(instanceId) ? [] : [keyStatement(instanceId, user, home)]),
        ];
  // EC2's Describe actions support no resource-level permissions.
  const lookup = allow(['ec2:DescribeInstances', 'ec2:DescribeInstanceConnectEndpoints'], '*');
  return JSON.stringify({ Version: '2012-10-17', Statement: [lookup, ...reaching] });
}

interface Place extends Location {
  readonly sessionName: string;
}

function placeOf({ arn, sessionName, region }: Ec2Home): Place {
  const [, partition = 'aws', , , account = ''] = arn.split(':');
  return { partition, region, account, sessionName };
}

/** A managed node, which is registered with Systems Manager and is not an EC2 instance. */
function isManaged(instanceId: string): boolean {
  return instanceId.startsWith('mi-');
}

/** The id of a session begins with the name of the role's session. In AWS's sample policies it begins with the user id. */
function sessionStatements(instanceId: string, home: Place): object[] {
  const { partition, region, account, sessionName } = home;
  const host = hostArn(instanceId, home);
  const session = `arn:${partition}:ssm:${region}:${account}:session`;
  return [
    {
      ...allow('ssm:StartSession', [host, sshDocumentArn(home)]),
      // Without this condition the session could start without a document, which is a shell.
      Condition: { BoolIfExists: { 'ssm:SessionDocumentAccessCheck': 'true' } },
    },
    allow(
      ['ssm:ResumeSession', 'ssm:TerminateSession', 'ssmmessages:OpenDataChannel'],
      [`${session}/\${aws:userid}-*`, `${session}/${sessionName}-*`],
    ),
  ];
}

function tunnelStatement({ partition, region, account }: Place): object {
  const endpoint = `arn:${partition}:ec2:${region}:${account}:instance-connect-endpoint/*`;
  return allow('ec2-instance-connect:OpenTunnel', endpoint);
}

function keyStatement(instanceId: string, user: string, home: Place): object {
  return {
    ...allow('ec2-instance-connect:SendSSHPublicKey', instanceArn(instanceId, home)),
    Condition: { StringEquals: { 'ec2:osuser': user } },
  };
}

/** @param id of an EC2 instance or of a managed node */
export function hostArn(id: string, place: Location): string {
  const { partition, region, account } = place;
  if (!isManaged(id)) return instanceArn(id, place);
  return `arn:${partition}:ssm:${region}:${account}:managed-instance/${id}`;
}

/** The document of Session Manager for ssh. AWS owns it, so its ARN has no account. */
export function sshDocumentArn({ partition, region }: Location): string {
  return `arn:${partition}:ssm:${region}:*:document/AWS-StartSSHSession`;
}

function instanceArn(instanceId: string, { partition, region, account }: Location): string {
  return `arn:${partition}:ec2:${region}:${account}:instance/${instanceId}`;
}

function allow(Action: string | readonly string[], Resource: string | readonly string[]): object {
  return { Effect: 'Allow', Action, Resource };
}
