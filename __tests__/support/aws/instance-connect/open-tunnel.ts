/** Instance Connect Endpoints: a presigned GET of /openTunnel becomes a WebSocket to a port of an instance. */
import { randomUUID } from 'node:crypto';

import { endpointArn } from '../ec2/describe.ts';
import type { ConnectEndpoint, Ec2, LaunchedInstance } from '../ec2/instances.ts';
import { AuthenticationError, AwsError } from '../errors.ts';
import { authenticate, refusalOf, regionOf, type ApiOptions, type Caller } from '../iam/caller.ts';
import { readAuthorization } from '../iam/sigv4.ts';
import { jsonCommonError } from '../wire/aws-json.ts';
import type { HttpRequest } from '../wire/http-server.ts';
import type { Service } from '../wire/service.ts';
import type { Tunnels } from './tunnels.ts';

const ACTION = 'ec2-instance-connect:OpenTunnel';
const PORTS = [22, 3389];
const READY = ['create-complete', 'update-in-progress', 'update-failed', 'update-complete'];

export interface TunnelStore {
  readonly ec2: Ec2;
  readonly tunnels: Tunnels;
}

interface Wanted {
  readonly endpointId: string;
  readonly privateIp: string;
  readonly port: number;
  readonly seconds: number;
}

export function isForTunnel({ url }: HttpRequest): boolean {
  return url.startsWith('/openTunnel?');
}

export function instanceConnectEndpoint({ ec2, tunnels }: TunnelStore, options: ApiOptions): Service {
  return {
    identify(request) {
      const fields = [...queryOf(request)].filter(([name]) => !name.startsWith('X-Amz-'));
      const parameters = Object.fromEntries(fields);
      return { service: 'ec2-instance-connect', operation: ACTION, region: regionOf(request), parameters };
    },
    perform(request, _operation, call) {
      const caller = authenticate(request, { ...options, service: 'ec2-instance-connect' });
      const { account, arn, roleArn, sessionName } = caller.principal;
      Object.assign(call, { account, principal: arn, roleArn, sessionName });
      const { expires } = readAuthorization(request) ?? {};
      if (expires === undefined || expires > 60)
        throw invalid('The request is not presigned for 60 seconds.');
      const wanted = readWanted(request);
      const endpoint = requireEndpoint(ec2, caller, wanted);
      const instance = ec2
        .instancesIn({ account, region: caller.region })
        .find(({ privateIp, ipv6 }) => [privateIp, ipv6].includes(wanted.privateIp));
      const port = portOf(instance, endpoint, wanted);
      return Promise.resolve({
        ...{ status: 101, headers: {}, body: '' },
        webSocket: (socket) => {
          tunnels.carry(socket, port, wanted.seconds);
        },
      });
    },
    refuse: refusal,
    commonError: jsonCommonError,
  };
}

/** An endpoint only reaches its own VPC. */
function portOf(
  instance: LaunchedInstance | undefined,
  { vpcId }: ConnectEndpoint,
  { port }: Wanted,
): number | undefined {
  return instance?.vpcId === vpcId && instance.state === 'running' ? instance.ports[port] : undefined;
}

function requireEndpoint(ec2: Ec2, caller: Caller, wanted: Wanted): ConnectEndpoint {
  const { account } = caller.principal;
  const known = ec2.endpointsIn({ account, region: caller.region });
  const endpoint = known.find(({ endpointId }) => endpointId === wanted.endpointId);
  if (endpoint === undefined || !READY.includes(endpoint.state)) {
    throw new AwsError({
      code: 'ResourceNotFound',
      message: `The specified InstanceConnectEndpoint ${wanted.endpointId} does not exist.`,
      status: 404,
    });
  }
  // Source: "Grant permissions to use EC2 Instance Connect Endpoint" in the EC2 User Guide.
  const context = {
    'ec2-instance-connect:remotePort': String(wanted.port),
    'ec2-instance-connect:privateIpAddress': wanted.privateIp,
    'ec2-instance-connect:maxTunnelDuration': String(wanted.seconds),
  };
  const denied = refusalOf(caller, { action: ACTION, resource: endpointArn(endpoint), context });
  if (denied === undefined) return endpoint;
  throw new AwsError({ code: 'AccessDenied', message: `${denied.message} ${denied.reason}`, status: 403 });
}

function readWanted(request: HttpRequest): Wanted {
  const query = queryOf(request);
  const port = Number(query.get('remotePort'));
  const seconds = Number(query.get('maxTunnelDuration') ?? '3600');
  const [endpointId, privateIp] = [
    query.get('instanceConnectEndpointId') ?? '',
    query.get('privateIpAddress') ?? '',
  ];
  if (!PORTS.includes(port)) {
    throw invalid(
      'The specified RemotePort is not valid. Specify either 22 or 3389 as the RemotePort and retry your request.',
    );
  }
  if (!(seconds >= 1 && seconds <= 3600)) throw invalid('The specified MaxTunnelDuration is not valid.');
  if (endpointId === '' || privateIp === '') throw invalid('A parameter is missing.');
  return { endpointId, privateIp, port, seconds };
}

function queryOf({ url }: HttpRequest): URLSearchParams {
  return new URLSearchParams(url.slice(url.indexOf('?') + 1));
}

function invalid(message: string): AwsError {
  return new AwsError({ code: 'InvalidParameter', message });
}

/** The body is as the AWS CLI shows it; the codes of failed authentication are a guess. */
function refusal(error: AwsError | AuthenticationError): ReturnType<Service['refuse']> {
  const authentication = error instanceof AuthenticationError;
  const code = authentication ? 'AuthFailure' : error.code;
  const body = JSON.stringify({ ErrorCode: code, Message: error.message });
  const headers = { 'content-type': 'application/json', 'x-amzn-requestid': randomUUID() };
  return { code, answer: { status: authentication ? 403 : error.status, headers, body } };
}
