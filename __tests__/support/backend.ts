/** The AWS that end-to-end scenarios run against: our local one, or moto where MOTO_ENDPOINT names a server. */
import { allow, startReadyWorld, ACCOUNT, REGION, ROLE_ARN } from './aws/world.ts';

export interface StoredSecretVersion {
  readonly arn: string;
  readonly versionId: string;
}

export interface LaunchInput {
  readonly tags: Readonly<Record<string, string>>;
  readonly state: 'running' | 'stopped';
}

export interface StoredParameter {
  readonly type?: 'String' | 'SecureString';
  readonly labels?: readonly string[];
}

/** What both can serve. */
export interface Backend {
  readonly account: string;
  readonly region: string;
  /** Trusts the job of `jobEnvironment`, and may read parameters under /ci/ and secrets under ci/. */
  readonly roleArn: string;
  /** A new version of the parameter; answers its ARN. */
  put(name: string, value: string, more?: StoredParameter): Promise<string>;
  /** A new version of the secret: the current one, or that of these stages. Bytes become SecretBinary. */
  putSecret(
    name: string,
    value: string | Uint8Array,
    stages?: readonly string[],
  ): Promise<StoredSecretVersion>;
  /** A new instance; answers its id. */
  launch(instance: LaunchInput): Promise<string>;
  /** Of a step whose job may ask for an OIDC token. */
  jobEnvironment(): Record<string, string>;
  /** Of a step that has keys of its own in the environment instead, which may also write below /git-credentials, and look for instances and push them keys. */
  credentialEnvironment(): Record<string, string>;
  stop(): Promise<void>;
}

export async function startBackend(): Promise<Backend> {
  const { MOTO_ENDPOINT } = process.env;
  return MOTO_ENDPOINT
    ? await (await import('./moto/backend.ts')).startMotoBackend(MOTO_ENDPOINT)
    : await startLocalBackend();
}

async function startLocalBackend(): Promise<Backend> {
  const { aws, put, putSecret, jobEnvironment, stop } = await startReadyWorld();
  const resource = `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/*`;
  const credentials = aws.iam.createAccessKey({
    userArn: `arn:aws:iam::${ACCOUNT}:user/ci`,
    policies: [
      allow('ssm:GetParameter*', resource),
      allow(['ssm:PutParameter', 'ssm:DeleteParameter'], `${resource.slice(0, -1)}git-credentials/*`),
      allow(['secretsmanager:GetSecretValue', 'secretsmanager:BatchGetSecretValue'], '*'),
      allow(['ec2:DescribeInstances', 'ec2-instance-connect:SendSSHPublicKey'], '*'),
    ],
  });
  return {
    account: ACCOUNT,
    region: REGION,
    roleArn: ROLE_ARN,
    put: (name, value, more) => Promise.resolve(put(name, value, more)),
    putSecret: (name, value, stages) => Promise.resolve(putSecret(name, value, stages && { stages })),
    launch: (instance) => Promise.resolve(aws.ec2.launch(instance).instanceId),
    jobEnvironment,
    credentialEnvironment: () => aws.environment({ credentials }),
    stop,
  };
}
