/** What the AWS SDK throws → our code, the resource, the hint. */
import { authoritiesHint, isCertificateTrouble } from '../certificate-trouble.ts';
import { Failure, type Code } from '../errors.ts';
import { dnsSuffix } from '../keys/partition.ts';

/** What the call was for; messages say it. */
export interface Attempted {
  /** The service's name in host names and in VPC endpoints, e.g. `ssm`. */
  readonly service: string;
  readonly region: string;
  /** The resource, as the user wrote it. */
  readonly resource: string;
  /** What was done with it. Default: `reading`. */
  readonly doing?: string;
  /** The host of the service, if it is not the usual one. */
  readonly host?: string;
  /** A configured endpoint: `http://127.0.0.1:4566`. */
  readonly endpoint?: string;
}

/** The parts of an error of the SDK that are used here. Each may be missing: anything can be thrown. */
export interface AwsError {
  readonly name: string;
  readonly message: string;
  readonly code: string;
  readonly status: number;
  /** The endpoint that answered, if it is not AWS's own (aws/request-handler.ts); else empty. */
  readonly endpoint: string;
}

export function readAwsError(error: unknown): AwsError {
  const { name, message, code, $metadata, endpoint, $response } = (error ?? {}) as Record<string, unknown>;
  const { httpStatusCode } = ($metadata ?? {}) as Record<string, unknown>;
  const { endpoint: answering } = ($response ?? {}) as Record<string, unknown>;
  const own = endpoint ?? answering;
  return {
    name: typeof name === 'string' ? name : '',
    // Only the first line: after it AWS may repeat the signed request with the session token. Our messages end without a
    // full stop. A value that is not an Error is not shown: it may contain a secret.
    message: typeof message === 'string' ? firstLine(message) : `a ${typeof error} was thrown`,
    code: typeof code === 'string' ? code : '',
    status: typeof httpStatusCode === 'number' ? httpStatusCode : 0,
    endpoint: typeof own === 'string' ? own : '',
  };
}

/** The tries of a call; the SDK notes them in its error. */
export function attemptsOf(error: unknown): number {
  const { $metadata } = (error ?? {}) as { $metadata?: { attempts?: unknown } };
  return typeof $metadata?.attempts === 'number' ? $metadata.attempts : 1;
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').replace(/\.\s*$/, '');
}

/** The failures that any call can have. The caller handles the ones of its own service first. */
export function awsFailure(error: unknown, asked: Attempted): Failure {
  if (error instanceof Failure) return error;
  const read = readAwsError(error);
  const attempted = read.endpoint === '' ? asked : { ...asked, endpoint: read.endpoint };
  const { service, region, resource, doing = 'reading' } = attempted;
  const fail = (code: Code, what: string, hint: string): Failure =>
    new Failure(code, what, { hint, cause: error });
  if (/Throttl|TooManyRequests|RequestLimitExceeded/.test(read.name) || read.status === 429) {
    return fail(
      'THROTTLED',
      `${service} in ${region} limits the rate of calls, while ${doing} ${resource}`,
      throttledHints[service.replace(/-.*/, '')] ?? throttledHint,
    );
  }
  if (/^ExpiredToken|RequestExpired/.test(read.name)) {
    return fail('CREDENTIALS_EXPIRED', `${service} says that the AWS credentials have expired`, expiredHint);
  }
  if (/^(InvalidIdentityToken|IDPRejectedClaim)/.test(read.name)) {
    // The default chain asks STS by itself where AWS_WEB_IDENTITY_TOKEN_FILE or a profile says so.
    const what = `no role for ${resource}: AWS STS does not accept the token of the default credential chain: ${read.message}`;
    return fail('ASSUME_ROLE_DENIED', what, tokenHint);
  }
  if (rejected.has(read.name.replace(/Exception$/, ''))) {
    return fail(
      'CREDENTIALS_MISSING',
      `${service} does not accept the AWS credentials: ${read.message}`,
      rejectedHint,
    );
  }
  if (/CredentialsProviderError|TokenProviderError/.test(read.name) || read.code === 'ENOENT') {
    const what = `no AWS credentials for ${resource}: ${read.message}`;
    return isOutage(error)
      ? fail('NETWORK_UNREACHABLE', what, outageHint)
      : fail('CREDENTIALS_MISSING', what, missingHint);
  }
  if (read.name === 'EndpointError') {
    const hint = 'check AWS_ENDPOINT_URL, AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT';
    return fail('INPUT_INVALID', `there is no endpoint for ${service} in ${region}: ${read.message}`, hint);
  }
  if (read.code === 'ERR_INVALID_URL') return noUrl(service, 'is not a URL', error);
  if (isCertificateTrouble(read.code)) {
    return fail(
      'NETWORK_UNREACHABLE',
      `the certificate of ${service} in ${region} is not trusted (${read.code})`,
      authoritiesHint,
    );
  }
  if (isNetworkTrouble(read)) {
    return fail(
      'NETWORK_UNREACHABLE',
      `${service} in ${region} cannot be reached (${read.code || read.message})`,
      networkHint(attempted),
    );
  }
  if (read.name === 'NotFromAws') return notFromAws(attempted, error, read.message);
  if (read.name === 'SyntaxError' || isUnreadable(error)) return notFromAws(attempted, error);
  const what = `${service} in ${region} failed for ${resource}: ${[read.name, read.message].filter(Boolean).join(': ')}`;
  const elsewhere = attempted.endpoint && `see what ${attempted.endpoint} is and says: ${settingOf(service)}`;
  return fail(
    'PROVIDER_FAILED',
    what,
    `run it again; if it persists, ${elsewhere ?? 'see https://health.aws.amazon.com'}`,
  );
}

