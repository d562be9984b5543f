/**
 * The minimal program that makes main's three requests: no SDK, one after the other, signed by hand. With FLOOR=ahead it
 * opens all connections first, as a program does that knows where it will go.
 */
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Socket } from 'node:net';
import type { RequestOptions } from 'node:http';
import { ask, callJson, setting } from './signed-request.ts';

const ahead = setting('FLOOR') === 'ahead';
const endpointOf = (service: string): string =>
  setting(`AWS_ENDPOINT_URL_${service}`) || setting('AWS_ENDPOINT_URL');
const tokenUrl = new URL(`${setting('ACTIONS_ID_TOKEN_REQUEST_URL')}&audience=sts.amazonaws.com`);
const [oidc, sts, ssm] = [tokenUrl, endpointOf('STS'), endpointOf('SSM')].map((url) => through(new URL(url)));

/** Options of a request over a connection that is opened now. */
function through({ protocol, hostname, port }: URL): RequestOptions {
  if (!ahead) return {};
  const place = { host: hostname, port: Number(port) };
  const socket: Socket =
    protocol === 'https:' ? connectTls({ ...place, ALPNProtocols: ['http/1.1'] }) : connectPlain(place);
  return { createConnection: () => socket };
}

const region = setting('AWS_REGION');
const authorization = `bearer ${setting('ACTIONS_ID_TOKEN_REQUEST_TOKEN')}`;
const { value } = JSON.parse(await ask(tokenUrl, { ...oidc, headers: { authorization } })) as {
  value: string;
};
const form = new URLSearchParams({
  ...{ Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15', RoleArn: setting('ROLE') },
  ...{ RoleSessionName: 'floor', DurationSeconds: '900', WebIdentityToken: value },
}).toString();
const headers = { 'content-type': 'application/x-www-form-urlencoded' };
const session = await ask(new URL(endpointOf('STS')), { ...sts, method: 'POST', headers }, form);
const member = (name: string): string => new RegExp(`<${name}>(.*?)</${name}>`).exec(session)?.[1] ?? '';
const { Parameter } = await callJson<{ Parameter?: { Value: string } }>({
  ...{ service: 'ssm', target: 'AmazonSSM.GetParameter', endpoint: endpointOf('SSM'), region },
  credentials: {
    accessKeyId: member('AccessKeyId'),
    secretAccessKey: member('SecretAccessKey'),
    sessionToken: member('SessionToken'),
  },
  input: { Name: setting('KEY'), WithDecryption: true },
  ...(ssm && { options: ssm }),
});
if (!Parameter?.Value.includes('PRIVATE KEY')) throw new Error('not the key');
process.exit(0);
