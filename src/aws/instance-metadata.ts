/**
 * The instance metadata service, only version 2: the Region, and the credentials of the instance's role. We send our own
 * requests: the AWS SDK hangs if an answer is cut, falls back to version 1, and reports wrong causes.
 */
import { getInstanceMetadataEndpoint } from '@smithy/credential-provider-imds';
import { CredentialsProviderError } from '@smithy/core/config';
import type { AwsCredentialIdentity } from '@smithy/types';
import { isHttp } from './endpoint.ts';
import { readAwsError } from './failures.ts';
import { Failure, type Code } from '../errors.ts';
import { sendRequest, type HttpAnswer } from '../http-request.ts';

export interface MetadataOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The longest time for one request, in milliseconds. */
  readonly patience: number;
  readonly signal?: AbortSignal | undefined;
}

/** Of one request. */
const tries = 3;
/** Milliseconds before the second try, and three times as many before the third. */
const pause = 100;
/** Milliseconds for one request. Outside EC2 nothing answers, and the wait must be short. Callers have limits of their own. */
const patienceOf = { usual: 1_000, longest: 15_000 } as const;
/** Bytes. A role's credentials are less than 3 KB. */
const largest = 64_000;

const tokenPath = 'latest/api/token';
const rolesPath = 'latest/meta-data/iam/security-credentials/';

/** Why a try failed. `passing`: another try may succeed. */
interface Problem {
  /** Follows the name of the service in messages. */
  readonly what: string;
  readonly code: Code;
  readonly passing: boolean;
  /** Whether this machine seems to have no such service. */
  readonly absent?: boolean;
}

export class InstanceMetadata {
  readonly #options: MetadataOptions;
  #token: string | undefined;

  constructor(options: MetadataOptions) {
    this.#options = options;
  }

  /**
   * @returns undefined if there is no metadata service
   *
   * @throws NETWORK_UNREACHABLE, PROVIDER_FAILED, THROTTLED
   */
  async region(): Promise<string | undefined> {
    return await this.#find('placement/region', /^[a-z]+(-[a-z]+)+-\d+$/);
  }

  /** As region: `i-` and 8 or 17 hexadecimal digits. */
  async instanceId(): Promise<string | undefined> {
    return await this.#find('instance-id', /^i-([0-9a-f]{8}|[0-9a-f]{17})$/);
  }

  async #find(name: string, form: RegExp): Promise<string | undefined> {
    try {
      return await this.#read(`latest/meta-data/${name}`, (text) => (form.test(text) ? text : undefined));
    } catch (error) {
      if (error instanceof CredentialsProviderError) return undefined;
      throw error;
    }
  }

  /**
   * Also returns expired credentials: while AWS cannot renew them, it may accept them for longer.
   *
   * @throws NETWORK_UNREACHABLE, PROVIDER_FAILED, THROTTLED; an error of the AWS SDK's where the instance has none
   */
  async credentials(): Promise<AwsCredentialIdentity> {
    try {
      return await this.#credentialsOfRole();
    } catch (error) {
      // Another role may have been attached between the two requests.
      if (!(error instanceof CredentialsProviderError) || this.#token === undefined) throw error;
      return await this.#credentialsOfRole();
    }
  }

  async #credentialsOfRole(): Promise<AwsCredentialIdentity> {
    const role = await this.#read(rolesPath, (text) => (/^[\w+=,.@-]+$/.test(text) ? text : undefined));
    const answer = await this.#read(rolesPath + role, parseCredentials);
    if ('refused' in answer) throw missing(`EC2 has none for the role ${role}: ${answer.refused}`);
    return answer;
  }

  async #read<T>(path: string, parse: (text: string) => T | undefined): Promise<T> {
    const { signal } = this.#options;
    const origin = await originOf();
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#try(origin + path, parse, origin);
      signal?.throwIfAborted();
      if (!('problem' in outcome)) return outcome.answer;
      const { problem } = outcome;
      if (!problem.passing || attempt === tries) throw failureOf(problem, origin, attempt);
      await sleep(pause * 3 ** (attempt - 1));
    }
  }

  async #try<T>(
    url: string,
    parse: (text: string) => T | undefined,
    origin: string,
  ): Promise<{ answer: T } | { problem: Problem }> {
    if (this.#token === undefined) {
      const answer = await this.#ask('PUT', origin + tokenPath, {
        'x-aws-ec2-metadata-token-ttl-seconds': '21600',
      });
      const problem = withoutToken(answer) ?? problemOf(answer);
      if (problem) return { problem };
      // Other text could not be sent as a header.
      if (!/^[\w+/=-]+$/.test(answer.text)) return { problem: strange };
      this.#token = answer.text;
    }
    const answer = await this.#ask('GET', url, { 'x-aws-ec2-metadata-token': this.#token });
    if (answer.status === 401) this.#token = undefined;
    const problem = problemOf(answer);
    if (problem) return { problem };
    const parsed = parse(answer.text.trim());
    return parsed === undefined ? { problem: strange } : { answer: parsed };
  }

  async #ask(method: 'GET' | 'PUT', url: string, headers: Record<string, string>): Promise<HttpAnswer> {
    const { env, patience, signal = new AbortController().signal } = this.#options;
    return await sendRequest(
      { url: new URL(url), method, headers },
      { env, signal, largest, patience: Math.min(patience, metadataPatience()) },
    );
  }
}

/** Whether the user has switched the service off. */
export function isSwitchedOff(env: MetadataOptions['env']): boolean {
  const { AWS_EC2_METADATA_DISABLED: disabled } = env;
  return Boolean(disabled) && disabled !== 'false';
}

