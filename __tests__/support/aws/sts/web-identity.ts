/** STS's checks of an OIDC token: provider, signature, audience, time. The role's trust policy is checked later. */
import {
  compactVerify,
  createLocalJWKSet,
  decodeJwt,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
} from 'jose';

import type { Arn } from '../arn.ts';
import { AwsError } from '../errors.ts';
import type { Iam, OidcProvider } from '../iam/iam.ts';
import type { RequestContext } from '../iam/policy.ts';

export interface WebIdentity {
  readonly provider: OidcProvider;
  readonly subject: string;
  readonly audience: string;
  /** The claims as condition keys: `token.actions.githubusercontent.com:sub`. */
  readonly context: RequestContext;
}

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];

export async function verifyWebIdentity(
  token: string,
  { iam, role, now }: { readonly iam: Iam; readonly role: Arn; readonly now: Date },
): Promise<WebIdentity> {
  const claims = readClaims(token);
  const issuer = claims.iss ?? '';
  const provider = iam.findProvider(role.account, issuer);
  if (provider === undefined) {
    throw invalidToken(`No OpenIDConnect provider found in your account for ${issuer}`);
  }
  await verifyTokenSignature(token, provider);
  checkTime(claims, now);
  const audience = audienceOf(claims, provider);
  return { provider, subject: claims.sub ?? '', audience, context: contextOf(claims, provider, audience) };
}

function readClaims(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch {
    throw invalidToken(
      'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
    );
  }
}

async function verifyTokenSignature(token: string, provider: OidcProvider): Promise<void> {
  let keys: ReturnType<typeof createLocalJWKSet>;
  try {
    keys = createLocalJWKSet((await provider.fetchKeys()) as JSONWebKeySet);
  } catch {
    throw noVerificationKey();
  }
  try {
    await compactVerify(token, keys, { algorithms: ALGORITHMS });
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) throw noVerificationKey();
    throw invalidToken('The web identity token that was passed could not be validated by AWS.');
  }
}

function checkTime({ exp, nbf }: JWTPayload, now: Date): void {
  const seconds = Math.floor(now.getTime() / 1000);
  if (exp === undefined) throw invalidToken('Missing a required claim: exp');
  if (exp <= seconds) {
    throw new AwsError({
      code: 'ExpiredTokenException',
      message: `Token expired: current date/time ${String(seconds)} must be before the expiration date/time ${String(exp)}`,
    });
  }
  if (nbf !== undefined && nbf > seconds) {
    throw invalidToken(
      `Token not yet valid: current date/time ${String(seconds)} must be after ${String(nbf)}`,
    );
  }
}

/** If the token has an authorized party (`azp`), IAM compares that as `aud`. */
function audienceOf(claims: JWTPayload, { clientIds }: OidcProvider): string {
  const azp = claims['azp'];
  const audiences = typeof azp === 'string' ? [azp] : [claims.aud ?? []].flat();
  const audience = audiences.find((one) => clientIds.includes(one));
  if (audience === undefined) throw invalidToken('Incorrect token audience');
  return audience;
}

function contextOf(claims: JWTPayload, { url }: OidcProvider, audience: string): RequestContext {
  const prefix = url.replace('https://', '');
  const context: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries({ ...claims, aud: audience })) {
    if (Array.isArray(value)) context[`${prefix}:${name}`] = value.map(String);
    else if (['string', 'number', 'boolean'].includes(typeof value))
      context[`${prefix}:${name}`] = String(value);
  }
  return context;
}

function noVerificationKey(): AwsError {
  return invalidToken(
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity " +
      'documentation for requirements',
  );
}

function invalidToken(message: string): AwsError {
  return new AwsError({ code: 'InvalidIdentityToken', message });
}
