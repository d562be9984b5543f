/**
 * EC2's query protocol: a form in, XML out, lists as `item` elements, errors in another structure (Smithy:
 * aws.protocols#ec2Query).
 */
import { randomUUID } from 'node:crypto';

import { AuthenticationError, AwsError, type AuthenticationReason } from '../errors.ts';
import { answer, element, type XmlTree } from './aws-query.ts';
import type { HttpAnswer } from './http-server.ts';
import type { CommonError } from './service.ts';

export const EC2_VERSION = '2016-11-15';
/** Source: "Error codes for the Amazon EC2 API", Client errors. */
const AUTHENTICATION: Readonly<
  Record<AuthenticationReason, { code: string; status: number; message?: string }>
> = {
  'missing-token': {
    code: 'MissingAuthenticationToken',
    status: 403,
    message: 'Request must contain a signature',
  },
  'incomplete-signature': { code: 'IncompleteSignature', status: 400 },
  'invalid-token': {
    code: 'AuthFailure',
    status: 401,
    message: 'AWS was not able to validate the provided access credentials',
  },
  'expired-token': { code: 'RequestExpired', status: 400, message: 'Request has expired.' },
  'invalid-signature': { code: 'SignatureDoesNotMatch', status: 403 },
};

export function ec2Answer(operation: string, result: XmlTree): HttpAnswer {
  const requestId = randomUUID();
  const namespace = ` xmlns="http://ec2.amazonaws.com/doc/${EC2_VERSION}/"`;
  return answer(200, requestId, element(`${operation}Response`, { requestId, ...result }, namespace));
}

export function ec2Refusal(error: AwsError | AuthenticationError): { code: string; answer: HttpAnswer } {
  const {
    code,
    status,
    message = error.message,
  } = error instanceof AuthenticationError ? AUTHENTICATION[error.reason] : error;
  const requestId = randomUUID();
  const tree = { Errors: { Error: { Code: code, Message: message } }, RequestID: requestId };
  return { code, answer: answer(status, requestId, element('Response', tree)) };
}

export function ec2CommonError(kind: CommonError): AwsError {
  if (kind === 'throttling')
    return new AwsError({
      code: 'RequestLimitExceeded',
      message: 'Request limit exceeded.',
      status: 503,
    });
  return kind === 'internal-error'
    ? new AwsError({ code: 'InternalError', message: 'An internal error has occurred', status: 500 })
    : new AwsError({ code: 'Unavailable', message: 'The service is unavailable.', status: 503 });
}