/** Ends with a slash. From AWS_EC2_METADATA_SERVICE_ENDPOINT, or the profile. */
async function originOf(): Promise<string> {
  const { protocol, hostname, port } = await getInstanceMetadataEndpoint().catch((error: unknown) => {
    throw noEndpoint(error);
  });
  if (!isHttp({ protocol })) throw noEndpoint();
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}/`;
}

function noEndpoint(cause?: unknown): Failure {
  const { code, message } = readAwsError(cause);
  const isUrl = cause !== undefined && code !== 'ERR_INVALID_URL';
  return new Failure(
    'INPUT_INVALID',
    `the address of the instance metadata service ${isUrl ? `is unknown: ${message}` : 'is not a URL'}`,
    {
      hint: 'set AWS_EC2_METADATA_SERVICE_ENDPOINT to http://HOST:PORT, or AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE to IPv4 or IPv6, or unset both; the AWS configuration may have them, too',
      cause,
    },
  );
}

const strange: Problem = {
  ...{ what: 'gave an answer that is broken or not its own', code: 'NETWORK_UNREACHABLE', passing: true },
};

/** Outside EC2 nothing answers. With a hop limit of 1, only the token's answer is lost in a container. */
function withoutToken({ status, code = '', text }: HttpAnswer): Problem | undefined {
  const absent = { code: 'CREDENTIALS_MISSING', absent: true } as const;
  if (code === 'ETIMEDOUT') return { ...absent, what: 'did not answer', passing: true };
  if (/^(ECONNREFUSED|EHOST|ENET|EADDRNOTAVAIL|ENOTFOUND|EAI_|EACCES)/.test(code)) {
    return { ...absent, what: `cannot be reached (${text})`, passing: false };
  }
  if (status === 403) return { ...absent, what: 'is switched off (403)', passing: false };
  if (status === 404 || status === 405) return { ...absent, what: `is none (${status})`, passing: false };
  return undefined;
}

function problemOf({ status, headers, text }: HttpAnswer): Problem | undefined {
  const problem = (what: string, code: Code, passing = true): Problem => ({ what, code, passing });
  if (status === undefined) return problem(`gave no whole answer (${text})`, 'NETWORK_UNREACHABLE');
  if (status === 200) return undefined;
  if (status === 429) return problem('limits the rate of calls (429)', 'THROTTLED');
  if (status >= 500) return problem(`answered ${status}`, 'PROVIDER_FAILED');
  if (status === 404) {
    return { ...problem('knows no role for this instance', 'CREDENTIALS_MISSING', false), absent: true };
  }
  if (status < 400) {
    const { location = '' } = headers;
    const place = URL.canParse(location) ? ` to ${new URL(location).host}` : '';
    return problem(`answered with a redirect (${status})${place}`, 'NETWORK_UNREACHABLE');
  }
  // 401 means an expired token: the next try gets a new one.
  return problem(
    `answered ${status}`,
    status === 401 ? 'NETWORK_UNREACHABLE' : 'PROVIDER_FAILED',
    status === 401,
  );
}

/** @source EC2 User Guide, "Retrieve security credentials from instance metadata" */
export function parseCredentials(
  text: string,
): AwsCredentialIdentity | { readonly refused: string } | undefined {
  const read = membersOf(text);
  const { Code: code, Message: message, Token: sessionToken, Expiration: until } = read;
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey } = read;
  if (code !== undefined && code !== 'Success') return { refused: message ?? code };
  if (!accessKeyId || !secretAccessKey || !sessionToken || !until) return undefined;
  // Other text could not be sent as a header.
  if (![accessKeyId, secretAccessKey, sessionToken].every((part) => /^[\x21-\x7e]+$/.test(part)))
    return undefined;
  const expiration = new Date(until);
  return Number.isNaN(expiration.getTime())
    ? undefined
    : { accessKeyId, secretAccessKey, sessionToken, expiration };
}

function membersOf(text: string): Partial<Record<string, string>> {
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read !== 'object' || read === null) return {};
    return Object.fromEntries(Object.entries(read).filter(([, value]) => typeof value === 'string'));
  } catch {
    return {};
  }
}

function failureOf({ what, code, absent = false }: Problem, origin: string, attempts: number): Error {
  const name = `the instance metadata service at ${origin.slice(0, -1)}`;
  if (absent) return missing(`${name} ${what}`);
  const times = attempts === 1 ? '' : `, tried ${attempts} times`;
  return new Failure(code, `${name} ${what}${times}`, {
    hint:
      code === 'NETWORK_UNREACHABLE'
        ? 'check what answers there: AWS_EC2_METADATA_SERVICE_ENDPOINT, and whether a proxy or a firewall of this machine stands between'
        : 'run it again; many programs that ask it at once are limited together',
  });
}

/** An error of the SDK's type, for its chain of providers. This is the last provider. failures.ts reads the mark. */
function missing(what: string): Error {
  return Object.assign(new CredentialsProviderError(what, { tryNextLink: false }), { isNoInstance: true });
}

/** Keeps Node running while nothing else does. */
async function sleep(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * A second of this process's own time. If dozens of connections start at once, each gets a small part of the processor, and
 * a second may pass before it reads an answer that has arrived.
 *
 * @returns milliseconds for one request
 */
function metadataPatience(): number {
  const { user, system } = process.cpuUsage();
  const had = (user + system) / 1_000;
  return Math.min(patienceOf.longest, patienceOf.usual * Math.max(1, performance.now() / had));
}