/** Of an endpoint that the environment or the AWS configuration names. */
export function noUrl(service: string, what: string, cause?: unknown): Failure {
  return new Failure('INPUT_INVALID', `the endpoint of ${service} ${what}`, {
    hint: `write http://HOST:PORT or https://HOST: ${settingOf(service)}`,
    cause,
  });
}

/** With AWS_WEB_IDENTITY_TOKEN_FILE or a profile's role, the default chain itself calls STS. */
export function roleDenied(error: unknown): Failure {
  const { message } = readAwsError(error);
  return new Failure('ASSUME_ROLE_DENIED', `the default credential chain did not get its role: ${message}`, {
    hint: 'check the trust policy of the role that AWS_ROLE_ARN or the profile names; test it with aws sts get-caller-identity',
    cause: error,
  });
}

/**
 * Whether a provider of credentials did not reach its service: a laptop that wakes up has no network for some seconds.
 * The SDK often keeps only the message of Node's error. Where no metadata service is reached, the machine is no instance.
 */
function isOutage(error: unknown): boolean {
  let at = error;
  for (let depth = 0; depth < deepest && typeof at === 'object' && at !== null; depth++) {
    const { message, code, cause, isNoInstance } = at as Record<string, unknown>;
    if (isNoInstance === true) return false;
    if (networkTrouble.test(`${textIn(message)} ${textIn(code)}`)) return true;
    at = cause;
  }
  return false;
}

/** A cause can be its own cause. */
const deepest = 8;

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The SDK says it in the second line of the message. */
function isUnreadable(error: unknown): boolean {
  const { message } = (error ?? {}) as Record<string, unknown>;
  return typeof message === 'string' && message.includes('Deserialization error');
}

/** A captive portal or a proxy answers instead of AWS, or cuts the answer. */
export function notFromAws(attempted: Attempted, cause?: unknown, why = 'is broken'): Failure {
  const { service, region } = attempted;
  const said = why === 'is broken' ? `${why} or not from AWS` : `${why}, and not from AWS`;
  return new Failure('NETWORK_UNREACHABLE', `the answer of ${service} in ${region} ${said}`, {
    hint: networkHint(attempted),
    cause,
  });
}

const rejected: ReadonlySet<string> = new Set([
  'UnrecognizedClient',
  'InvalidClientTokenId',
  'InvalidSignature',
  'SignatureDoesNotMatch',
  'IncompleteSignature',
  'MissingAuthenticationToken',
  // EC2's name for it.
  'AuthFailure',
]);

const throttledHint =
  'run it again later; Parameter Store serves 40 calls a second an account unless higher throughput is switched on';
const throttledHints: Readonly<Record<string, string>> = {
  ec2: 'run it again later, with fewer connections at once',
  kms: "run it again later, or raise the quota: all callers of the account share KMS's quota for the Region, which differs by type of key",
};
const expiredHint = 'get new credentials, and check the clock of this machine';
const tokenHint =
  "compare the token's iss and aud with the identity providers of the role's account; AWS has to reach the issuer from the internet";
const rejectedHint =
  'check the access key and its session token in the environment, and the clock of this machine';
const missingHint =
  'set role-to-assume to a role that trusts this repository, or give the runner an instance role';
const outageHint =
  'check that this machine reaches the service that gives the credentials, by the internet or a proxy (HTTPS_PROXY)';

function networkHint({ service, region, host, endpoint }: Attempted): string {
  if (endpoint !== undefined) {
    return `check that this machine reaches ${endpoint}, and that it is meant to be the endpoint of ${service}: ${settingOf(service)}`;
  }
  const place = host ?? `${service}.${region}.${dnsSuffix(region)}`;
  return `check that the region is right, and that this machine reaches https://${place}: by the internet, a proxy (HTTPS_PROXY) or a VPC endpoint for ${service}`;
}

/** Codes of Node. */
const networkTrouble =
  /\b(ECONN|ENOTFOUND|EAI_|EHOST|ENET|EPIPE|EPROTO|ERR_SSL|ETIMEDOUT|ERR_SOCKET|ERR_PROXY)/;

function isNetworkTrouble({ name, code, message }: AwsError): boolean {
  return (
    networkTrouble.test(code) ||
    name === 'TimeoutError' ||
    // The AWS SDK keeps only the message of what it does not take for an Error.
    /socket hang up|aborted|ECONNRESET/.test(message)
  );
}

/** The settings of the AWS SDK that name an endpoint. */
function settingOf(service: string): string {
  return `AWS_ENDPOINT_URL, ${variableOf(service)} or endpoint_url in the AWS configuration names it`;
}

/** The variable for this service only. */
export function variableOf(service: string): string {
  return `AWS_ENDPOINT_URL_${settingNames[service] ?? service.toUpperCase().replaceAll('-', '_')}`;
}

const settingNames: Readonly<Record<string, string>> = { secretsmanager: 'SECRETS_MANAGER' };
