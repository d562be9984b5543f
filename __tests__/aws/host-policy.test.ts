/** The statements for EC2 hosts, evaluated like IAM. */
import { describe, expect, it } from '@jest/globals';
import type { Way } from '../../src/aws/ec2-session-policy.ts';
import { hostStatements } from '../../src/aws/host-policy.ts';
import { documentOf } from '../../src/aws/statement.ts';
import { parsePolicyHost } from '../../helper/policy/hosts.ts';
import { parsePolicy } from '../support/aws/iam/policy-document.ts';
import { decide, type RequestContext } from '../support/aws/iam/policy.ts';
import { failureOf } from '../support/failure-of.ts';

const home = { partition: 'aws', region: 'eu-west-1', account: '111122223333' };
const ec2 = 'arn:aws:ec2:eu-west-1:111122223333';
const ssm = 'arn:aws:ssm:eu-west-1:111122223333';
const instance = `${ec2}:instance/i-0123456789abcdef0`;
const session = `${ssm}:session/run-0a1b2c3d4e5f60718`;

function policyFor(hosts: readonly string[], via: Way = 'session-manager', user?: string) {
  const parsed = hosts.map((text) => parsePolicyHost(text, user, via));
  const text = JSON.stringify(documentOf(hostStatements({ hosts: parsed, via, home })));
  const identity = [parsePolicy(text, 'permission')];
  return (action: string, resource: string, context: RequestContext = {}) =>
    decide({ identity }, { action, resource, context: { 'aws:userid': 'AROA:run', ...context } }).allowed;
}

const push = 'ec2-instance-connect:SendSSHPublicKey';
const start = 'ssm:StartSession';

describe('a policy for an EC2 host', () => {
  const may = policyFor(['ec2-user@i-0123456789abcdef0']);

  it('starts sessions on it, by the document for ssh only', () => {
    expect(may(start, instance, { 'ssm:SessionDocumentAccessCheck': 'true' })).toBe(true);
    expect(may(start, instance, { 'ssm:SessionDocumentAccessCheck': 'false' })).toBe(false);
    expect(may(start, `${ec2}:instance/i-0fedcba9876543210`)).toBe(false);
    expect(may(start, 'arn:aws:ssm:eu-west-1::document/AWS-StartSSHSession')).toBe(true);
    expect(may(start, 'arn:aws:ssm:eu-west-1::document/AWS-StartPortForwardingSession')).toBe(false);
  });

  it('resumes and ends the sessions of the caller only', () => {
    for (const action of ['ssm:ResumeSession', 'ssm:TerminateSession']) {
      const tag = 'ssm:resourceTag/aws:ssmmessages:session-id';
      expect(may(action, session, { [tag]: 'AROA:run' })).toBe(true);
      expect(may(action, session, { [tag]: 'AROA:other' })).toBe(false);
    }
  });

  it('pushes keys for its OS user only', () => {
    expect(may(push, instance, { 'ec2:osuser': 'ec2-user' })).toBe(true);
    expect(may(push, instance, { 'ec2:osuser': 'root' })).toBe(false);
    expect(policyFor(['i-0123456789abcdef0'])(push, instance, { 'ec2:osuser': 'ec2-user' })).toBe(false);
  });

  it('is looked up only where that is needed', () => {
    expect(may('ec2:DescribeInstances', '*')).toBe(false);
    expect(policyFor(['Name=web-1'])('ec2:DescribeInstances', '*')).toBe(true);
    expect(policyFor(['i-0123456789abcdef0'], 'direct')('ec2:DescribeInstances', '*')).toBe(true);
  });

  it('takes its user from --user, unless it names one', () => {
    const both = policyFor(['i-0123456789abcdef0', 'root@Name=web-1'], 'session-manager', 'admin');
    expect(both(push, instance, { 'ec2:osuser': 'admin' })).toBe(true);
    expect(both(push, instance, { 'ec2:osuser': 'root' })).toBe(false);
    const tagged = { 'ec2:osuser': 'root', 'aws:ResourceTag/Name': 'web-1' };
    expect(both(push, instance, tagged)).toBe(true);
  });

  it('is reached by its tag, and no other instance is', () => {
    const tag = policyFor(['ec2-user@Name=web-1', 'ec2-user@role=web']);
    for (const [action, name] of [
      [start, 'ssm:resourceTag'],
      [push, 'aws:ResourceTag'],
    ] as const) {
      const allowed = (tags: RequestContext): boolean =>
        tag(action, instance, { 'ec2:osuser': 'ec2-user', ...tags });
      expect(allowed({ [`${name}/Name`]: 'web-1' })).toBe(true);
      expect(allowed({ [`${name}/role`]: 'web' })).toBe(true);
      expect(allowed({ [`${name}/Name`]: 'web-2', [`${name}/role`]: 'db' })).toBe(false);
      expect(allowed({})).toBe(false);
    }
  });

  it('that is a managed node gets no key', () => {
    const managed = policyFor(['me@mi-0123456789abcdef0']);
    const node = `${ssm}:managed-instance/mi-0123456789abcdef0`;
    expect(managed(start, node)).toBe(true);
    expect(managed(push, node, { 'ec2:osuser': 'me' })).toBe(false);
  });

  it('goes through an endpoint to port 22 only', () => {
    const tunnel = policyFor(['ec2-user@i-0123456789abcdef0'], 'instance-connect-endpoint');
    const endpoint = `${ec2}:instance-connect-endpoint/eice-0123456789abcdef0`;
    const open = 'ec2-instance-connect:OpenTunnel';
    expect(tunnel(open, endpoint, { 'ec2-instance-connect:remotePort': '22' })).toBe(true);
    expect(tunnel(open, endpoint, { 'ec2-instance-connect:remotePort': '5432' })).toBe(false);
    expect(tunnel('ec2:DescribeInstanceConnectEndpoints', '*')).toBe(true);
    expect(tunnel(start, instance)).toBe(false);
  });
});

describe('a host', () => {
  it.each([
    ...['Name=*', 'Name=we?-1', 'Name=${aws:username}', 'Name=&{aws:username}', 'N*=web', '=web'],
    ...['Name={{resolve:ssm:x}}', 'Name=%{x}', 'Name=wéb', 'Name=a\nb', 'web', 'i-123', 'i-*'],
    ...['ec2-*@i-0123456789abcdef0', '${aws:username}@i-0123456789abcdef0', '@i-0123456789abcdef0'],
  ])('%j is refused: it would widen the policy, or names nothing', (text) => {
    const failure = failureOf(() => parsePolicyHost(text, undefined, 'session-manager'));
    expect(failure.code).toBe('INPUT_INVALID');
  });

  it('that Session Manager alone reaches is refused with --via', () => {
    const failure = failureOf(() => parsePolicyHost('mi-0123456789abcdef0', undefined, 'direct'));
    expect([failure.code, failure.hint]).toEqual(['INPUT_INVALID', 'leave out --via']);
  });
});
