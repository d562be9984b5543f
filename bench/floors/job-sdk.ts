/** The minimal program that makes main's three requests with the AWS SDK, one after the other. */
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { ask, setting } from './signed-request.ts';

const region = setting('AWS_REGION');
const headers = { authorization: `bearer ${setting('ACTIONS_ID_TOKEN_REQUEST_TOKEN')}` };
const tokenUrl = new URL(`${setting('ACTIONS_ID_TOKEN_REQUEST_URL')}&audience=sts.amazonaws.com`);
const { value } = JSON.parse(await ask(tokenUrl, { headers })) as { value: string };
const { Credentials: given } = await new STSClient({ region }).send(
  new AssumeRoleWithWebIdentityCommand({
    RoleArn: setting('ROLE'),
    RoleSessionName: 'floor',
    DurationSeconds: 900,
    WebIdentityToken: value,
  }),
);
const credentials = {
  accessKeyId: given?.AccessKeyId ?? '',
  secretAccessKey: given?.SecretAccessKey ?? '',
  sessionToken: given?.SessionToken ?? '',
};
const { Parameter } = await new SSMClient({ region, credentials }).send(
  new GetParameterCommand({ Name: setting('KEY'), WithDecryption: true }),
);
process.exit(Parameter?.Value?.includes('PRIVATE KEY') ? 0 : 1);
