/** A local AWS with an instance that echoes on port 22, and clients with all permissions for it. */
import { Agent as HttpsAgent } from 'node:https';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { StartSessionCommand, type SSMClient, type StartSessionResponse } from '@aws-sdk/client-ssm';
import { NodeHttpHandler } from '@smithy/node-http-handler';

import type { AgentInput, Credentials, LocalAws, LocalAwsOptions } from '../../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, ROLE_ARN, startReadyWorld } from '../../support/aws/world.ts';
import { ssmClient } from './clients.ts';
import { RawSession, type Connecting } from './raw-session.ts';

export const target = 'i-0123456789abcdef0';

interface Starting {
  readonly port?: string;
  readonly instance?: string;
  readonly document?: string;
  /** Default: all permissions. */
  readonly client?: SSMClient;
}

export interface SessionWorld {
  readonly aws: LocalAws;
  readonly credentials: Credentials;
  readonly client: SSMClient;
  /** The port that echoes, unless `serve` replaces it. */
  readonly serve: (connection: (socket: Socket) => void) => void;
  /** The address of the instance's port 22. */
  readonly port: { readonly host: string; readonly port: number };
  readonly connectAgent: (more?: Partial<AgentInput>) => void;
  readonly start: (more?: Starting) => Promise<StartSessionResponse>;
  /** Connects the agent, starts a session and opens its channel. */
  readonly open: (agent?: Partial<AgentInput>, more?: Partial<Connecting>) => Promise<RawSession>;
  readonly violations: () => string[];
  /** Restores the initial state. */
  readonly reset: () => void;
  readonly stop: () => Promise<void>;
}

const echo = (socket: Socket): void => {
  socket.pipe(socket);
};

export async function startSessionWorld(options: LocalAwsOptions = {}): Promise<SessionWorld> {
  const { aws, stop } = await startReadyWorld(options);
  let connection = echo;
  const server = createServer((socket) => {
    socket.on('error', () => undefined).unref();
    connection(socket);
  }).unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  aws.iam.createRole({
    arn: ROLE_ARN,
    trustPolicy: { Version: '2012-10-17', Statement: [] },
    policies: [allow(['ssm:*', 'ssmmessages:*'], '*')],
  });
  const credentials = aws.iam.createSession({ roleArn: ROLE_ARN, sessionName: 'run-1' });
  const trusting = new NodeHttpHandler({
    httpsAgent: new HttpsAgent({ ...(aws.ca !== undefined && { ca: aws.ca }) }),
  });
  const client = ssmClient(aws, credentials, { requestHandler: trusting });
  const place = { account: ACCOUNT, region: REGION, instanceId: target };
  const port = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const connectAgent: SessionWorld['connectAgent'] = (more = {}) => {
    aws.sessions.connectAgent({ ...place, ports: { 22: port.port }, ...more });
  };
  const start: SessionWorld['start'] = (more = {}) => {
    const { instance: Target = target, document: DocumentName = 'AWS-StartSSHSession' } = more;
    const Parameters = { portNumber: [more.port ?? '22'] };
    return (more.client ?? client).send(new StartSessionCommand({ Target, DocumentName, Parameters }));
  };
  return {
    ...{ aws, credentials, client, port, connectAgent, start },
    serve: (other) => (connection = other),
    open: async (agent, more) => {
      connectAgent(agent);
      return RawSession.connect(await start(), { credentials, ca: aws.ca, ...more });
    },
    violations: () => aws.sessions.violations.map(({ what }) => what),
    reset: () => {
      connection = echo;
      aws.sessions.stop();
      aws.sessions.forget();
      aws.sessions.faults = {};
      aws.faults.clear();
      aws.forgetCalls();
    },
    stop: async () => {
      server.close();
      await stop();
    },
  };
}
