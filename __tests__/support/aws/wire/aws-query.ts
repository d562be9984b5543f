/** The awsQuery protocol of STS: a form in, XML out (Smithy: aws.protocols#awsQuery). */
import { randomUUID } from 'node:crypto';

import { AuthenticationError, AwsError, type AuthenticationReason } from '../errors.ts';
import type { HttpAnswer, HttpRequest } from './http-server.ts';
import type { CommonError } from './service.ts';

/**
 * A structure for XML elements, in order; undefined members are omitted. The members of lists are named `item`, as in
 * EC2.
 */
export interface XmlTree {
  readonly [element: string]: string | number | XmlTree | readonly XmlTree[] | undefined;
}

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';
const AUTHENTICATION_CODES: Readonly<Record<AuthenticationReason, { code: string; status: number }>> = {
  'missing-token': { code: 'MissingAuthenticationToken', status: 403 },
  'incomplete-signature': { code: 'IncompleteSignature', status: 400 },
  'invalid-token': { code: 'InvalidClientTokenId', status: 403 },
  'expired-token': { code: 'ExpiredToken', status: 403 },
  'invalid-signature': { code: 'SignatureDoesNotMatch', status: 403 },
};

/** The form's fields. Lists keep their flat names: `PolicyArns.member.1.arn`. */
export function queryParameters({ body }: HttpRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(body.toString()));
}

export function queryAnswer(operation: string, result: XmlTree): HttpAnswer {
  const requestId = randomUUID();
  const tree = { [`${operation}Result`]: result, ResponseMetadata: { RequestId: requestId } };
  return answer(200, requestId, element(`${operation}Response`, tree, ` xmlns="${NAMESPACE}"`));
}

export function queryRefusal(error: AwsError | AuthenticationError): { code: string; answer: HttpAnswer } {
  const { code, status } = error instanceof AuthenticationError ? AUTHENTICATION_CODES[error.reason] : error;
  const requestId = randomUUID();
  const type = status >= 500 ? 'Receiver' : 'Sender';
  const tree = { Error: { Type: type, Code: code, Message: messageOf(error) }, RequestId: requestId };
  return { code, answer: answer(status, requestId, element('ErrorResponse', tree, ` xmlns="${NAMESPACE}"`)) };
}

/** STS words these two slightly differently from the JSON services. */
function messageOf(error: AwsError | AuthenticationError): string {
  if (!(error instanceof AuthenticationError)) return error.message;
  if (error.reason === 'missing-token') return 'Request is missing Authentication Token';
  return error.reason === 'invalid-token'
    ? 'The security token included in the request is invalid'
    : error.message;
}

export function queryCommonError(kind: CommonError): AwsError {
  if (kind === 'throttling') return new AwsError({ code: 'Throttling', message: 'Rate exceeded' });
  return kind === 'internal-error'
    ? new AwsError({
        code: 'InternalFailure',
        message: 'The request processing has failed because of an unknown error, exception or failure.',
        status: 500,
      })
    : new AwsError({ code: 'ServiceUnavailable', message: 'Service Unavailable', status: 503 });
}

export function answer(status: number, requestId: string, body: string): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId },
    body: `${body}\n`,
  };
}

export function element(
  name: string,
  content: string | number | XmlTree | readonly XmlTree[],
  attributes = '',
): string {
  return `<${name}${attributes}>${inside(content)}</${name}>`;
}

function inside(content: string | number | XmlTree | readonly XmlTree[]): string {
  if (typeof content !== 'object') return escape(String(content));
  if (isList(content)) return content.map((item) => element('item', item)).join('');
  return Object.entries(content)
    .map(([child, value]) => (value === undefined ? '' : element(child, value)))
    .join('');
}

function isList(content: XmlTree | readonly XmlTree[]): content is readonly XmlTree[] {
  return Array.isArray(content);
}

function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}
