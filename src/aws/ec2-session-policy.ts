/** An EC2 host → the narrowest session policy that reaches it. Pure. */
import type { Location } from '../keys/reference.ts';
import type { Role } from './caller.ts';

/** The way to the host, as the setting `via` calls it. */
export type Way = 'session-manager' | 'instance-connect-endpoint' | 'direct';

export interface Ec2Target {
  /** `i-…` or `mi-…`. Absent: it is not known yet, and looked for by its tag. */
  readonly instanceId?: string | undefined;
  /** Whose key is pushed. Absent: none is. */
  readonly user?: string | undefined;
  /** Absent: any. */
  readonly via?: Way | undefined;
}

/** As whom the host is reached, and in which region. */
export interface Ec2Home extends Pick<Role, 'arn' | 'sessionName'> {
  readonly region: string;
}

/**
 * Looking hosts up; and for one that is known, a tunnel to it and its user's key.
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
  // EC2's lookups know no resources.
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

/** Registered with Systems Manager from elsewhere: no host of EC2's. */
function isManaged(instanceId: string): boolean {
  return instanceId.startsWith('mi-');
}

/** A session's id begins with the name of the role's session; AWS's own sample policies have it begin with the user id. */
function sessionStatements(instanceId: string, home: Place): object[] {
  const { partition, region, account, sessionName } = home;
  const host = isManaged(instanceId)
    ? `arn:${partition}:ssm:${region}:${account}:managed-instance/${instanceId}`
    : instanceArn(instanceId, home);
  const session = `arn:${partition}:ssm:${region}:${account}:session`;
  return [
    {
      // The document is AWS's own, and its ARN has no account.
      ...allow('ssm:StartSession', [host, `arn:${partition}:ssm:${region}:*:document/AWS-StartSSHSession`]),
      // Without it the host alone would be enough for a session without a document: a shell.
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

function instanceArn(instanceId: string, { partition, region, account }: Location): string {
  return `arn:${partition}:ec2:${region}:${account}:instance/${instanceId}`;
}

function allow(Action: string | readonly string[], Resource: string | readonly string[]): object {
  return { Effect: 'Allow', Action, Resource };
}
