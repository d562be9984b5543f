/** The common part of every endpoint: logs a call, applies the ordered faults, performs it, and answers. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Call, CallLog, OpenCall, ServiceName } from './calls.ts';
import { AuthenticationError, AwsError } from '../errors.ts';
import type { Fault, Faults } from './faults.ts';
import type { HttpAnswer, HttpRequest } from './http-server.ts';

export interface Operation {
  readonly service: ServiceName;
  /** `ssm:GetParameter` */
  readonly operation: string;
  readonly region: string | undefined;
  readonly parameters: Call['parameters'];
}

export type CommonError = 'throttling' | 'internal-error' | 'unavailable';

/** A refusal in the service's own format; `code` is for the log. */
export interface Refused {
  readonly code: string;
  readonly answer: HttpAnswer;
}

export interface Service {
  identify(request: HttpRequest): Operation;
  /** Notes the caller in the call as soon as it is known. Throws AwsError or AuthenticationError. */
  perform(request: HttpRequest, operation: Operation, call: OpenCall): Promise<HttpAnswer>;
  refuse(error: AwsError | AuthenticationError): Refused;
  /** The service's name for a common error. */
  commonError(kind: CommonError): AwsError;
}

export interface Observation {
  readonly calls: CallLog;
  readonly faults: Faults;
  readonly clock: () => Date;
}

export async function attend(
  service: Service,
  request: HttpRequest,
  { calls, faults, clock }: Observation,
): Promise<HttpAnswer> {
  const operation = service.identify(request);
  const call = calls.begin(operation);
  const { latency, fault } = faults.take(operation.operation, operation.region);
  if (typeof latency !== 'number') await latency;
  // The delay does not keep the process alive.
  else if (latency > 0) await sleep(latency, undefined, { ref: false });
  const answer = await suffer(fault, {
    work: () => settle(service.perform.bind(service, request, operation, call), refuse),
    refuse,
  });
  if (answer.delivery === 'never' || answer.delivery === 'reset') return answer;
  call.status = answer.status;
  call.finishedAt = Date.now();
  // The SDK corrects its clock with this header.
  return { ...answer, headers: { date: clock().toUTCString(), ...answer.headers } };

  function refuse(error: AwsError | AuthenticationError | CommonError): HttpAnswer {
    const refused = service.refuse(typeof error === 'string' ? service.commonError(error) : error);
    call.errorCode = refused.code;
    return refused.answer;
  }
}

type Refuse = (error: AwsError | AuthenticationError | CommonError) => HttpAnswer;

/** Applies the fault instead of the answer, or after it. */
async function suffer(
  fault: Fault | undefined,
  { work, refuse }: { readonly work: () => Promise<HttpAnswer>; readonly refuse: Refuse },
): Promise<HttpAnswer> {
  switch (fault) {
    case undefined:
      return work();
    case 'hang':
      return { status: 0, headers: {}, body: '', delivery: 'never' };
    case 'reset':
      return { status: 0, headers: {}, body: '', delivery: 'reset' };
    case 'cut':
    case 'torn':
    case 'stall':
    case 'drip':
    case 'huge':
      return { ...(await work()), delivery: fault };
    case 'unanswered':
      return { ...(await work()), delivery: 'never' };
    case 'broken':
      return halved(await work());
    case 'foreign':
      return foreign(await work());
    case 'mistyped':
      return mistyped(await work());
    case 'malformed':
      return proxyPage(200);
    case 'bad-gateway':
      return proxyPage(502);
    case 'redirect':
      return { ...proxyPage(302), headers: { location: 'https://portal.example.test/login' } };
    case 'throttling':
    case 'internal-error':
    case 'unavailable':
      return refuse(fault);
    default:
      return 'error' in fault ? refuse(new AwsError(fault.error)) : work();
  }
}

async function settle(perform: () => Promise<HttpAnswer>, refuse: Refuse): Promise<HttpAnswer> {
  try {
    return await perform();
  } catch (error) {
    if (error instanceof AwsError || error instanceof AuthenticationError) return refuse(error);
    // A bug in this local AWS: report it, so that no test blames the tested code.
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return refuse(new AwsError({ code: 'LocalAwsDefect', message, status: 501 }));
  }
}

function halved(answer: HttpAnswer): HttpAnswer {
  return { ...answer, body: answer.body.slice(0, Math.floor(answer.body.length / 2)) };
}

/** The answer of another program with the same format. Plain text has no members, so any text is valid. */
function foreign(answer: HttpAnswer): HttpAnswer {
  const type = answer.headers['content-type'] ?? '';
  if (type.includes('xml')) return { ...answer, body: '<Status><Ready>true</Ready></Status>\n' };
  return { ...answer, body: '{"status":"ready"}' };
}

function mistyped(answer: HttpAnswer): HttpAnswer {
  return { ...answer, headers: { ...answer.headers, 'content-type': 'text/html; charset=utf-8' } };
}

function proxyPage(status: number): HttpAnswer {
  const title = status === 200 ? 'Sign in to the network' : `${String(status)} Bad Gateway`;
  const body = `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`;
  return { status, headers: { 'content-type': 'text/html' }, body };
}
