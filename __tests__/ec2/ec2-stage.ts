/** The shared setup of the tests of EC2 hosts: a local AWS, and callers with few permissions. */
import { Agent } from 'node:https';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { openConnection, type Connection } from '../../src/aws/connection.ts';
import type { Ec2Caller } from '../../src/ec2/caller.ts';
import { Failure } from '../../src/errors.ts';
import type { LocalAws, PolicyDocument } from '../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';

export const instanceArn = (id: string): string => `arn:aws:ec2:${REGION}:${ACCOUNT}:instance/${id}`;

/** Allows to describe instances, and to push keys for any user to any instance. */
export const usual: readonly PolicyDocument[] = [
  allow(['ec2:DescribeInstances', 'ec2:DescribeInstanceConnectEndpoints'], '*'),
  allow('ec2-instance-connect:*', '*'),
];

/** A user with only these policies. */
export function callerOf(aws: LocalAws, policies = usual, more: Partial<Ec2Caller> = {}): Ec2Caller {
  const credentials = aws.iam.createAccessKey({ userArn: `arn:aws:iam::${ACCOUNT}:user/ops`, policies });
  return {
    region: REGION,
    credentials: () => Promise.resolve(credentials),
    connection: connectionTo(aws),
    signal: new AbortController().signal,
    ...more,
  };
}

/** A session of a role with the usual permissions, narrowed by the session policies. */
export function sessionOf(aws: LocalAws, sessionPolicies: readonly PolicyDocument[]): Ec2Caller {
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/ops`;
  const trust = { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'sts:AssumeRole' } as const;
  const trustPolicy = { Version: '2012-10-17', Statement: [trust] } as const;
  aws.iam.createRole({ arn: roleArn, trustPolicy, policies: usual });
  const credentials = aws.iam.createSession({ roleArn, sessionPolicies });
  return { ...callerOf(aws), credentials: () => Promise.resolve(credentials) };
}

/** Trusts the same authority as a process with NODE_EXTRA_CA_CERTS. */
export function connectionTo({ ca }: LocalAws, env: Record<string, string> = {}): Connection {
  // Client and server are in one process. With three test files on two cores, parallel calls have taken more than ten
  // seconds.
  const connection = openConnection({ env, maxAttempts: 1, patience: 120_000 });
  if (ca === undefined) return connection;
  const https = new Agent({ keepAlive: true, ca, proxyEnv: env });
  return {
    ...connection,
    requestHandler: new NodeHttpHandler({ httpsAgent: https }),
    agents: { ...connection.agents, https },
  };
}

/** For work that has to fail. */
export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const outcome = await work.catch((error: unknown) => error);
  if (outcome instanceof Failure) return outcome;
  throw new Error('no Failure was thrown', { cause: outcome });
}

export const statementIn = (hint: string): unknown => JSON.parse(/\{.*\}/.exec(hint)?.[0] ?? 'null');
