/** Somebody who may store keys below /ci/ and ci/, at an EC2 host of `openEc2Host`. */
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import type { Ec2Host } from './ec2-host.ts';

const place = { account: ACCOUNT, region: REGION };
export const parameterArn = `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/*`;
const secretArn = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:ci/*`;

/** The permissions that docs/make-and-store-keys.md names. */
export const writing = [
  allow(['ssm:PutParameter', 'ssm:AddTagsToResource', 'ssm:GetParameter'], parameterArn),
  allow('ssm:DescribeParameters', '*'),
  allow(
    ['CreateSecret', 'PutSecretValue', 'UpdateSecret', 'TagResource', 'GetSecretValue'].map(
      (action) => `secretsmanager:${action}`,
    ),
    secretArn,
  ),
];

/** The environment of a person with access keys. */
export function writer(
  { world }: Ec2Host,
  policies: readonly PolicyDocument[] = writing,
): Record<string, string> {
  const userArn = `arn:aws:iam::${ACCOUNT}:user/admin`;
  const credentials = world.aws.iam.createAccessKey({ userArn, policies: [...policies] });
  return { ...world.aws.environment({ credentials }), AWS_REGION: REGION };
}

/** The value of the latest version. */
export function storedParameter({ world }: Ec2Host, name: string): string | undefined {
  const found = world.aws.parameters.find(place, name);
  const latest = found?.versions.at(-1);
  return found && latest && world.aws.parameters.reveal(latest, found.arn);
}

export function storedSecret({ world }: Ec2Host, name: string): string | undefined {
  const found = world.aws.secrets.find(place, name);
  const current = found?.versions.find(({ stages }) => stages.has('AWSCURRENT'));
  return found && current && String(world.aws.secrets.reveal(current, found.arn));
}
