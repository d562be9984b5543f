/** EC2 hosts → the statements with the least permissions to reach them by ssh. Pure. */
import type { Location } from '../keys/reference.ts';
import { hostArn, sshDocumentArn, type Way } from './ec2-session-policy.ts';
import { allow, type Condition, type Statement } from './statement.ts';

/** An instance's or managed node's id, or a tag. */
export type HostTarget =
  | { readonly kind: 'instance' | 'managed'; readonly id: string }
  | { readonly kind: 'tag'; readonly key: string; readonly value: string };

export interface PolicyHost {
  readonly target: HostTarget;
  /** The login name for which a key is pushed. Absent: no key is pushed. */
  readonly user?: string | undefined;
}

interface Reaching {
  readonly hosts: readonly PolicyHost[];
  readonly via: Way;
  readonly home: Location;
}

/**
 * A managed node (`mi-…`) is only reached through Session Manager, and gets no pushed key.
 *
 * @source Service Authorization Reference of Amazon EC2, AWS Systems Manager, Amazon Message Gateway Service and Amazon EC2
 *   Instance Connect; Systems Manager User Guide, "Additional sample IAM policies for Session Manager"
 */
export function hostStatements(reaching: Reaching): Statement[] {
  const { hosts, via } = reaching;
  if (hosts.length === 0) return [];
  return [
    ...lookupStatements(reaching),
    ...(via === 'session-manager' ? sessionStatements(reaching) : []),
    ...(via === 'instance-connect-endpoint' ? [tunnelStatement(reaching)] : []),
    ...keyStatements(reaching),
  ];
}

/** A tag is looked up, and so are the addresses that the other ways need. EC2's Describe actions support no resources. */
function lookupStatements({ hosts, via }: Reaching): Statement[] {
  const isLookedUp = via !== 'session-manager' || hosts.some(({ target }) => target.kind === 'tag');
  const endpoints = via === 'instance-connect-endpoint' ? ['ec2:DescribeInstanceConnectEndpoints'] : [];
  return isLookedUp ? [allow('LookUpHosts', ['ec2:DescribeInstances', ...endpoints], ['*'])] : [];
}

function sessionStatements({ hosts, home }: Reaching): Statement[] {
  const { partition, region, account } = home;
  const session = `arn:${partition}:ssm:${region}:${account}:session/*`;
  // Without this condition the session could start without a document, which is a shell.
  const documentOnly = { BoolIfExists: { 'ssm:SessionDocumentAccessCheck': 'true' } };
  return [
    ...eachTarget(hosts, home, 'ssm:resourceTag').map(({ resources, condition }, number) => ({
      ...allow(`StartSessions${number || ''}`, ['ssm:StartSession'], resources),
      Condition: { ...condition, ...documentOnly },
    })),
    allow('ForSshOnly', ['ssm:StartSession'], [sshDocumentArn(home)]),
    {
      // Session Manager tags each session with the id of the caller who started it.
      ...allow('OwnSessions', ['ssm:ResumeSession', 'ssm:TerminateSession'], [session]),
      Condition: { StringLike: { 'ssm:resourceTag/aws:ssmmessages:session-id': '${aws:userid}' } },
    },
    // It needs a token of StartSession or ResumeSession, so it opens no session of others.
    allow('CarrySessions', ['ssmmessages:OpenDataChannel'], [session]),
  ];
}

/** Only sshd's usual port. The endpoint cannot be limited to an instance. */
function tunnelStatement({ home: { partition, region, account } }: Reaching): Statement {
  const endpoint = `arn:${partition}:ec2:${region}:${account}:instance-connect-endpoint/*`;
  return {
    ...allow('OpenTunnels', ['ec2-instance-connect:OpenTunnel'], [endpoint]),
    Condition: { NumericEquals: { 'ec2-instance-connect:remotePort': '22' } },
  };
}

function keyStatements({ hosts, home }: Reaching): Statement[] {
  const pushed = hosts.filter(({ target, user }) => target.kind !== 'managed' && user !== undefined);
  const users = [...new Set(pushed.flatMap(({ user }) => user ?? []))];
  const statements = users.flatMap((user) => {
    const ofUser = pushed.filter((host) => host.user === user);
    return eachTarget(ofUser, home, 'aws:ResourceTag').map(({ resources, condition }) => ({
      resources,
      condition: { StringEquals: { ...condition['StringEquals'], 'ec2:osuser': user } },
    }));
  });
  return statements.map(({ resources, condition }, number) => ({
    ...allow(`PushKeys${number || ''}`, ['ec2-instance-connect:SendSSHPublicKey'], resources),
    Condition: condition,
  }));
}

interface Target {
  readonly resources: readonly string[];
  readonly condition: Condition;
}

/** One for all ids, and one for each tag: several tags in one condition would all have to be there. */
function eachTarget(hosts: readonly PolicyHost[], home: Location, tagKey: string): Target[] {
  const ids = hosts.flatMap(({ target }) => (target.kind === 'tag' ? [] : [hostArn(target.id, home)]));
  const tags = new Map(
    hosts.flatMap(({ target }) =>
      target.kind === 'tag' ? [[`${target.key}=${target.value}`, target] as const] : [],
    ),
  );
  return [
    ...(ids.length > 0 ? [{ resources: ids, condition: {} }] : []),
    ...[...tags.values()].map(({ key, value }) => ({
      resources: [hostArn('*', home)],
      condition: { StringEquals: { [`${tagKey}/${key}`]: value } },
    })),
  ];
}
