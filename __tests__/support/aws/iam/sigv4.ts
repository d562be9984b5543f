/**
 * AWS Signature Version 4 on the service's side: parses a signed request and recomputes its signature. Pure. Source:
 * "Create a signed AWS API request" in the IAM User Guide (reference_sigv-create-signed-request).
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

import { AuthenticationError } from '../errors.ts';

export interface SignableRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  /** Lower-case names, as node:http gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

export interface CredentialScope {
  /** YYYYMMDD */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export interface Authorization {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly signedHeaders: readonly string[];
  /** Lower-case hexadecimal. */
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ`, as signed. */
  readonly timestamp: string;
  readonly sessionToken: string | undefined;
  /** Seconds that a presigned URL is valid, from the timestamp; undefined for a signature in headers. */
  readonly expires: number | undefined;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SKEW_MINUTES = 5;

/** From the Authorization header, or the query of a presigned URL. Undefined: not signed. */
export function readAuthorization(request: SignableRequest): Authorization | undefined {
  const header = single(request, 'authorization');
  if (header !== undefined) return fromHeader(request, header);
  const query = queryOf(request);
  return query.has('X-Amz-Signature') ? fromQuery(query) : undefined;
}

function fromHeader(request: SignableRequest, header: string): Authorization {
  const fields = new Map<string, string>();
  for (const field of header.replace(/^\S+\s+/, '').split(',')) {
    const equals = field.indexOf('=');
    fields.set(field.slice(0, equals).trim(), field.slice(equals + 1).trim());
  }
  const timestamp = single(request, 'x-amz-date');
  for (const name of ['Credential', 'Signature', 'SignedHeaders']) {
    if (!fields.get(name)) throw incomplete(`Authorization header requires '${name}' parameter.`);
  }
  if (!header.startsWith(`${ALGORITHM} `)) throw incomplete('Unsupported AWS signature algorithm.');
  if (timestamp === undefined) {
    throw incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  }
  return {
    ...readCredential(fields.get('Credential') ?? ''),
    signedHeaders: (fields.get('SignedHeaders') ?? '').split(';'),
    signature: fields.get('Signature') ?? '',
    timestamp,
    sessionToken: single(request, 'x-amz-security-token'),
    expires: undefined,
  };
}

function fromQuery(query: URLSearchParams): Authorization {
  return {
    ...readCredential(query.get('X-Amz-Credential') ?? ''),
    signedHeaders: (query.get('X-Amz-SignedHeaders') ?? '').split(';'),
    signature: query.get('X-Amz-Signature') ?? '',
    timestamp: query.get('X-Amz-Date') ?? '',
    sessionToken: query.get('X-Amz-Security-Token') ?? undefined,
    expires: Number(query.get('X-Amz-Expires') ?? Number.NaN),
  };
}

function readCredential(credential: string): { accessKeyId: string; scope: CredentialScope } {
  const [accessKeyId, date, region, service, terminator, ...rest] = credential.split('/');
  if (!accessKeyId || !date || !region || !service || terminator !== 'aws4_request' || rest.length > 0) {
    throw incomplete(
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term`,
    );
  }
  return { accessKeyId, scope: { date, region, service } };
}

export interface Expectation {
  readonly secretAccessKey: string;
  readonly now: Date;
}

/** Throws AuthenticationError with AWS's message unless the request was signed with this secret, now. */
export function verifySignature(
  request: SignableRequest,
  authorization: Authorization,
  { secretAccessKey, now }: Expectation,
): void {
  if (!authorization.signedHeaders.includes('host')) {
    throw new AuthenticationError(
      'invalid-signature',
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    );
  }
  checkTime(authorization, now);
  const expected = Buffer.from(signatureFor(request, authorization, secretAccessKey));
  const given = Buffer.from(authorization.signature);
  if (expected.length === given.length && timingSafeEqual(expected, given)) return;
  throw new AuthenticationError(
    'invalid-signature',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret ' +
      'Access Key and signing method. Consult the service documentation for details.',
  );
}

function checkTime({ timestamp, scope, expires }: Authorization, now: Date): void {
  const signedAt = parseTimestamp(timestamp);
  if (Number.isNaN(signedAt))
    throw incomplete(`Date must be in ISO-8601 'basic format'. Got '${timestamp}'.`);
  if (!timestamp.startsWith(scope.date)) {
    throw stale('Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP');
  }
  const minute = 60_000;
  const nowText = formatTimestamp(now.getTime());
  const validFor = expires === undefined ? SKEW_MINUTES * minute : expires * 1000;
  const oldest = formatTimestamp(now.getTime() - validFor);
  const newest = formatTimestamp(now.getTime() + SKEW_MINUTES * minute);
  if (!(now.getTime() - signedAt <= validFor)) {
    throw stale(`Signature expired: ${timestamp} is now earlier than ${oldest} (${nowText} - 5 min.)`);
  }
  if (signedAt - now.getTime() > SKEW_MINUTES * minute) {
    throw stale(
      `Signature not yet current: ${timestamp} is still later than ${newest} (${nowText} + 5 min.)`,
    );
  }
}

/** The signature that AWS calculates, 64 hexadecimal digits. Exported for test vectors. */
export function signatureFor(request: SignableRequest, authorization: Authorization, secret: string): string {
  const { timestamp, scope } = authorization;
  const path = `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
  const stringToSign = [ALGORITHM, timestamp, path, sha256(canonicalRequest(request, authorization))].join(
    '\n',
  );
  const key = [scope.region, scope.service, 'aws4_request'].reduce(hmac, hmac(`AWS4${secret}`, scope.date));
  return hmac(key, stringToSign).toString('hex');
}

function canonicalRequest(request: SignableRequest, authorization: Authorization): string {
  const { signedHeaders } = authorization;
  const path = request.url.split('?', 1)[0] ?? '/';
  const headers = signedHeaders.map((name) => `${name}:${canonicalValue(request.headers[name])}\n`);
  return [
    request.method,
    // Every service except S3 encodes the path once more than on the wire.
    path.split('/').map(encode).join('/'),
    canonicalQuery(request),
    headers.join(''),
    signedHeaders.join(';'),
    // The received body counts, not the value of x-amz-content-sha256.
    sha256(request.body),
  ].join('\n');
}

/** Sorted by name, then by value. The signature of a presigned URL is not signed. */
function canonicalQuery(request: SignableRequest): string {
  const pairs = [...queryOf(request)]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encode(name), encode(value)] as const);
  pairs.sort(([name, value], [otherName, otherValue]) => order(name, otherName) || order(value, otherValue));
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

function order(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}

function canonicalValue(value: string | readonly string[] | undefined): string {
  const values = typeof value === 'string' ? [value] : (value ?? []);
  return values.map((text) => text.trim().replace(/ +/g, ' ')).join(',');
}

/** RFC 3986: everything except the unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function queryOf({ url }: SignableRequest): URLSearchParams {
  const start = url.indexOf('?');
  return new URLSearchParams(start === -1 ? '' : url.slice(start + 1));
}

function single({ headers }: SignableRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

function parseTimestamp(text: string): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  return Date.parse(
    `${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`,
  );
}

function formatTimestamp(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
}

function incomplete(message: string): AuthenticationError {
  return new AuthenticationError('incomplete-signature', message);
}

function stale(message: string): AuthenticationError {
  return new AuthenticationError('invalid-signature', message);
}
