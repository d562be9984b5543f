/**
 * The usual set-up in one call: an account with a role `ci` that trusts acme/app's main branch and reads /ci/
 * parameters and ci/ secrets.
 */
import {
  startLocalAws,
  type LocalAws,
  type LocalAwsOptions,
  type ParameterInput,
  type SecretInput,
} from './local-aws.ts';
import type { PolicyDocument } from './iam/policy-document.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-west-1';
export const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/ci`;
export const PROVIDER_ARN = `arn:aws:iam::${ACCOUNT}:oidc-provider/token.actions.githubusercontent.com`;

export interface ReadyWorld {
  readonly aws: LocalAws;
  /** Stores a SecureString in the account and Region, and returns its ARN. */
  readonly put: (name: string, value: string, more?: Partial<ParameterInput>) => string;
  /** Stores a secret in the account and Region. */
  readonly putSecret: (
    name: string,
    value: string | Uint8Array,
    more?: Partial<SecretInput>,
  ) => { readonly arn: string; readonly versionId: string };
  /** The environment of a step in acme/app's workflow on main: the local AWS, and the job's OIDC variables. */
  readonly jobEnvironment: () => Record<string, string>;
  readonly stop: () => Promise<void>;
}

/** Trust in one subject of GitHub, as in GitHub's documentation. */
export function trustGitHub(
  sub = 'repo:acme/app:ref:refs/heads/main',
  providerArn = PROVIDER_ARN,
): PolicyDocument {
  const issuer = providerArn.slice(providerArn.indexOf('/') + 1);
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: providerArn },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          StringEquals: { [`${issuer}:aud`]: 'sts.amazonaws.com' },
          StringLike: { [`${issuer}:sub`]: sub },
        },
      },
    ],
  };
}

export function allow(
  actions: string | readonly string[],
  resources: string | readonly string[],
): PolicyDocument {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: actions, Resource: resources }] };
}

export async function startReadyWorld(options: LocalAwsOptions = {}): Promise<ReadyWorld> {
  const aws = await startLocalAws(options);
  aws.iam.createOidcProvider({ account: ACCOUNT });
  aws.iam.createRole({
    arn: ROLE_ARN,
    trustPolicy: trustGitHub(),
    policies: [
      allow(['ssm:GetParameter', 'ssm:GetParameters'], `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/*`),
      allow('secretsmanager:GetSecretValue', `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:ci/*`),
      allow('secretsmanager:BatchGetSecretValue', '*'),
    ],
  });
  return {
    aws,
    put: (name, value, more = {}) =>
      aws.parameters.put({ account: ACCOUNT, region: REGION, name, value, ...more }).arn,
    putSecret: (name, value, more = {}) =>
      aws.secrets.put({ account: ACCOUNT, region: REGION, name, value, ...more }),
    jobEnvironment: () => ({ ...aws.environment(), ...aws.actionsEnvironment() }),
    stop: aws.stop,
  };
}
