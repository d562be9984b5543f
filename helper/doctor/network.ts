/** Checks that each service can be reached, step by step, and compares this machine's clock with AWS's. */
import { lookup } from 'node:dns/promises';
import { isPrivate } from '../../src/aws/endpoint.ts';
import { awsFailure } from '../../src/aws/failures.ts';
import { reach, type Reached as Answer } from '../../src/aws/reach.ts';
import { proxyEnvironment, unusedProxy } from '../../src/proxy-environment.ts';
import type { Endpoint } from './endpoints.ts';
import { fail, failed, ok, skip, warn, type Finding } from './finding.ts';
import { clockCommand } from './install-command.ts';
import { isPrivateAddress, proxyFor } from './proxy-for.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface NetworkOptions {
  readonly env: Environment;
  readonly region: string;
  readonly signal: AbortSignal;
}

export interface Probe {
  readonly finding: Finding;
  /** Milliseconds that AWS's clock is ahead of this machine's; undefined: not known. */
  readonly ahead: number | undefined;
}

/** One request without credentials. Whatever AWS answers, it has been reached. */
export async function probe(endpoint: Endpoint, options: NetworkOptions): Promise<Probe> {
  const { service, url } = endpoint;
  const check = `network ${service}`;
  const [answer, way] = await Promise.all([reach(url, options), wayTo(endpoint, options.env)]);
  options.signal.throwIfAborted();
  const { status, headers } = answer;
  if (status === undefined) return { finding: unreached(endpoint, answer, options), ahead: undefined };
  const date = Date.parse(headers.date ?? '');
  const ahead = Number.isNaN(date) ? undefined : date - Date.now();
  return { finding: reached(check, { endpoint, status, way, answer }), ahead };
}

interface Reached {
  readonly endpoint: Endpoint;
  readonly status: number;
  readonly way: string;
  readonly answer: Answer;
}

function reached(check: string, { endpoint, status, way, answer }: Reached): Finding {
  const { url, namedBy } = endpoint;
  const named = namedBy === undefined ? '' : `, which ${namedBy} names`;
  const detail = `${url.origin} answers, ${way}${named}`;
  const { location = '' } = answer.headers;
  if (status === 407) return fail(check, `${way} asks for a user and a password (407)`, proxyHint);
  if (status >= 500)
    return warn(
      check,
      `${url.origin} answered ${status}, ${way}`,
      'run it again; if it persists, see https://health.aws.amazon.com',
    );
  if (status < 400 && status >= 300 && isForeign(location, url)) {
    return fail(check, `${url.origin} redirects to ${new URL(location).host}, ${way}`, portalHint);
  }
  if (url.protocol === 'http:' && !isPrivate({ protocol: url.protocol, hostname: url.hostname })) {
    return warn(
      check,
      `${detail}: it is not encrypted`,
      `name an endpoint with https in ${namedBy ?? 'the settings'}`,
    );
  }
  return ok(check, detail);
}

const proxyHint = 'write the user and the password into HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT';
const portalHint =
  'something else answers in place of AWS: sign in to the network, or check HTTPS_PROXY and NO_PROXY';

/** STS and EC2 redirect browsers to AWS's own pages. */
function isForeign(location: string, url: URL): boolean {
  if (!URL.canParse(location)) return false;
  const { hostname } = new URL(location);
  return hostname !== url.hostname && !/(^|\.)(amazon|amazonaws|aws)(\.[a-z]{2,3}){1,2}$/.test(hostname);
}

function unreached(
  { service, url, namedBy }: Endpoint,
  answer: Answer,
  { region, env }: NetworkOptions,
): Finding {
  const { code = '', text } = answer;
  const check = `network ${service}`;
  const error = Object.assign(new Error(text), {
    ...{ code: code || 'ETIMEDOUT' },
    ...(namedBy !== undefined && { endpoint: url.origin }),
  });
  const proxy = proxyFor(url, env);
  const { detail, remedy, ...finding } = failed(check, awsFailure(error, { service, region, resource: '' }));
  const through = proxy ? `, through the proxy ${proxy.host} (${proxy.variable})` : '';
  const failedAt = `${detail}: ${stepOf(code)} failed${through}`;
  const isVariable = namedBy !== undefined && /^[A-Z_]+$/.test(namedBy) && env[namedBy] !== undefined;
  if (!isVariable) return { ...finding, detail: failedAt, remedy };
  return {
    ...finding,
    detail: `${failedAt}: ${namedBy} names this endpoint; ${remedy}`,
    remedy: `unset ${namedBy}`,
  };
}

/** The step of the connection that failed, by Node's code. */
function stepOf(code: string): string {
  if (/^(ENOTFOUND|EAI_)/.test(code)) return 'DNS';
  if (/CERT|SELF_SIGNED|UNABLE_TO|ERR_SSL|ERR_TLS|EPROTO/.test(code)) return 'TLS';
  return /^(ECONNREFUSED|EHOST|ENET|ETIMEDOUT|EADDR)/.test(code) ? 'TCP, or the answer,' : 'the answer';
}

/** By a proxy, by a VPC endpoint, or by the internet. */
async function wayTo({ url, namedBy }: Endpoint, env: Environment): Promise<string> {
  const proxy = proxyFor(url, env);
  if (proxy) return `through the proxy ${proxy.host} (${proxy.variable})`;
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const addresses = await lookup(name, { all: true }).catch(() => []);
  const [first] = addresses;
  if (first === undefined) return 'without a proxy';
  if (!isPrivateAddress(first.address)) return `without a proxy, at ${first.address}`;
  return namedBy === undefined
    ? `by a VPC endpoint, at ${first.address}`
    : `without a proxy, at ${first.address}`;
}

/** A Node that does not use the proxy connects without it. @param nodeVersion `22.21.0` */
export function asNodeReads(env: Environment, nodeVersion: string): Environment {
  return unusedProxy(env, nodeVersion)
    ? { ...env, HTTPS_PROXY: undefined, https_proxy: undefined }
    : proxyEnvironment(env);
}

export function checkProxySupport(env: Environment, nodeVersion: string): Finding[] {
  const unused = unusedProxy(env, nodeVersion);
  if (!unused) return [];
  const remedy = `${unused.remedy}; or use a VPC endpoint`;
  return [warn('network proxy', `the proxy is not used: ${unused.why}`, remedy)];
}

/** Milliseconds. AWS refuses signatures with a larger difference. @source IAM User Guide, "Signature Version 4" */
const largest = 300_000;

/** @param probes in order of preference */
export function checkClock(probes: readonly Probe[], env: Environment): Finding {
  const ahead = probes.find((one) => one.ahead !== undefined)?.ahead;
  if (ahead === undefined) return skip('clock', 'not checked, because no service of AWS answered');
  const seconds = Math.round(Math.abs(ahead) / 1000);
  const detail = `this machine is ${seconds} seconds ${ahead > 0 ? 'behind' : 'ahead of'} AWS`;
  const remedy = clockCommand(env);
  if (Math.abs(ahead) >= largest)
    return fail('clock', `${detail}: AWS refuses signatures and tokens`, remedy);
  return Math.abs(ahead) >= 60_000 ? warn('clock', detail, remedy) : ok('clock', detail);
}
