/** StartSession, ResumeSession, TerminateSession. */
import { setTimeout as sleep } from 'node:timers/promises';

import { partitionOf } from '../arn.ts';
import { AwsError } from '../errors.ts';
import type { Caller } from '../iam/caller.ts';
import { refusalOf } from '../iam/caller.ts';
import type { RequestContext } from '../iam/policy.ts';
import { text, optionalText, validation } from '../ssm/input.ts';
import type { JsonRecord } from '../wire/aws-json.ts';
import type { AgentInput, Sessions } from './sessions.ts';
import type { Session } from './session.ts';

export interface SessionApi {
  readonly sessions: Sessions;
}

export type SessionOperation = (api: SessionApi, caller: Caller, input: JsonRecord) => Promise<JsonRecord>;

const sshDocument = 'AWS-StartSSHSession';
const defaultPort = '22';

export const startSession: SessionOperation = (api, caller, input) => {
  const target = text(input, 'Target');
  const documentName = optionalText(input, 'DocumentName') ?? 'SSM-SessionManagerRunShell';
  if (!/^m?i-[0-9a-f]{8,17}$/.test(target)) throw validation(`Target ${target} is not valid.`);
  const place = { account: caller.principal.account, region: caller.region };
  const agent = api.sessions.findAgent(target, place);
  const { region, account } = place;
  const partition = partitionOf(region);
  const instance = target.startsWith('mi-')
    ? `arn:${partition}:ssm:${region}:${account}:managed-instance/${target}`
    : `arn:${partition}:ec2:${region}:${account}:instance/${target}`;
  requirePermission(caller, 'ssm:StartSession', { resource: instance, context: tagContext(agent) });
  const document = `arn:${partition}:ssm:${region}::document/${documentName}`;
  requirePermission(caller, 'ssm:StartSession', { resource: document, context: {} });
  if (documentName !== sshDocument) {
    // AWS has other documents; they are not supported here.
    throw new AwsError({
      code: 'InvalidDocument',
      message: `Document with name ${documentName} does not exist.`,
    });
  }
  const portNumber = portOf(input);
  if (agent === undefined) {
    throw new AwsError({ code: 'TargetNotConnected', message: `${target} is not connected.` });
  }
  return Promise.resolve(present(api, api.sessions.start(agent, caller.principal, portNumber)));
};

export const resumeSession: SessionOperation = (api, caller, input) => {
  const session = locate(api, caller, { input, action: 'ssm:ResumeSession' });
  // A finished session has no token.
  if (session.output !== undefined)
    return Promise.resolve({ SessionId: session.id, TokenValue: '', StreamUrl: '' });
  return Promise.resolve(present(api, session));
};

export const terminateSession: SessionOperation = async (api, caller, input) => {
  const session = locate(api, caller, { input, action: 'ssm:TerminateSession' });
  const { terminateDelay = 0 } = api.sessions.faults;
  if (terminateDelay > 0) await sleep(terminateDelay, undefined, { ref: false });
  session.terminate('Session terminated.');
  return { SessionId: session.id };
};

export function sessionArn({ principal, region }: Caller, id: string): string {
  return `arn:${partitionOf(region)}:ssm:${region}:${principal.account}:session/${id}`;
}

/** The tags of each session of Session Manager. */
export function sessionContext(session: Session | undefined): RequestContext {
  if (session === undefined) return {};
  const { owner, target } = session.details;
  return {
    'ssm:resourceTag/aws:ssmmessages:session-id': owner,
    'ssm:resourceTag/aws:ssmmessages:target-id': target,
    'aws:ResourceTag/aws:ssmmessages:session-id': owner,
    'aws:ResourceTag/aws:ssmmessages:target-id': target,
  };
}

export function requirePermission(
  caller: Caller,
  action: string,
  on: { readonly resource: string; readonly context: RequestContext },
): void {
  const refusal = refusalOf(caller, { action, ...on });
  if (refusal === undefined) return;
  throw new AwsError({ code: 'AccessDeniedException', message: `${refusal.message} ${refusal.reason}` });
}

function tagContext(agent: AgentInput | undefined): RequestContext {
  const tags = Object.entries(agent?.tags ?? {});
  return Object.fromEntries(
    tags.flatMap(([name, value]) => [
      [`ssm:resourceTag/${name}`, value],
      [`aws:ResourceTag/${name}`, value],
    ]),
  );
}

function portOf(input: JsonRecord): string {
  const parameters = input['Parameters'];
  const value =
    typeof parameters === 'object' && parameters !== null && 'portNumber' in parameters
      ? parameters.portNumber
      : [defaultPort];
  const [port, ...rest] = Array.isArray(value) ? (value as unknown[]) : [];
  if (typeof port === 'string' && rest.length === 0 && /^[1-9]\d{0,4}$/.test(port) && Number(port) < 65_536) {
    return port;
  }
  throw new AwsError({
    code: 'InvalidParameters',
    message: 'Parameter "portNumber" has to be one port number, as text in a list.',
  });
}

function locate(
  { sessions }: SessionApi,
  caller: Caller,
  { input, action }: { readonly input: JsonRecord; readonly action: string },
): Session {
  const id = text(input, 'SessionId');
  const session = sessions.find(id);
  requirePermission(caller, action, { resource: sessionArn(caller, id), context: sessionContext(session) });
  const { account, region } = session?.details ?? {};
  if (session !== undefined && account === caller.principal.account && region === caller.region)
    return session;
  throw new AwsError({ code: 'DoesNotExistException', message: `Session ${id} does not exist` });
}

function present({ sessions }: SessionApi, session: Session): JsonRecord {
  const { token, cell } = session.issueToken();
  const query = `role=publish_subscribe&cell-number=${cell}`;
  const url = `${sessions.origin}/v1/data-channel/${encodeURIComponent(session.id)}?${query}`;
  return { SessionId: session.id, TokenValue: token, StreamUrl: url };
}
