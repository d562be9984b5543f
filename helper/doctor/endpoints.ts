/** The address of each service, as the AWS SDK chooses it. Importing this file loads the AWS SDK. */
import type { HttpRequest } from '@smithy/core/protocols';
import { isOfAws, originOf, type Target } from '../../src/aws/endpoint.ts';
import { variableOf } from '../../src/aws/failures.ts';
import { Failure } from '../../src/errors.ts';
import { dnsSuffix } from '../../src/keys/partition.ts';

export type Service =
  'sts' | 'ssm' | 'secretsmanager' | 'kms' | 'ssmmessages' | 'ec2' | 'ec2-instance-connect';

export interface Endpoint {
  readonly service: Service;
  readonly url: URL;
  /** What names the endpoint, if it is not AWS's own. */
  readonly namedBy: string | undefined;
}

/** A request that is kept instead of being sent. */
class Kept extends Error {
  override name = 'Kept';
  readonly request: HttpRequest;

  constructor(request: HttpRequest) {
    super('the request is not sent');
    this.request = request;
  }
}

/**
 * @returns undefined for ssmmessages behind a configured endpoint: Session Manager names its address
 * @throws INPUT_INVALID
 */
export async function endpointOf(
  service: Service,
  region: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Endpoint | undefined> {
  if (service === 'ssmmessages') {
    const ssm = await endpointOf('ssm', region, env);
    const url = new URL(`https://ssmmessages.${region}.${dnsSuffix(region)}/`);
    return ssm?.namedBy === undefined ? { service, url, namedBy: undefined } : undefined;
  }
  const target = await targetOf(service, region);
  const namedBy = isOfAws(target) ? undefined : settingThatNames(service, env);
  return { service, url: new URL(`${originOf(target)}/`), namedBy };
}

function settingThatNames(service: Service, env: Readonly<Record<string, string | undefined>>): string {
  const names = [variableOf(service), 'AWS_ENDPOINT_URL'];
  return names.find((name) => env[name]) ?? 'endpoint_url in the AWS configuration';
}

async function targetOf(service: Exclude<Service, 'ssmmessages'>, region: string): Promise<Target> {
  const requestHandler = {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: (request: HttpRequest) => Promise.reject(new Kept(request)),
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  };
  // Nothing is sent, so any credentials will do.
  const credentials = { accessKeyId: 'none', secretAccessKey: 'none' };
  try {
    await senders[service]({ region, requestHandler, credentials, maxAttempts: 1 });
  } catch (error) {
    if (error instanceof Kept) return error.request;
    const { message } = error as Error;
    throw new Failure('INPUT_INVALID', `there is no endpoint for ${service} in ${region}: ${message}`, {
      hint: 'check the Region, AWS_ENDPOINT_URL, AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT',
      cause: error,
    });
  }
  throw new TypeError('a kept request was answered');
}

interface ClientOptions {
  readonly region: string;
  readonly requestHandler: object;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly maxAttempts: number;
}

/** Each sends one request, which the handler keeps. */
const senders: Readonly<
  Record<Exclude<Service, 'ssmmessages'>, (options: ClientOptions) => Promise<unknown>>
> = {
  sts: async (options) => {
    const { STSClient, GetCallerIdentityCommand } = await import('@aws-sdk/client-sts');
    return await new STSClient(options as never).send(new GetCallerIdentityCommand({}));
  },
  ssm: async (options) => {
    const { SSMClient, GetParameterCommand } = await import('@aws-sdk/client-ssm');
    return await new SSMClient(options as never).send(new GetParameterCommand({ Name: 'none' }));
  },
  secretsmanager: async (options) => {
    const { SecretsManagerClient, GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
    return await new SecretsManagerClient(options as never).send(
      new GetSecretValueCommand({ SecretId: 'none' }),
    );
  },
  kms: async (options) => {
    const { KMSClient, GetPublicKeyCommand } = await import('@aws-sdk/client-kms');
    return await new KMSClient(options as never).send(new GetPublicKeyCommand({ KeyId: 'none' }));
  },
  // The bundle has the SDK's client for EC2 only as this file uses it.
  ec2: async (options) => {
    const { describeInstances, openEc2 } = await import('../../src/ec2/ec2-client.ts');
    const { region, ...connection } = options;
    const caller = { region, signal: new AbortController().signal, connection: connection as never };
    return await describeInstances({}, { client: openEc2(caller), caller });
  },
  'ec2-instance-connect': async (options) => {
    const { EC2InstanceConnectClient, SendSSHPublicKeyCommand } =
      await import('@aws-sdk/client-ec2-instance-connect');
    return await new EC2InstanceConnectClient(options as never).send(
      new SendSSHPublicKeyCommand({ InstanceId: 'none', InstanceOSUser: 'none', SSHPublicKey: 'none' }),
    );
  },
};
