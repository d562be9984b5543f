/** DescribeSecret: the metadata of a secret, without values. */
import { AwsError } from '../errors.ts';
import { refusalOf } from '../iam/caller.ts';
import { text } from '../ssm/input.ts';
import { locate, type SecretsOperation } from './read.ts';
import { secretArn } from './secrets.ts';

/** `KmsKeyId` is absent for the AWS-managed key. */
export const describeSecret: SecretsOperation = ({ kms, secrets }, caller, input) => {
  const id = text(input, 'SecretId');
  const secret = locate({ secrets }, caller, id);
  const { account } = caller.principal;
  const asked = id.startsWith('arn:') ? id : secretArn({ account, region: caller.region }, id);
  const refusal = refusalOf(caller, {
    action: 'secretsmanager:DescribeSecret',
    resource: secret?.arn ?? asked,
  });
  if (refusal !== undefined) {
    throw new AwsError({ code: 'AccessDeniedException', message: `${refusal.message} ${refusal.reason}` });
  }
  if (secret === undefined) {
    const message = "Secrets Manager can't find the specified secret.";
    throw new AwsError({ code: 'ResourceNotFoundException', message });
  }
  const { keyArn = '' } = secret.versions.at(-1) ?? {};
  const isManaged = kms.aliasOf(keyArn)?.startsWith('alias/aws/') ?? false;
  return { ARN: secret.arn, Name: secret.name, ...(!isManaged && { KmsKeyId: keyArn }) };
};
