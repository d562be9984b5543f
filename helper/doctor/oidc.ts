/** Checks whether the job may ask for an OIDC token, and shows the claims that trust policies compare. */
import { setTimeout } from 'node:timers/promises';
import { Failure } from '../../src/errors.ts';
import { audienceText, type Claims } from '../../src/aws/token.ts';
import { readTokenFile } from '../../src/aws/token-file.ts';
import { Troubles } from '../../src/aws/troubles.ts';
import { tokenService } from '../../src/aws/token-request.ts';
import { requestToken } from '../../src/aws/web-identity.ts';
import { fail, failed, ok, skip, warn, type Finding } from './finding.ts';

export interface OidcOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly audience: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const check = 'oidc';
const permission = 'give the job "permissions: { id-token: write, contents: read }"';

/** The token itself is never shown, and used for nothing else here. */
export async function checkOidc(options: OidcOptions): Promise<Finding[]> {
  const { env } = options;
  const file = env['AWS_WEB_IDENTITY_TOKEN_FILE'];
  const found = [await checkJob(options), ...(file ? [await checkFile(file, options)] : [])];
  return found;
}

async function checkJob({ env, signal, audience }: OidcOptions): Promise<Finding> {
  const service = tokenService(env);
  if (service) {
    const { claims } = await requestToken(service, {
      ...{ audience, env, signal, maxAttempts: 2, patience: 3_000, troubles: new Troubles() },
      sleep: (milliseconds) => setTimeout(milliseconds, undefined, { signal }),
    });
    return ok(check, `the job has a token: ${claimsText(claims)}`);
  }
  const half = ['ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'].find((name) => env[name]);
  if (half !== undefined) {
    const remedy = 'pass both variables to this step or container: docker run --env NAME for each';
    return fail(
      check,
      `OIDC_UNAVAILABLE: of the two variables of the token service only ${half} is set`,
      remedy,
    );
  }
  if (env['GITHUB_ACTIONS'] !== 'true') return skip(check, 'not in a job of GitHub Actions');
  return warn(check, 'OIDC_UNAVAILABLE: the job may not ask GitHub for an OIDC token', permission);
}

async function checkFile(file: string, { now }: OidcOptions): Promise<Finding> {
  const name = 'oidc AWS_WEB_IDENTITY_TOKEN_FILE';
  try {
    const { claims } = await readTokenFile(file);
    const { exp } = claims as Claims & { readonly exp?: number };
    const detail = `${file} has a token: ${claimsText(claims)}`;
    if (exp === undefined || exp * 1000 > now()) return ok(name, detail);
    const remedy = `get a new token into ${file}, right before its use`;
    return fail(
      name,
      `CREDENTIALS_EXPIRED: the token in ${file} expired at ${new Date(exp * 1000).toISOString()}`,
      remedy,
    );
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const message = error.message.replace('the input web-identity-token-file', 'AWS_WEB_IDENTITY_TOKEN_FILE');
    return failed(name, new Failure(error.code, message, { hint: error.hint, cause: error }));
  }
}

function claimsText(claims: Claims): string {
  return `sub ${claims.sub}, aud ${audienceText(claims)}, iss ${claims.iss}`;
}
