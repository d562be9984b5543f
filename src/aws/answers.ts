/** Whether an HTTP answer is from AWS, and what it says about the service. Pure. */
import type { Trouble } from './troubles.ts';

type Headers = Readonly<Record<string, string | undefined>>;

export interface Answer {
  readonly statusCode: number;
  /** Names in lower case. */
  readonly headers: Headers;
  readonly text: () => string;
}

/** Why the answer is not from AWS, as it follows "the answer of ssm in eu-west-1". @returns undefined if it may be from AWS */
export function oddityOf({ statusCode, headers, text }: Answer): string | undefined {
  const type = headers['content-type'] ?? '';
  if (statusCode >= 300 && statusCode < 400) {
    return `is a redirect (${statusCode})${to(headers['location'])}`;
  }
  // Servers that emulate AWS may declare their JSON as HTML.
  if (type.includes('html') && statusCode < 500 && !isJson(text)) return `is a web page (${statusCode})`;
  if (statusCode !== 200 || isWhole(type, text)) return undefined;
  return 'is broken';
}

/** Only the host: the rest of a portal's address may contain secrets. */
function to(location = ''): string {
  return URL.canParse(location) ? ` to ${new URL(location).host}` : '';
}

function isWhole(type: string, text: () => string): boolean {
  if (type.includes('xml')) return text().trimEnd().endsWith('>');
  return !type.includes('json') || isJson(text);
}

function isJson(text: () => string): boolean {
  try {
    return typeof JSON.parse(text()) === 'object';
  } catch {
    return false;
  }
}

/** Whether each value is a text, or is missing. Another server than AWS may answer with any JSON. */
export function areTexts(values: readonly unknown[]): boolean {
  return values.every((value) => value === undefined || typeof value === 'string');
}

/** awsFailure recognises it by its name. `$retryable` makes the SDK try again: the trouble of a proxy may pass. */
export function notAws(what: string): Error {
  return Object.assign(new Error(what), { name: 'NotFromAws', $retryable: {} });
}

/** The trouble that an answer reports. @returns undefined if there is none */
export function troubleOf(
  service: string,
  { statusCode, headers, body }: { statusCode: number; headers: Headers; body?: unknown },
): Trouble | undefined {
  if (statusCode < 400) return undefined;
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body.subarray(0, 2000)) : '';
  const said = `${headers['x-amzn-errortype'] ?? ''} ${text}`;
  if (statusCode === 429 || /Throttl|TooManyRequests|RequestLimitExceeded/.test(said)) {
    return { what: `${service} limits the rate of calls`, throttled: true };
  }
  return statusCode >= 500 ? { what: `${service} answered ${statusCode}`, throttled: false } : undefined;
}

interface AwsRequest {
  readonly headers: Headers;
  readonly body?: unknown;
  readonly path: string;
}

/** The service's name in messages, from the request: `ssm`. */
export function serviceOf({ headers, body }: Omit<AwsRequest, 'path'>): string {
  const [target = ''] = (headers['x-amz-target'] ?? '').split('.');
  if (target !== '') return services[target] ?? target;
  if ('x-amz-sso_bearer_token' in headers) return 'sso';
  const text = typeof body === 'string' ? body : '';
  if (text.includes('"grantType"')) return 'sso-oidc';
  return text.includes('Version=2011-06-15') ? 'sts' : 'ec2';
}

/** The name of the operation in a request, for a log: IAM Identity Center has paths instead. */
export function operationOf({ headers, body, path }: AwsRequest): string {
  const [, target] = (headers['x-amz-target'] ?? '').split('.');
  if (target !== undefined) return target;
  const [, action] = /(?:^|&)Action=(\w+)/.exec(typeof body === 'string' ? body : '') ?? [];
  return action ?? path;
}

/** Services that have another name in their protocol. */
const services: Readonly<Record<string, string>> = {
  AmazonSSM: 'ssm',
  TrentService: 'kms',
  AWSEC2InstanceConnectService: 'ec2-instance-connect',
};
