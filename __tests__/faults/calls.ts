/** The calls of main on the way to its keys, each with a job that makes it. */
import type { SigningKey } from '../support/aws/kms/signing-keys.ts';
import type { LocalAws, PolicyDocument } from '../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, ROLE_ARN, trustGitHub, type ReadyWorld } from '../support/aws/world.ts';

export interface Call {
  /** The local AWS's name of the operation. */
  readonly operation: string;
  /** The promises of faults depend on it. */
  readonly kind: 'oidc' | 'web identity' | 'session' | 'store' | 'github' | 'metadata token' | 'metadata';
  /** The variable that redirects this call. */
  readonly endpoint: string;
  /** The service's name in errors. */
  readonly names: RegExp;
}

export interface FaultyCall extends Call {
  readonly inputs: Readonly<Record<string, string>>;
  readonly env: (world: ReadyWorld) => Readonly<Record<string, string>>;
}

const READER_ARN = `arn:aws:iam::${ACCOUNT}:role/reader`;
const HOST_ARN = `arn:aws:iam::${ACCOUNT}:role/host`;

const one = { keys: '/ci/key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
const two = { ...one, keys: '/ci/key\n/ci/other-key' };
const secret = { ...one, keys: 'secretsmanager:ci/key' };
const secrets = { ...one, keys: 'secretsmanager:ci/key\nsecretsmanager:ci/other-key' };
const kms = { ...one, keys: 'kms:alias/deploy' };
/** main signs with the authority to make the first certificate. */
const certified = { ...one, keys: 'new:ed25519 ca=kms:alias/deploy principals=web' };
const chain = { ...one, 'role-to-assume': `${ROLE_ARN}\n${READER_ARN}` };
const ownAccount = { ...one, 'role-to-assume': '', 'allowed-account-ids': ACCOUNT };
const machine = { ...one, 'role-to-assume': '' };

const job = ({ jobEnvironment }: ReadyWorld): Record<string, string> => jobEnvironment();
const signedIn = ({ aws }: ReadyWorld): Record<string, string> =>
  aws.environment({ credentials: aws.iam.createSession({ roleArn: ROLE_ARN }) });
const onEc2 = ({ aws }: ReadyWorld): Record<string, string> => ({
  ...aws.environment({ metadata: true }),
  RUNNER_ENVIRONMENT: 'self-hosted',
});

const sts = { endpoint: 'AWS_ENDPOINT_URL_STS', names: /\bsts\b/ };
const ssm = { kind: 'store', endpoint: 'AWS_ENDPOINT_URL_SSM', names: /\bssm\b/ } as const;
const secretsManager = {
  kind: 'store',
  endpoint: 'AWS_ENDPOINT_URL_SECRETS_MANAGER',
  names: /secretsmanager/,
} as const;
const keyManagement = { kind: 'store', endpoint: 'AWS_ENDPOINT_URL_KMS', names: /\bkms\b/ } as const;
const metadata = {
  ...({ kind: 'metadata', endpoint: 'AWS_EC2_METADATA_SERVICE_ENDPOINT' } as const),
  ...{ names: /instance metadata/, inputs: machine, env: onEc2 },
};

export const calls: readonly FaultyCall[] = [
  {
    ...{ operation: 'oidc:token', kind: 'oidc', inputs: one, env: job },
    ...{ endpoint: 'ACTIONS_ID_TOKEN_REQUEST_URL', names: /GitHub's token service/ },
  },
  { operation: 'sts:AssumeRoleWithWebIdentity', kind: 'web identity', inputs: one, env: job, ...sts },
  { operation: 'sts:AssumeRole', kind: 'session', inputs: chain, env: job, ...sts },
  { operation: 'sts:GetCallerIdentity', kind: 'session', inputs: ownAccount, env: signedIn, ...sts },
  { operation: 'ssm:GetParameter', inputs: one, env: job, ...ssm },
  { operation: 'ssm:GetParameters', inputs: two, env: job, ...ssm },
  { operation: 'secretsmanager:GetSecretValue', inputs: secret, env: job, ...secretsManager },
  { operation: 'secretsmanager:BatchGetSecretValue', inputs: secrets, env: job, ...secretsManager },
  { operation: 'kms:GetPublicKey', inputs: kms, env: job, ...keyManagement },
  { operation: 'kms:Sign', inputs: certified, env: job, ...keyManagement },
  { ...metadata, operation: 'imds:PUT /latest/api/token', kind: 'metadata token' },
  { ...metadata, operation: 'imds:GET /latest/meta-data/iam/security-credentials/' },
  { ...metadata, operation: 'imds:GET /latest/meta-data/iam/security-credentials/host' },
];

/**
 * Creates the keys, and the roles in addition to `ci`.
 *
 * @param more additional policies of the instance and the reader
 * @returns the key in KMS
 */
export function furnish(
  aws: LocalAws,
  [key, other]: readonly [string, string],
  more: readonly PolicyDocument[] = [],
): SigningKey {
  const read = [
    allow(['ssm:GetParameter', 'ssm:GetParameters'], `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/*`),
    allow('secretsmanager:GetSecretValue', `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:ci/*`),
    allow('secretsmanager:BatchGetSecretValue', '*'),
    allow(['kms:GetPublicKey', 'kms:Sign'], `arn:aws:kms:${REGION}:${ACCOUNT}:key/*`),
  ];
  const trusts = (
    Principal: Record<string, string | string[]>,
  ): Parameters<typeof aws.iam.createRole>[0]['trustPolicy'] => ({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }],
  });
  aws.iam.createRole({
    arn: READER_ARN,
    trustPolicy: trusts({ AWS: [ROLE_ARN, HOST_ARN] }),
    policies: [...read, ...more],
  });
  aws.iam.createRole({
    arn: HOST_ARN,
    trustPolicy: trusts({ Service: 'ec2.amazonaws.com' }),
    policies: [...read, ...more],
  });
  aws.iam.createRole({
    ...{ arn: ROLE_ARN, trustPolicy: trustGitHub() },
    policies: [...read, allow('sts:AssumeRole', READER_ARN)],
  });
  const place = { account: ACCOUNT, region: REGION };
  renewInstance(aws);
  const arn = aws.signingKeys.create({ ...place, alias: 'alias/deploy' });
  for (const [name, value] of [
    ['ci/key', key],
    ['ci/other-key', other],
  ] as const) {
    aws.parameters.put({ ...place, name: `/${name}`, value });
    aws.secrets.put({ ...place, name, value });
  }
  return aws.signingKeys.get(arn);
}

/** Valid credentials of the instance. */
export function renewInstance(aws: LocalAws): void {
  aws.metadata.set({ account: ACCOUNT, region: REGION, roleArn: HOST_ARN });
}

/** Expired credentials of the instance. */
export function expireInstance(aws: LocalAws): void {
  aws.metadata.set({ account: ACCOUNT, region: REGION, roleArn: HOST_ARN, roleSeconds: -60 });
}
