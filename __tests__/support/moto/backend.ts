/**
 * moto's STS, Parameter Store, Secrets Manager, KMS and EC2. The OIDC token is from our local issuer, because moto has
 * none.
 */
import { EC2Client, RunInstancesCommand, StopInstancesCommand } from '@aws-sdk/client-ec2';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { LabelParameterVersionCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Backend } from '../backend.ts';
import { startLocalAws } from '../aws/local-aws.ts';

/** moto's default account. It knows other accounts only by the credentials that it issued. */
const account = '123456789012';
const region = 'eu-west-1';
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'moto does not check it' };

export async function startMotoBackend(endpoint: string): Promise<Backend> {
  await fetch(`${endpoint}/moto-api/reset`, { method: 'POST' });
  const issuer = await startLocalAws();
  const client = new SSMClient({ endpoint, region, credentials });
  const secrets = new SecretsManagerClient({ endpoint, region, credentials });
  const ec2 = new EC2Client({ endpoint, region, credentials });
  const environment = { ...issuer.environment(), AWS_ENDPOINT_URL: endpoint };
  return {
    account,
    region,
    roleArn: `arn:aws:iam::${account}:role/ci`,
    async put(name, value, { type = 'SecureString', labels = [] } = {}) {
      const { Version } = await client.send(
        new PutParameterCommand({
          Name: name,
          Value: value,
          Type: type,
          Overwrite: true,
          Tier: 'Intelligent-Tiering',
        }),
      );
      if (labels.length > 0) {
        await client.send(
          new LabelParameterVersionCommand({ Name: name, ParameterVersion: Version, Labels: [...labels] }),
        );
      }
      return `arn:aws:ssm:${region}:${account}:parameter/${name.replace(/^\//, '')}`;
    },
    async putSecret(name, value, stages) {
      const content = typeof value === 'string' ? { SecretString: value } : { SecretBinary: value };
      await secrets.send(new CreateSecretCommand({ Name: name })).catch((error: unknown) => {
        if (!(error instanceof Error) || error.name !== 'ResourceExistsException') throw error;
      });
      const { ARN: arn = '', VersionId: versionId = '' } = await secrets.send(
        new PutSecretValueCommand({
          SecretId: name,
          ...content,
          ...(stages && { VersionStages: [...stages] }),
        }),
      );
      return { arn, versionId };
    },
    async launch({ tags, state }) {
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      const { Instances } = await ec2.send(
        new RunInstancesCommand({
          ...{ ImageId: 'ami-12c6146b', MinCount: 1, MaxCount: 1 },
          TagSpecifications: [{ ResourceType: 'instance', Tags }],
        }),
      );
      const id = Instances?.[0]?.InstanceId ?? '';
      if (state === 'stopped') await ec2.send(new StopInstancesCommand({ InstanceIds: [id] }));
      return id;
    },
    jobEnvironment: () => ({ ...environment, ...issuer.actionsEnvironment() }),
    credentialEnvironment: () => ({
      ...environment,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    }),
    stop: async () => {
      client.destroy();
      secrets.destroy();
      ec2.destroy();
      await issuer.stop();
    },
  };
}
