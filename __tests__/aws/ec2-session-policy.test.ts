/** The session policy for an EC2 host allows this host and no other, and fits STS's limit. IAM's rules evaluate it. */
import { describe, expect, it } from '@jest/globals';
import { ec2SessionPolicy, type Ec2Target } from '../../src/aws/ec2-session-policy.ts';
import { parsePolicy } from '../support/aws/iam/policy-document.ts';
import { evaluate, type RequestContext } from '../support/aws/iam/policy.ts';

const arn = 'arn:aws:iam::111122223333:role/deploy';
const role = { arn, sessionName: 'acme-app-42-1', region: 'eu-west-1' };
const instanceId = 'i-0123456789abcdef0';
const ec2 = 'arn:aws:ec2:eu-west-1:111122223333';
const ssm = 'arn:aws:ssm:eu-west-1:111122223333';
const host = `${ec2}:instance/${instanceId}`;
const other = `${ec2}:instance/i-0123456789abcdef1`;
const userId = { 'aws:userid': 'AROAEXAMPLE:acme-app-42-1' };
const withDocument = { 'ssm:SessionDocumentAccessCheck': 'true' };

type Asked = readonly [action: string, resource: string, context?: RequestContext];

/** What the policy says about an action. */
const says = (target: Ec2Target, ...[action, resource, context = {}]: Asked): string =>
  evaluate([parsePolicy(ec2SessionPolicy(target, role), 'permission')], {
    ...{ action, resource, context: { ...userId, ...context } },
  });

const reaching: Readonly<Record<string, Asked>> = {
  'starts a session': ['ssm:StartSession', host, withDocument],
  'for ssh': ['ssm:StartSession', 'arn:aws:ssm:eu-west-1::document/AWS-StartSSHSession'],
  'resumes its session': ['ssm:ResumeSession', `${ssm}:session/acme-app-42-1-0a1b2c`],
  'ends its session': ['ssm:TerminateSession', `${ssm}:session/acme-app-42-1-0a1b2c`],
  "opens its session's channel": ['ssmmessages:OpenDataChannel', `${ssm}:session/acme-app-42-1-0a1b2c`],
  'the same by the user id': ['ssm:ResumeSession', `${ssm}:session/AROAEXAMPLE:acme-app-42-1-0a1b2c`],
  'opens a tunnel': ['ec2-instance-connect:OpenTunnel', `${ec2}:instance-connect-endpoint/eice-1`],
};
const key: Asked = ['ec2-instance-connect:SendSSHPublicKey', host, { 'ec2:osuser': 'deploy' }];
const lookups: readonly Asked[] = [
  ['ec2:DescribeInstances', '*'],
  ['ec2:DescribeInstanceConnectEndpoints', '*'],
];

describe('the session policy for an EC2 host', () => {
  const target = { instanceId, user: 'deploy' };

  it.each(Object.entries(reaching))('%s', (_, asked) => {
    expect(says(target, ...asked)).toBe('Allow');
  });

  it('allows to push a key for its user, and to look hosts up', () => {
    for (const asked of [key, ...lookups]) expect(says(target, ...asked)).toBe('Allow');
  });

  it.each<[string, ...Asked]>([
    ['a session on another instance', 'ssm:StartSession', other, withDocument],
    ['in another region', 'ssm:StartSession', host.replace('eu-west-1', 'eu-west-2'), withDocument],
    ['a shell, without a document', 'ssm:StartSession', host, { 'ssm:SessionDocumentAccessCheck': 'false' }],
    ['by another document', 'ssm:StartSession', `${ssm}:document/AWS-StartPortForwardingSession`],
    ["the end of another's session", 'ssm:TerminateSession', `${ssm}:session/acme-app-43-1-0a1b2c`],
    ['a key for another user', key[0], host, { 'ec2:osuser': 'root' }],
    ['a key for another instance', key[0], other, { 'ec2:osuser': 'deploy' }],
    ['a parameter', 'ssm:GetParameter', `${ssm}:parameter/ci/key`],
    ['a command', 'ssm:SendCommand', host],
  ])('refuses %s', (_, ...asked) => {
    expect(says(target, ...asked)).toBe('ImplicitDeny');
  });

  it('for an unknown host allows only to look hosts up', () => {
    for (const asked of lookups) expect(says({}, ...asked)).toBe('Allow');
    for (const asked of [key, ...Object.values(reaching)]) expect(says({}, ...asked)).toBe('ImplicitDeny');
  });

  it('does not allow to push a key if none is needed', () => {
    expect(says({ instanceId }, ...key)).toBe('ImplicitDeny');
    expect(says({ instanceId: 'mi-0123456789abcdef0', user: 'deploy' }, ...key)).toBe('ImplicitDeny');
  });

  it('for a managed node has its ARN at Systems Manager', () => {
    const managed = { instanceId: 'mi-0123456789abcdef0' };
    const node = `${ssm}:managed-instance/mi-0123456789abcdef0`;
    expect(says(managed, 'ssm:StartSession', node, withDocument)).toBe('Allow');
    expect(says(managed, 'ssm:StartSession', host, withDocument)).toBe('ImplicitDeny');
  });

  it.each([
    ['session-manager', ['starts a session', 'for ssh']],
    ['instance-connect-endpoint', ['opens a tunnel']],
    ['direct', []],
  ] as const)('by %s has no other way', (via, ways) => {
    const open = Object.entries(reaching).filter(
      ([, asked]) => says({ ...target, via }, ...asked) === 'Allow',
    );
    const names = open.map(([name]) => name).filter((name) => !/(its|same)/.test(name));
    expect(names).toEqual(ways);
    expect(says({ ...target, via }, ...key)).toBe('Allow');
  });

  it("has less than STS's 2,048 characters with the longest names", () => {
    const long = {
      arn: `arn:aws-us-gov:iam::111122223333:role/${'r'.repeat(64)}`,
      sessionName: 's'.repeat(64),
      region: 'ap-southeast-99',
    };
    expect(ec2SessionPolicy({ instanceId, user: 'u'.repeat(64) }, long).length).toBeLessThan(2048);
  });

  it("has the role's partition in its ARNs", () => {
    const china = { ...role, arn: 'arn:aws-cn:iam::111122223333:role/deploy', region: 'cn-north-1' };
    expect(ec2SessionPolicy({ instanceId, user: 'x' }, china)).not.toMatch(/"arn:aws:/);
  });
});
