/**
 * A cache on this machine in front of the local AWS: the Secrets Manager Agent, or the Parameters and Secrets Lambda
 * Extension. It asks AWS with a role's credentials, keeps what it gets, and repeats AWS's errors.
 *
 * @source AWS Secrets Manager User Guide, "Using the AWS Secrets Manager Agent"; AWS Systems Manager User Guide, "Using
 *   Parameter Store parameters in AWS Lambda functions"; github.com/aws/aws-secretsmanager-agent (statuses and texts)
 */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { LocalAws } from './local-aws.ts';
import { serve, type HttpAnswer, type HttpRequest } from './wire/http-server.ts';

export interface LocalCacheOptions {
  /** The agent has secrets only; the extension both stores, but no `refreshNow`. */
  readonly kind: 'agent' | 'extension';
  readonly region: string;
  readonly roleArn: string;
  readonly token: string;
}

export interface LocalCache {
  readonly origin: string;
  /** The paths and queries of all requests with the right token. */
  readonly asked: readonly string[];
  /** Number of requests that are answered with `not ready`, as during the start. */
  notReady: number;
  readonly close: () => Promise<void>;
}

type Query = Readonly<Record<string, string>>;

export async function startLocalCache(aws: LocalAws, options: LocalCacheOptions): Promise<LocalCache> {
  const { kind, region, roleArn, token } = options;
  const client = {
    ...{ region, endpoint: aws.endpoint, maxAttempts: 1 },
    credentials: aws.iam.createSession({ roleArn, sessionName: 'cache' }),
  };
  const stores = {
    '/secretsmanager/get': secretReader(new SecretsManagerClient(client)),
    ...(kind === 'extension' && { '/systemsmanager/parameters/get': parameterReader(new SSMClient(client)) }),
  };
  const kept = new Map<string, string>();
  const cache = { asked: [] as string[], notReady: 0 };
  const handle = async ({ method, url, headers }: HttpRequest): Promise<HttpAnswer> => {
    if (cache.notReady > 0) {
      cache.notReady--;
      return plain(400, 'not ready to serve traffic, please wait');
    }
    if ('x-forwarded-for' in headers) return plain(400, 'Forwarded');
    if (headers['x-aws-parameters-secrets-token'] !== token) return plain(403, 'Bad Token');
    if (method !== 'GET') return plain(405, 'Not allowed');
    cache.asked.push(url);
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const read = Object.entries(stores).find(([path]) => path === pathname)?.[1];
    if (!read) return plain(404, 'Not found');
    const { refreshNow, ...query }: Query = Object.fromEntries(searchParams);
    const name = `${pathname} ${JSON.stringify(query)}`;
    try {
      const isRefreshed = kind === 'agent' && refreshNow === 'true';
      const body = (isRefreshed ? undefined : kept.get(name)) ?? JSON.stringify(await read(query));
      kept.set(name, body);
      return { status: 200, headers: {}, body };
    } catch (error) {
      const { name: type, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
      return plain($metadata?.httpStatusCode ?? 502, JSON.stringify({ __type: type, message }));
    }
  };
  const { origin, close } = await serve({ handle });
  return Object.assign(cache, { origin, close });
}

function plain(status: number, body: string): HttpAnswer {
  return { status, headers: {}, body };
}

function secretReader(client: SecretsManagerClient): (query: Query) => Promise<unknown> {
  return async ({ secretId, versionId, versionStage }) => {
    const command = new GetSecretValueCommand({
      ...{ SecretId: secretId, VersionId: versionId, VersionStage: versionStage },
    });
    const { SecretBinary, ...value } = await client.send(command);
    const binary = SecretBinary && Buffer.from(SecretBinary).toString('base64');
    // JSON leaves out what is undefined.
    return { ...value, $metadata: undefined, SecretBinary: binary };
  };
}

function parameterReader(client: SSMClient): (query: Query) => Promise<unknown> {
  return async ({ name = '', version, label, withDecryption }) => {
    const Name = [name, version ?? label ?? []].flat().join(':');
    const command = new GetParameterCommand({ Name, WithDecryption: withDecryption === 'true' });
    const { Parameter } = await client.send(command);
    return { Parameter, ResultMetadata: {} };
  };
}
