/** The instance metadata service, version 2 only ("Use IMDS" in the EC2 User Guide). */
import { randomBytes } from 'node:crypto';

import { requireArn } from './arn.ts';
import type { OpenCall } from './wire/calls.ts';
import { AuthenticationError, AwsError } from './errors.ts';
import type { HttpAnswer, HttpRequest } from './wire/http-server.ts';
import type { Credentials, Iam } from './iam/iam.ts';
import type { Service } from './wire/service.ts';
import { evaluateTrust } from './iam/trust.ts';

export interface Instance {
  readonly region: string;
  readonly account: string;
  /** Default: `i-0123456789abcdef0`. */
  readonly instanceId?: string;
  /** The role of the instance profile; absent: none. */
  readonly roleArn?: string;
  /**
   * `hop-limit`: a container asks while the hop limit is 1, so the token's answer never arrives. `disabled`:
   * HttpEndpoint is disabled, every answer is 403. Default: `enabled`.
   */
  readonly access?: 'enabled' | 'hop-limit' | 'disabled';
  /** Lifetime of the role's credentials; expired if it is negative. Default: 21,600, as on EC2. */
  readonly roleSeconds?: number;
}

const TOKEN_PATH = '/latest/api/token';
const CREDENTIALS_PATH = '/latest/meta-data/iam/security-credentials/';
const TTL_HEADER = 'x-aws-ec2-metadata-token-ttl-seconds';
const INSTANCE_ID = 'i-0123456789abcdef0';
const ROLE_DURATION_SECONDS = 21_600;

export class InstanceMetadata implements Service {
  readonly #iam: Iam;
  readonly #clock: () => Date;
  /** Session token → its expiry in milliseconds. */
  readonly #tokens = new Map<string, number>();
  #instance: Instance | undefined;
  #issued: { roleArn: string; credentials: Required<Credentials> } | undefined;

  constructor(iam: Iam, clock: () => Date) {
    this.#iam = iam;
    this.#clock = clock;
  }

  /** Undefined: no instance, and every request is 404. */
  set(instance: Instance | undefined): void {
    this.#instance = instance;
    this.#issued = undefined;
  }

  identify({ method, url }: HttpRequest): ReturnType<Service['identify']> {
    const operation = `imds:${method} ${url.split('?', 1)[0] ?? ''}`;
    return { service: 'imds', operation, region: undefined, parameters: {} };
  }

  perform(request: HttpRequest, _operation: unknown, call: OpenCall): Promise<HttpAnswer> {
    const instance = this.#instance;
    if (instance === undefined) throw notFound();
    if (instance.access === 'disabled') throw new AwsError({ code: 'Forbidden', message: '', status: 403 });
    if (request.method === 'PUT') return Promise.resolve(this.#issueToken(request, instance));
    this.#checkToken(request);
    call.account = instance.account;
    const body = this.#read(request.url, instance);
    if (body === undefined) throw notFound();
    return Promise.resolve({ status: 200, headers: { 'content-type': 'text/plain' }, body });
  }

  refuse(error: AwsError | AuthenticationError): ReturnType<Service['refuse']> {
    const failure = error instanceof AuthenticationError ? { code: 'Unauthorized', status: 401 } : error;
    const body = `<html><body><h1>${String(failure.status)} - ${failure.code}</h1></body></html>`;
    const headers = { 'content-type': 'text/html' };
    return { code: failure.code, answer: { status: failure.status, headers, body } };
  }

  commonError(kind: Parameters<Service['commonError']>[0]): AwsError {
    const status = { 'internal-error': 500, unavailable: 503, throttling: 429 }[kind];
    return new AwsError({ code: kind, message: '', status });
  }

  #issueToken({ url, headers }: HttpRequest, { access }: Instance): HttpAnswer {
    if (url !== TOKEN_PATH) throw notFound();
    if (access === 'hop-limit') return { status: 0, headers: {}, body: '', delivery: 'never' };
    // A proxy would let others than the instance use it.
    if (headers['x-forwarded-for'] !== undefined) {
      throw new AwsError({ code: 'Forbidden', message: '', status: 403 });
    }
    const ttl = Number(headers[TTL_HEADER]);
    if (!Number.isInteger(ttl) || ttl < 1 || ttl > 21_600) {
      throw new AwsError({ code: 'Bad Request', message: '', status: 400 });
    }
    const token = `AQAEA${randomBytes(38).toString('base64url')}==`;
    this.#tokens.set(token, this.#clock().getTime() + ttl * 1000);
    return { status: 200, headers: { 'content-type': 'text/plain', [TTL_HEADER]: String(ttl) }, body: token };
  }

