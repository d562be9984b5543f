/** GitHub's OIDC: the endpoint for a job's token, and the issuer's published keys. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomUUID,
  type KeyObject,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { exportJWK, SignJWT } from 'jose';

import { AuthenticationError, AwsError } from '../errors.ts';
import { GITHUB_ISSUER, type JsonWebKeySet } from '../iam/iam.ts';
import type { HttpAnswer, HttpRequest } from '../wire/http-server.ts';
import type { CommonError, Operation, Refused, Service } from '../wire/service.ts';
import { ciClaims, type CiJob, type CiService } from './ci-services.ts';
import { claimsOf, type Claims, type Job } from './job.ts';

interface RegisteredJob {
  readonly job: Job;
  readonly path: string;
}

interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

const STATUS = { throttling: 429, 'internal-error': 500, unavailable: 503 } as const;

export class OidcIssuer implements Service {
  readonly keySet: JsonWebKeySet;
  readonly #key: SigningKey;
  readonly #clock: () => Date;
  /** By request token. */
  readonly #jobs = new Map<string, RegisteredJob>();

  private constructor(key: SigningKey, keySet: JsonWebKeySet, clock: () => Date) {
    this.#key = key;
    this.keySet = keySet;
    this.#clock = clock;
  }

  static async create(clock: () => Date): Promise<OidcIssuer> {
    const privateKey = signingKey();
    const kid = randomUUID();
    const published = { ...(await exportJWK(createPublicKey(privateKey))), alg: 'RS256', use: 'sig', kid };
    return new OidcIssuer({ kid, privateKey }, { keys: [published] }, clock);
  }

  /** A token for this job. */
  issueToken(job: Job = {}, audience?: string): Promise<string> {
    return this.#sign(claimsOf(job, audience, this.#clock()));
  }

  /** A token as a job of another CI service would get it, whose issuer has the same keys here. */
  issueCiToken(service: CiService, audience: string, job: CiJob = {}): Promise<string> {
    return this.#sign(ciClaims(service, { audience, job }, this.#clock()));
  }

  #sign(claims: Claims): Promise<string> {
    return new SignJWT({ ...claims })
      .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid: this.#key.kid })
      .sign(this.#key.privateKey);
  }

  /** The variables of a job with `id-token: write`; each job has its own request token. */
  environment(job: Job, origin: string): Record<string, string> {
    const token = `${randomUUID()}${randomUUID()}`.replaceAll('-', '');
    const path = `/42//idtoken/${randomUUID()}/${randomUUID()}`;
    this.#jobs.set(token, { job, path });
    return {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${origin}${path}?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: token,
    };
  }

  identify({ url }: HttpRequest): Operation {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const audience = searchParams.get('audience');
    return {
      service: 'oidc',
      operation: `oidc:${operationAt(pathname)}`,
      region: undefined,
      parameters: audience === null ? {} : { audience },
    };
  }

  async perform(request: HttpRequest, { operation }: Operation): Promise<HttpAnswer> {
    if (request.method === 'GET') {
      if (operation === 'oidc:token') return this.#answerToken(request);
      if (operation === 'oidc:jwks') return json(200, this.keySet);
      if (operation === 'oidc:configuration') return json(200, CONFIGURATION);
    }
    throw new AwsError({ code: 'NotFound', message: 'Not found', status: 404 });
  }

  async #answerToken({ url, headers }: HttpRequest): Promise<HttpAnswer> {
    const [, token = ''] = /^bearer (.+)$/i.exec(headers.authorization ?? '') ?? [];
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const registered = this.#jobs.get(token);
    if (registered?.path !== pathname) {
      throw new AwsError({ code: 'Unauthorized', message: 'The request token is not valid.', status: 401 });
    }
    const value = await this.issueToken(registered.job, searchParams.get('audience') ?? undefined);
    return json(200, { count: value.length, value });
  }

  refuse(error: AwsError | AuthenticationError): Refused {
    const { code, status } =
      error instanceof AuthenticationError ? { code: error.reason, status: 401 } : error;
    return { code, answer: json(status, { message: error.message }) };
  }

  commonError(kind: CommonError): AwsError {
    return new AwsError({ code: kind, message: kind, status: STATUS[kind] });
  }
}

/** RSA keys take long to make: if LOCAL_AWS_ISSUER_KEY names a PEM file, all issuers of a run share its key. */
function signingKey(): KeyObject {
  const { LOCAL_AWS_ISSUER_KEY: file } = process.env;
  if (file !== undefined) return createPrivateKey(readFileSync(file));
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
}

const CONFIGURATION = {
  issuer: GITHUB_ISSUER,
  jwks_uri: `${GITHUB_ISSUER}/.well-known/jwks`,
  subject_types_supported: ['public', 'pairwise'],
  response_types_supported: ['id_token'],
  id_token_signing_alg_values_supported: ['RS256'],
  scopes_supported: ['openid'],
};

function operationAt(pathname: string): string {
  if (pathname === '/.well-known/jwks') return 'jwks';
  if (pathname === '/.well-known/openid-configuration') return 'configuration';
  return pathname.includes('/idtoken/') ? 'token' : 'unknown';
}

function json(status: number, value: object): HttpAnswer {
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  return { status, headers, body: JSON.stringify(value) };
}
