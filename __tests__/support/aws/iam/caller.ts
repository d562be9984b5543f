/** Identifies the sender of a request, and evaluates their policies. */
import { partitionOf } from '../arn.ts';
import { AuthenticationError } from '../errors.ts';
import type { Iam, Principal } from './iam.ts';
import { decide, type RequestContext } from './policy.ts';
import { principalContext } from '../sts/session-tags.ts';
import { readAuthorization, verifySignature, type SignableRequest } from './sigv4.ts';

export interface Caller {
  readonly principal: Principal;
  /** From the signature's scope. */
  readonly region: string;
  /** The global condition keys. */
  readonly context: RequestContext;
}

/** What an AWS API needs to identify callers. */
export interface ApiOptions {
  readonly iam: Iam;
  readonly clock: () => Date;
  /** The existing Regions; undefined: everything that looks like one. */
  readonly regions: readonly string[] | undefined;
}

export interface Authentication extends ApiOptions {
  /** The service's name in the signature's scope. */
  readonly service: string;
}

const INVALID_TOKEN = 'The security token included in the request is invalid.';

/** Throws AuthenticationError. Checks in AWS's order: scope, key, session token, then the signature. */
export function authenticate(request: SignableRequest, options: Authentication): Caller {
  const authorization = readAuthorization(request);
  if (authorization === undefined) {
    throw new AuthenticationError('missing-token', 'Missing Authentication Token');
  }
  const now = options.clock();
  const { scope, accessKeyId, sessionToken } = authorization;
  checkScope(scope.region, scope.service, options);
  const key = options.iam.findKey(accessKeyId);
  const principal = key?.principal();
  if (key === undefined || principal === undefined || key.credentials.sessionToken !== sessionToken) {
    throw new AuthenticationError('invalid-token', INVALID_TOKEN);
  }
  if (principal.partition !== partitionOf(scope.region)) {
    throw new AuthenticationError('invalid-token', INVALID_TOKEN);
  }
  const { expiration, secretAccessKey } = key.credentials;
  if (expiration !== undefined && expiration <= now) {
    throw new AuthenticationError('expired-token', 'The security token included in the request is expired');
  }
  verifySignature(request, authorization, { secretAccessKey, now });
  return { principal, region: scope.region, context: globalContext(principal, scope.region) };
}

function checkScope(region: string, service: string, options: Authentication): void {
  const known = options.regions?.includes(region) ?? /^[a-z]{2}(-[a-z]+)+-\d$/.test(region);
  if (!known) {
    throw new AuthenticationError('invalid-signature', 'Credential should be scoped to a valid region.');
  }
  if (service !== options.service) {
    throw new AuthenticationError(
      'invalid-signature',
      `Credential should be scoped to correct service: '${options.service}'.`,
    );
  }
}

function globalContext({ arn, roleArn, account, userId, tags }: Principal, region: string): RequestContext {
  return {
    ...principalContext(tags?.tags ?? {}),
    'aws:PrincipalArn': roleArn ?? arn,
    'aws:PrincipalAccount': account,
    'aws:PrincipalType': roleArn === undefined ? 'User' : 'AssumedRole',
    'aws:userid': userId,
    'aws:RequestedRegion': region,
  };
}

export interface Wish {
  readonly action: string;
  readonly resource: string;
  readonly context?: RequestContext;
}

export interface Refusal {
  /** "User: … is not authorized to perform: … on resource: …" */
  readonly message: string;
  /** "because no identity-based policy allows the … action" */
  readonly reason: string;
  readonly explicit: boolean;
  /** Whether the session policies refuse. */
  readonly bySession: boolean;
}

/** Undefined if the caller's policies allow it; otherwise AWS's message. */
export function refusalOf({ principal, context }: Caller, wish: Wish): Refusal | undefined {
  const decision = decide(principal.policies, { ...wish, context: { ...context, ...wish.context } });
  if (decision.allowed) return undefined;
  const article = /^[aeiou]/.test(decision.by) ? 'an' : 'a';
  return {
    message: `User: ${principal.arn} is not authorized to perform: ${wish.action} on resource: ${wish.resource}`,
    reason: decision.explicit
      ? `with an explicit deny in ${article} ${decision.by} policy`
      : `because no ${decision.by} policy allows the ${wish.action} action`,
    explicit: decision.explicit,
    bySession: decision.by === 'session',
  };
}

/** The Region of the signature's scope, otherwise of AWS's host name; undefined if there is neither. */
export function regionOf(request: SignableRequest): string | undefined {
  const [, named] = /^\w+\.([a-z]+(?:-[a-z]+)+-\d)\.amazonaws\./.exec(String(request.headers['host'])) ?? [];
  try {
    return readAuthorization(request)?.scope.region ?? named;
  } catch {
    return named;
  }
}
