/** What the minimal programs share: a request, and AWS Signature Version 4 by hand. No product code signs by hand. */
import { createHash, createHmac } from 'node:crypto';
import { request as overHttp, type RequestOptions } from 'node:http';
import { request as overHttps } from 'node:https';
import { text } from 'node:stream/consumers';

export const setting = (name: string): string => process.env[name] ?? '';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export function ask(url: URL, options: RequestOptions, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? overHttps : overHttp;
    request(url, options, (response) => {
      resolve(text(response));
    })
      .on('error', reject)
      .end(body);
  });
}

export interface Signing {
  readonly service: string;
  readonly region: string;
  readonly credentials: Credentials;
  readonly more?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** AWS Signature Version 4, as headers. */
export function sign(
  url: URL,
  { service, region, credentials, more = {}, body = '' }: Signing,
): Record<string, string> {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const headers: Record<string, string> = { ...more, host: url.host, 'x-amz-date': time };
  if (credentials.sessionToken) headers['x-amz-security-token'] = credentials.sessionToken;
  const names = Object.keys(headers).sort();
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&');
  const canonical = [
    body ? 'POST' : 'GET',
    ...[url.pathname, query],
    ...names.map((name) => `${name}:${headers[name] ?? ''}`),
    ...['', names.join(';'), sha256(body)],
  ].join('\n');
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString('hex');
  const credential = `Credential=${credentials.accessKeyId}/${scope}`;
  headers['authorization'] =
    `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return headers;
}

export interface JsonCall extends Omit<Signing, 'more' | 'body'> {
  /** `AmazonSSM.GetParameter` */
  readonly target: string;
  readonly endpoint: string;
  readonly input: object;
  readonly options?: RequestOptions;
}

/** A call of AWS's JSON protocol. */
export async function callJson<T>({ target, endpoint, input, options, ...signing }: JsonCall): Promise<T> {
  const url = new URL(endpoint);
  const body = JSON.stringify(input);
  const more = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
  const headers = sign(url, { ...signing, more, body });
  return JSON.parse(await ask(url, { ...options, method: 'POST', headers }, body)) as T;
}
