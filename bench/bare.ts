/** The minimal program that gets the same parameter: three requests with the SDK. It loads nothing into an agent. */
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';

const { env } = process;
const setting = (name: string): string => env[name] ?? '';
const region = setting('INPUT_AWS-REGION');
const answer = await fetch(`${setting('ACTIONS_ID_TOKEN_REQUEST_URL')}&audience=sts.amazonaws.com`, {
  headers: { authorization: `bearer ${setting('ACTIONS_ID_TOKEN_REQUEST_TOKEN')}` },
});
const { value } = (await answer.json()) as { value: string };
const { Credentials: given } = await new STSClient({ region }).send(
  new AssumeRoleWithWebIdentityCommand({
    RoleArn: setting('INPUT_ROLE-TO-ASSUME'),
    RoleSessionName: 'bare',
    WebIdentityToken: value,
  }),
);
const credentials = {
  accessKeyId: given?.AccessKeyId ?? '',
  secretAccessKey: given?.SecretAccessKey ?? '',
  sessionToken: given?.SessionToken ?? '',
};
const { Parameter } = await new SSMClient({ region, credentials }).send(
  new GetParameterCommand({ Name: setting('INPUT_KEYS'), WithDecryption: true }),
);
process.exit(Parameter?.Value ? 0 : 1);
