/** The minimal program that reads a parameter with the instance's role: no SDK, four requests, one of them signed. */
import { createHash, createHmac } from 'node:crypto';
import { request as overHttp, type RequestOptions } from 'node:http';
import { request as overHttps } from 'node:https';
import { text } from 'node:stream/consumers';

const setting = (name: string): string => process.env[name] ?? '';

function ask(url: string, options: RequestOptions, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https:') ? overHttps : overHttp;
    request(url, options, (response) => {
      resolve(text(response));
    })
      .on('error', reject)
      .end(body);
  });
}

const metadata = setting('AWS_EC2_METADATA_SERVICE_ENDPOINT').replace(/\/$/, '');
const folder = '/latest/meta-data/iam/security-credentials/';
const token = await ask(`${metadata}/latest/api/token`, {
  method: 'PUT',
  headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
});
const headers = { 'x-aws-ec2-metadata-token': token };
const role = await ask(metadata + folder, { headers });
const credentials = JSON.parse(await ask(metadata + folder + role.trim(), { headers })) as Record<
  'AccessKeyId' | 'SecretAccessKey' | 'Token',
  string
>;

const endpoint = new URL(setting('AWS_ENDPOINT_URL'));
const region = setting('AWS_REGION');
const body = JSON.stringify({ Name: setting('SSM_SSH_KEY'), WithDecryption: true });
const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
const signed: Record<string, string> = {
  'content-type': 'application/x-amz-json-1.1',
  host: endpoint.host,
  'x-amz-date': time,
  'x-amz-security-token': credentials.Token,
  'x-amz-target': 'AmazonSSM.GetParameter',
};
const names = Object.keys(signed).join(';');
const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
const canonical = [
  ...['POST', '/', ''],
  ...Object.entries(signed).map(([name, value]) => `${name}:${value}`),
  ...['', names, sha256(body)],
].join('\n');
const scope = `${time.slice(0, 8)}/${region}/ssm/aws4_request`;
const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${credentials.SecretAccessKey}`);
const signature = hmac(key, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`).toString('hex');
const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.AccessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;

const answer = await ask(endpoint.href, { method: 'POST', headers: { ...signed, authorization } }, body);
if (!answer.includes('PRIVATE KEY')) throw new Error(answer);
