/** Answers of AWS and GitHub, by the real clients over HTTP. An input is STATUS, TYPE and BODY. */
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { roleAsker } from '../../../src/aws/assume-role.ts';
import { openConnection } from '../../../src/aws/connection.ts';
import { Troubles } from '../../../src/aws/troubles.ts';
import { requestToken } from '../../../src/aws/web-identity.ts';
import { parseGitHubApp } from '../../../src/github/app.ts';
import { gitHubDeployKeys } from '../../../src/github/deploy-keys.ts';
import { installationToken } from '../../../src/github/installation-token.ts';
import { parseKeyReference, type KmsReference } from '../../../src/keys/key-reference.ts';
import { parseReference } from '../../../src/keys/reference.ts';
import { openKmsSigner } from '../../../src/kms/kms-signer.ts';
import { readReferences } from '../../../src/secrets/read.ts';
import { anyJson, damaged, jsonNear, objectNear } from '../hostile.ts';
import { holds, type AsyncTarget } from '../target.ts';

const secret = 'hunter2secret';
const words = fc.constantFrom('x', '2030-01-01T00:00:00Z', 'AKIA', 'SecureString', 'SIGN_VERIFY');
const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
});

/** @param body of a right answer, or near one */
function answers(body: fc.Arbitrary<string>, types: readonly string[]): fc.Arbitrary<string> {
  const status = fc.constantFrom('200', '200', '200', '201', '400', '403', '404', '204', '302', '429', '500');
  const type = fc.constantFrom(...types, ...types, 'text/html', 'text/plain');
  return fc.tuple(status, type, body).map((parts) => parts.join('\u0001'));
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function answerIn(text: string): Answer {
  const [status = '', type = '', ...body] = text.split('\u0001');
  const isType = /^[\w/+.-]+$/.test(type);
  return {
    status: /^[2-5]\d\d$/.test(status) ? Number(status) : 200,
    type: isType ? type : 'x/y',
    body: body.join('\u0001'),
  };
}

/** Every request gets the answer of the present input: inputs are read one after the other. */
let answer: Answer = { status: 200, type: 'x/y', body: '' };
const server = createServer((request, response) => {
  request.resume();
  const { status, type, body } = answer;
  response.writeHead(status, { 'content-type': type }).end(status === 204 ? undefined : body);
}).listen(0, '127.0.0.1');
await once(server, 'listening');
server.unref();
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const env = { AWS_ENDPOINT_URL: address, AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: secret };
const { signal } = new AbortController();
const sleep = (): Promise<void> => Promise.resolve();
const calling = { signal, env, maxAttempts: 1, sleep, troubles: new Troubles() };
const region = 'eu-west-1';
const inRegion = { regions: [region], signal, share: 1, warn: (): void => undefined };
const credentials = { accessKeyId: 'AKIA', secretAccessKey: secret, sessionToken: 'tokenOfTheSession' };

interface Service {
  readonly name: string;
  readonly near: fc.Arbitrary<string>;
  readonly types: readonly string[];
  readonly right: string;
  readonly ask: (connection: ReturnType<typeof openConnection>) => Promise<unknown>;
}

/** The SDK reads the endpoint from the environment of the process, when a client is made. */
function service({ name, near, types, right, ask }: Service): AsyncTarget {
  return {
    ...{ name, isAsync: true, isForeign: true, seeds: [`200\u0001${types[0] ?? ''}\u0001${right}`] },
    near: answers(near, types),
    secrets: () => [secret, 'tokenOfTheSession'],
    read: async (text) => {
      answer = answerIn(text);
      process.env['AWS_ENDPOINT_URL'] = address;
      const connection = openConnection({ env, maxAttempts: 1 });
      try {
        await ask(connection);
      } finally {
        delete process.env['AWS_ENDPOINT_URL'];
        connection.requestHandler.destroy();
      }
    },
  };
}

const json11 = ['application/x-amz-json-1.1'];
const failed = {
  __type: fc.constantFrom('AccessDeniedException', 'ParameterNotFound', 'ThrottlingException'),
  message: words,
};
const arn = fc.constant('arn:aws:ssm:eu-west-1:111122223333:parameter/ci/key');

async function read(text: string, connection: ReturnType<typeof openConnection>): Promise<void> {
  const [found] = await readReferences([parseReference(text)], { connection, credentials, region, signal });
  holds(typeof found?.text === 'string' && typeof found.arn === 'string', 'a value that is no text');
  holds(!found || typeof found.version === 'string', 'a version that is no text');
}

const parameter = { ARN: arn, Name: words, Type: words, Value: words, Version: fc.nat() };
const parameters = service({
  name: 'aws-parameters',
  types: json11,
  right:
    '{"Parameter":{"ARN":"arn:aws:ssm:eu-west-1:111122223333:parameter/ci/key","Value":"x","Version":1}}',
  near: jsonNear({ Parameter: objectNear(parameter), ...failed }),
  ask: (connection) => read('/ci/key', connection),
});

const secretsAnswer = { ARN: arn, Name: words, VersionId: words, SecretString: words, SecretBinary: words };
const secrets = service({
  name: 'aws-secrets',
  types: json11,
  right:
    '{"ARN":"arn:aws:secretsmanager:eu-west-1:111122223333:secret:x-AbCdEf","SecretString":"x","VersionId":"1"}',
  near: jsonNear({ ...secretsAnswer, ...failed }),
  ask: (connection) => read('secretsmanager:ci/key', connection),
});

const kms = service({
  name: 'aws-kms',
  types: json11,
  right: JSON.stringify({
    KeyId: 'arn:aws:kms:eu-west-1:111122223333:key/x',
    PublicKey: publicKey.toString('base64'),
  }),
  near: jsonNear({
    ...{ KeyId: words, KeyUsage: words, ...failed },
    PublicKey: fc.constantFrom(publicKey.toString('base64'), 'AAAA', ''),
  }),
  ask: async (connection) => {
    const reference = parseKeyReference('kms:alias/deploy') as KmsReference;
    await openKmsSigner(reference, { connection, credentials }, inRegion);
  },
});

const stsAnswer =
  '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AKIA</AccessKeyId><SecretAccessKey>x</SecretAccessKey><SessionToken>y</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>';
const stsError =
  '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>';
const token = { text: 'tokenOfTheSession', claims: { iss: 'https://x', sub: 'repo:a/b', aud: 'sts' } };
const sts = service({
  name: 'aws-sts',
  types: ['text/xml'],
  right: stsAnswer,
  near: damaged(fc.constantFrom(stsAnswer, stsError)),
  ask: async (connection) => {
    const say = (line: string): void => {
      holds(!line.includes(secret), 'a secret is said');
    };
    const caller = { ...calling, connection, ...inRegion, mask: () => undefined, say };
    const ask = await roleAsker({ token }, { region, ...inRegion }, caller);
    await ask({ arn: 'arn:aws:iam::111122223333:role/r', sessionName: 's', durationSeconds: 900 });
  },
});

const oidc = service({
  name: 'oidc-service',
  types: ['application/json'],
  right: '{"value":"e30.eyJpc3MiOiJ4Iiwic3ViIjoieSIsImF1ZCI6InoifQ.c2ln"}',
  near: jsonNear({ value: fc.oneof(words, anyJson), count: fc.nat() }),
  ask: (connection) =>
    requestToken(
      { url: `${address}/token?a=b`, bearer: secret },
      { ...calling, ...connection, env, audience: 'sts' },
    ),
});

const app = parseGitHubApp(
  JSON.stringify({ app_id: 1, private_key: privateKey, api_url: address }),
  '/ci/app',
);
const tokenAnswer = { token: words, expires_at: words, id: fc.nat(), message: words };
const github = service({
  name: 'github-tokens',
  types: ['application/json'],
  right: '{"id":1,"token":"x","expires_at":"2030-01-01T00:00:00Z"}',
  near: jsonNear(tokenAnswer),
  ask: async () => {
    const signInKms = (): Promise<Buffer> => Promise.reject(new Error('no key is in KMS'));
    await installationToken(app, { ...calling, repositories: ['a/b'], clock: Date.now, signInKms });
  },
});

const deployKeys = service({
  name: 'github-deploy-keys',
  types: ['application/json'],
  right: '[{"id":1,"key":"ssh-ed25519 AAAA","title":"x","read_only":true}]',
  near: fc
    .array(objectNear({ id: fc.nat(), key: words, title: words, read_only: fc.boolean() }), { maxLength: 3 })
    .map((all) => JSON.stringify(all)),
  ask: async () => {
    const access = { repository: 'a/b', apiUrl: address, token: secret, tokenName: '/ci/token' };
    for (const { id, title } of await gitHubDeployKeys(access, calling).list())
      holds(typeof id === 'string' && typeof title === 'string', 'a key without texts');
  },
});

export const serviceTargets: readonly AsyncTarget[] = [
  ...[parameters, secrets, kms, sts, oidc, github, deployKeys],
];
