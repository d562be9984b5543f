/** An HTTP answer: whether it is one that AWS gives, and what it says of the service. Pure. */
import type { Trouble } from './troubles.ts';

type Headers = Readonly<Record<string, string | undefined>>;

export interface Answer {
  readonly statusCode: number;
  /** By lower-case names. */
  readonly headers: Headers;
  readonly text: () => string;
}

/** What no answer of AWS has, as it goes on behind "the answer of ssm in eu-west-1"; undefined where all is well. */
export function oddityOf({ statusCode, headers, text }: Answer): string | undefined {
  const type = headers['content-type'] ?? '';
  if (statusCode >= 300 && statusCode < 400) {
    return `is a redirect (${statusCode})${to(headers['location'])}`;
  }
  // Servers that stand in for AWS may call their JSON HTML.
  if (type.includes('html') && statusCode < 500 && !isJson(text)) return `is a web page (${statusCode})`;
  if (statusCode !== 200 || isWhole(type, text)) return undefined;
  return 'is broken';
}

/** The host alone: a portal's address may hold anything behind it. */
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

/** Its name is what awsFailure knows it by; `$retryable` makes the SDK try again: a proxy's hiccup passes. */
export function notAws(what: string): Error {
  return Object.assign(new Error(what), { name: 'NotFromAws', $retryable: {} });
}

/** What an answer says of the service: undefined where it does what it is for. */
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

/** As messages call it, from what its protocol says: `ssm`. */
export function serviceOf({ headers, body }: { readonly headers: Headers; readonly body?: unknown }): string {
  const [target = ''] = (headers['x-amz-target'] ?? '').split('.');
  if (target !== '') return services[target] ?? target;
  if ('x-amz-sso_bearer_token' in headers) return 'sso';
  const text = typeof body === 'string' ? body : '';
  if (text.includes('"grantType"')) return 'sso-oidc';
  return text.includes('Version=2011-06-15') ? 'sts' : 'ec2';
}

/** Those whose protocol calls them by another name. */
const services: Readonly<Record<string, string>> = {
  AmazonSSM: 'ssm',
  AWSEC2InstanceConnectService: 'ec2-instance-connect',
};
