/** The AWS for end-to-end scenarios: the local one, or moto if MOTO_ENDPOINT is set. */
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

/** What both support. */
export interface Backend {
  readonly account: string;
  readonly region: string;
  /** Trusts the job of `jobEnvironment`, and may read parameters under /ci/ and secrets under ci/. */
  readonly roleArn: string;
  /** Stores a new version of the parameter and returns its ARN. */
  put(name: string, value: string, more?: StoredParameter): Promise<string>;
  /** Stores a new version of the secret: the current one, or one with these stages. Bytes become SecretBinary. */
  putSecret(
    name: string,
    value: string | Uint8Array,
    stages?: readonly string[],
  ): Promise<StoredSecretVersion>;
  /** Launches an instance and returns its id. */
  launch(instance: LaunchInput): Promise<string>;
  /** For a step whose job may request an OIDC token. */
  jobEnvironment(): Record<string, string>;
  /**
   * For a step with access keys in the environment. They may also write below /git-credentials, /made and made/, rotate
   * /ci/rotated and secrets, make keys in KMS and sign with them, find instances and push keys to them.
   */
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
      allow(
        ['PutParameter', 'DeleteParameter', 'LabelParameterVersion', 'UnlabelParameterVersion'].map(
          (action) => `ssm:${action}`,
        ),
        `${resource.slice(0, -1)}ci/rotated*`,
      ),
      allow(['secretsmanager:GetSecretValue', 'secretsmanager:BatchGetSecretValue'], '*'),
      allow(['ssm:PutParameter', 'ssm:AddTagsToResource'], `${resource.slice(0, -1)}made/*`),
      allow('ssm:DescribeParameters', '*'),
      allow('secretsmanager:*', `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:made/*`),
      allow(['secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'], '*'),
      allow('kms:*', '*'),
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