  #checkToken({ headers }: HttpRequest): void {
    const token = headers['x-aws-ec2-metadata-token'];
    const until = typeof token === 'string' ? this.#tokens.get(token) : undefined;
    if (until === undefined || until <= this.#clock().getTime()) {
      throw new AuthenticationError('missing-token', '');
    }
  }

  #read(url: string, instance: Instance): string | undefined {
    const { region, account, instanceId = INSTANCE_ID, roleArn } = instance;
    const role = roleArn === undefined ? undefined : this.#iam.findRole(roleArn);
    switch (url) {
      case '/latest/meta-data/placement/region':
        return region;
      case '/latest/meta-data/placement/availability-zone':
        return `${region}a`;
      case '/latest/meta-data/instance-id':
        return instanceId;
      case '/latest/dynamic/instance-identity/document':
        return identityDocument({ region, account, instanceId });
      case CREDENTIALS_PATH:
      case CREDENTIALS_PATH.slice(0, -1):
        return role?.name;
      default:
        return role !== undefined && url === `${CREDENTIALS_PATH}${role.name}`
          ? JSON.stringify(this.#credentials(role.arn, instance), null, 2)
          : undefined;
    }
  }

  /** Returns the same credentials until less than half of their lifetime is left, as on EC2. */
  #credentials(roleArn: string, instance: Instance): object {
    const { instanceId = INSTANCE_ID, roleSeconds = ROLE_DURATION_SECONDS } = instance;
    const now = this.#clock();
    const role = this.#iam.findRole(roleArn);
    const caller = { type: 'Service', service: 'ec2.amazonaws.com' } as const;
    const request = { caller, action: 'sts:AssumeRole', context: {} };
    if (role === undefined || evaluateTrust(role.trustPolicy, request).effect !== 'Allow') {
      const name = requireArn(roleArn).resource.replace('role/', '');
      return {
        Code: 'AssumeRoleUnauthorizedAccess',
        Message: `EC2 cannot assume the role ${name}. Please see documentation at https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html.`,
        LastUpdated: isoSeconds(now),
      };
    }
    const half = (roleSeconds * 1000) / 2;
    if (!this.#issued || this.#issued.credentials.expiration.getTime() - now.getTime() < half) {
      const session = { roleArn, sessionName: instanceId, durationSeconds: roleSeconds };
      this.#issued = { roleArn, credentials: this.#iam.createSession(session) };
    }
    const { credentials } = this.#issued;
    return {
      Code: 'Success',
      LastUpdated: isoSeconds(now),
      Type: 'AWS-HMAC',
      AccessKeyId: credentials.accessKeyId,
      SecretAccessKey: credentials.secretAccessKey,
      Token: credentials.sessionToken,
      Expiration: isoSeconds(credentials.expiration),
    };
  }
}

function identityDocument({
  region,
  account,
  instanceId,
}: Required<Pick<Instance, 'region' | 'account' | 'instanceId'>>): string {
  const document = {
    accountId: account,
    architecture: 'x86_64',
    availabilityZone: `${region}a`,
    imageId: 'ami-0123456789abcdef0',
    instanceId,
    instanceType: 't3.micro',
    pendingTime: '2026-01-02T03:04:05Z',
    privateIp: '10.0.0.10',
    region,
    version: '2017-09-30',
  };
  return JSON.stringify(document, null, 2);
}

function isoSeconds(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

function notFound(): AwsError {
  return new AwsError({ code: 'Not Found', message: '', status: 404 });
}
