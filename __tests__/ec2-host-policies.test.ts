/** The IAM policies of examples/ec2-hosts, evaluated like IAM, also together with the session policy of a job's step. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ec2SessionPolicy, type Way } from '../src/aws/ec2-session-policy.ts';
import { parsePolicy } from './support/aws/iam/policy-document.ts';
import { decide, type RequestContext } from './support/aws/iam/policy.ts';
import { makeStack, roleOf } from './support/cloudformation.ts';

const folder = join(dirname(import.meta.dirname), 'examples/ec2-hosts');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

/** The policy of the role that the template makes. */
const deployRole = (): string => {
  const job = { Owner: 'acme', OwnerId: '1234', Repository: 'app', RepositoryId: '5678' };
  const [policy] = roleOf(makeStack('deploy-role', { ...job, TagValue: 'web' })).policies;
  return JSON.stringify(policy);
};

const instanceId = 'i-0123456789abcdef0';
const sessionName = 'acme-app-1658821493-1';
const role = { arn: 'arn:aws:iam::111122223333:role/deploy', sessionName, region: 'eu-west-1' };
const ec2 = 'arn:aws:ec2:eu-west-1:111122223333';
const ssm = 'arn:aws:ssm:eu-west-1:111122223333';

interface Wish {
  readonly instance?: string;
  readonly tag?: string;
  readonly user?: string;
  readonly session?: string;
  readonly document?: string;
  readonly port?: string;
  readonly address?: string;
}

type Request = readonly [action: string, resource: string, context?: RequestContext];

/** The tag that Session Manager gives each session. */
const tagOf = (session: string): RequestContext => ({
  'ssm:resourceTag/aws:ssmmessages:session-id': `AROAEXAMPLE:${session}`,
});

/** All AWS requests of one connection. */
function requests(via: Way, wish: Wish): Request[] {
  const { instance = instanceId, tag = 'web', user = 'ec2-user', session = sessionName } = wish;
  const { document = 'AWS-StartSSHSession', port = '22', address = '10.0.1.7' } = wish;
  const host = `${ec2}:instance/${instance}`;
  const start = document === '' ? 'false' : 'true';
  const tags = { 'ssm:resourceTag/role': tag, 'aws:ResourceTag/role': tag };
  const byWay: Readonly<Record<Way, Request[]>> = {
    'session-manager': [
      ['ssm:StartSession', host, { ...tags, 'ssm:SessionDocumentAccessCheck': start }],
      ...(document === ''
        ? []
        : [['ssm:StartSession', `arn:aws:ssm:eu-west-1::document/${document}`] satisfies Request]),
      ...['ssmmessages:OpenDataChannel', 'ssm:ResumeSession', 'ssm:TerminateSession'].map(
        (action): Request => [action, `${ssm}:session/${session}-0a1b2c3d4e5f60718`, tagOf(session)],
      ),
    ],
    'instance-connect-endpoint': [
      ['ec2:DescribeInstanceConnectEndpoints', '*'],
      [
        'ec2-instance-connect:OpenTunnel',
        `${ec2}:instance-connect-endpoint/eice-0123456789abcdef0`,
        { 'ec2-instance-connect:remotePort': port, 'ec2-instance-connect:privateIpAddress': address },
      ],
    ],
    direct: [],
  };
  return [
    ['ec2:DescribeInstances', '*'],
    ...byWay[via],
    ['ec2-instance-connect:SendSSHPublicKey', host, { ...tags, 'ec2:osuser': user }],
  ];
}

/** The actions that a policy refuses, without and with a session policy. */
function refused(policy: string, via: Way, wish: Wish = {}): string[] {
  const { instance = instanceId, user = 'ec2-user' } = wish;
  const session = [parsePolicy(ec2SessionPolicy({ instanceId: instance, user, via }, role), 'permission')];
  const identity = [parsePolicy(policy, 'permission')];
  const context = { 'aws:userid': `AROAEXAMPLE:${sessionName}` };
  return requests(via, wish).flatMap(([action, resource, more = {}]) => {
    const request = { action, resource, context: { ...context, ...more } };
    const alone = decide({ identity }, request);
    return alone.allowed && (wish.session ?? decide({ identity, session }, request).allowed) ? [] : [action];
  });
}

const ways: Readonly<Record<string, Way>> = {
  'by-instance.json': 'session-manager',
  'by-tag.json': 'session-manager',
  'by-endpoint.json': 'instance-connect-endpoint',
};

describe('the policies for EC2 hosts', () => {
  it('are tested completely', () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(ways).sort());
  });

  it.each(Object.entries(ways))('%s allows a connection, also with its session policy', (name, via) => {
    expect(refused(read(name), via)).toEqual([]);
  });

  const start = 'ssm:StartSession';
  const push = 'ec2-instance-connect:SendSSHPublicKey';
  const tunnel = 'ec2-instance-connect:OpenTunnel';
  it.each<[string, string, { wish: Wish; actions: string[] }]>([
    [
      'by-instance.json',
      'another instance',
      { wish: { instance: 'i-0fedcba9876543210' }, actions: [start, push] },
    ],
    ['by-instance.json', 'another user', { wish: { user: 'root' }, actions: [push] }],
    ['by-instance.json', 'a shell', { wish: { document: '' }, actions: [start] }],
    [
      'by-instance.json',
      'another document',
      { wish: { document: 'AWS-StartPortForwardingSession' }, actions: [start] },
    ],
    ['by-tag.json', 'an instance without the tag', { wish: { tag: 'database' }, actions: [start, push] }],
    ['by-tag.json', 'another user', { wish: { user: 'root' }, actions: [push] }],
    ['by-tag.json', 'a shell', { wish: { document: '' }, actions: [start] }],
    [
      'by-tag.json',
      'another document',
      { wish: { document: 'AWS-StartPortForwardingSession' }, actions: [start] },
    ],
    ['by-endpoint.json', 'another port', { wish: { port: '5432' }, actions: [tunnel] }],
    ['by-endpoint.json', 'another subnet', { wish: { address: '10.0.2.7' }, actions: [tunnel] }],
    ['by-endpoint.json', 'an instance without the tag', { wish: { tag: 'database' }, actions: [push] }],
  ])('%s refuses %s', (name, _, { wish, actions }) => {
    expect(refused(read(name), ways[name] ?? 'direct', wish)).toEqual(actions);
  });

  it.each(
    ['by-instance.json', 'by-tag.json', 'deploy-role'].flatMap((name) =>
      ['acme-another-1-1', 'acme-app-secret-1-1', 'acme-app-1658821493-2'].map((session) => [name, session]),
    ),
  )('%s does not allow to resume or end the session %s of somebody else', (name, session) => {
    const policy = name === 'deploy-role' ? deployRole() : read(name);
    expect(refused(policy, 'session-manager')).toEqual([]);
    expect(refused(policy, 'session-manager', { session })).toEqual([
      'ssm:ResumeSession',
      'ssm:TerminateSession',
    ]);
  });
});
