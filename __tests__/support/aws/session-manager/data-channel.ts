/** The message gateway's endpoint: the signed GET that becomes a WebSocket. */
import { randomUUID } from 'node:crypto';
import { WebSocketServer } from 'ws';

import { AuthenticationError, AwsError } from '../errors.ts';
import { authenticate, regionOf, type ApiOptions } from '../iam/caller.ts';
import { jsonCommonError, jsonRefusal } from '../wire/aws-json.ts';
import type { HttpAnswer, HttpRequest, Upgrades } from '../wire/http-server.ts';
import { attend, type Observation, type Service } from '../wire/service.ts';
import { requirePermission, sessionArn, sessionContext } from './operations.ts';
import type { Sessions } from './sessions.ts';

const operation = 'ssmmessages:OpenDataChannel';
/** Larger than any frame, and small enough to be harmless. */
const maxPayload = 64 * 1024;
const accepted: HttpAnswer = { status: 101, headers: {}, body: '' };

/** Answers 101 to callers who may open that session's channel. */
export function messageGateway(sessions: Sessions, options: ApiOptions): Service {
  return {
    identify(request) {
      const parameters = { sessionId: channelOf(request)?.id };
      return { service: 'ssmmessages', operation, region: regionOf(request), parameters };
    },
    async perform(request, _, call) {
      const caller = authenticate({ ...request, method: 'GET' }, { ...options, service: 'ssmmessages' });
      const { account, arn, roleArn, sessionName } = caller.principal;
      Object.assign(call, { account, principal: arn, roleArn, sessionName });
      const channel = channelOf(request);
      if (channel === undefined) throw missing();
      const session = sessions.find(channel.id);
      const resource = sessionArn(caller, channel.id);
      requirePermission(caller, operation, { resource, context: sessionContext(session) });
      if (session?.details.account !== account || session.details.region !== caller.region) throw missing();
      if (channel.role !== 'publish_subscribe' || channel.cell !== session.cell) {
        throw new AwsError({ code: 'BadRequest', message: 'Not the StreamUrl that was given last.' });
      }
      return Promise.resolve(accepted);
    },
    refuse(error) {
      const { code, answer } = jsonRefusal(error);
      const forbidden = error instanceof AuthenticationError || code === 'AccessDeniedException';
      return { code, answer: { ...answer, status: forbidden ? 403 : answer.status } };
    },
    commonError: jsonCommonError,
  };
}

/** For the HTTP server. */
export function openDataChannels(sessions: Sessions, gateway: Service, observation: Observation): Upgrades {
  const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload });
  return {
    takes: (request) => new URL(request.url, 'http://localhost').pathname.startsWith('/v1/data-channel/'),
    answer: async ({ incoming, request, socket, head }) => {
      const answer = await attend(gateway, request, observation);
      const session = sessions.find(channelOf(request)?.id ?? '');
      if (answer.status !== accepted.status || session === undefined) return answer;
      server.handleUpgrade(incoming, socket, head, (client) => {
        session.attach(client, incoming.socket);
      });
      return undefined;
    },
  };
}

function channelOf({
  url,
}: HttpRequest): { id: string; role: string | null; cell: string | null } | undefined {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const [, id] = /^\/v1\/data-channel\/([^/]+)$/.exec(pathname) ?? [];
  if (id === undefined) return undefined;
  return {
    id: decodeURIComponent(id),
    role: searchParams.get('role'),
    cell: searchParams.get('cell-number'),
  };
}

function missing(): AwsError {
  return new AwsError({
    code: 'NotFoundException',
    message: `No such channel. (${randomUUID()})`,
    status: 404,
  });
}
