/** The minimal program that reads a parameter with the instance's role: no SDK, four requests, one of them signed. */
import { ask, callJson, setting } from './signed-request.ts';

const metadata = setting('AWS_EC2_METADATA_SERVICE_ENDPOINT').replace(/\/$/, '');
const folder = '/latest/meta-data/iam/security-credentials/';
const token = await ask(new URL(`${metadata}/latest/api/token`), {
  method: 'PUT',
  headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
});
const headers = { 'x-aws-ec2-metadata-token': token };
const role = await ask(new URL(metadata + folder), { headers });
const given = JSON.parse(await ask(new URL(metadata + folder + role.trim()), { headers })) as Record<
  'AccessKeyId' | 'SecretAccessKey' | 'Token',
  string
>;
const credentials = {
  accessKeyId: given.AccessKeyId,
  secretAccessKey: given.SecretAccessKey,
  sessionToken: given.Token,
};
const { Parameter } = await callJson<{ Parameter?: { Value: string } }>({
  ...{ service: 'ssm', target: 'AmazonSSM.GetParameter', endpoint: setting('AWS_ENDPOINT_URL') },
  ...{ region: setting('AWS_REGION'), credentials },
  input: { Name: setting('SSM_SSH_KEY'), WithDecryption: true },
});
if (!Parameter?.Value.includes('PRIVATE KEY')) throw new Error('not the key');
