import { createPrivateKey, createPublicKey, generateKeyPairSync, KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { hostOfApi } from '../../src/github/api-url.ts';
import { isGitHubApp, parseGitHubApp, appToken } from '../../src/github/app.ts';
import { failureOf, leakOf, told } from '../support/failure-of.ts';
import { jwtVerify } from 'jose';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicKey = createPublicKey(privateKey);
const pkcs1 = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const stored = (more: object = {}): string => JSON.stringify({ app_id: 12345, private_key: pkcs1, ...more });
const parse = (value: string): ReturnType<typeof parseGitHubApp> => parseGitHubApp(value, '/ci/app');

describe('a stored GitHub App', () => {
  it('is parsed with all members', () => {
    const more = {
      installation_id: '678',
      repositories: ['lib', 'acme/tools'],
      permissions: { contents: 'read' },
      api_url: 'https://git.example.com/api/v3/',
    };
    expect(parse(stored(more))).toEqual({
      resource: '/ci/app',
      issuer: '12345',
      privateKey: createPrivateKey(pkcs1),
      installationId: '678',
      repositories: ['lib', 'acme/tools'],
      permissions: { contents: 'read' },
      apiUrl: 'https://git.example.com/api/v3',
    });
  });

  it('uses github.com without api_url, and its client id if it has one', () => {
    const { apiUrl, issuer } = parse(stored({ client_id: 'Iv23liABCdef' }));
    expect([apiUrl, issuer]).toEqual(['https://api.github.com', 'Iv23liABCdef']);
  });

  it.each([
    ['PKCS#1', stored()],
    ['PKCS#8', stored({ private_key: pkcs8 })],
    ['\\n that was escaped twice', stored({ private_key: pkcs1.replaceAll('\n', '\\n') })],
    ['unescaped line ends', stored().replaceAll('\\n', '\n')],
    ['CRLF and no last line end', stored({ private_key: pkcs8.trim().replaceAll('\n', '\r\n') })],
    ['a byte order mark', `\uFEFF${stored()}`],
  ])('may have its key with %s', (_, value) => {
    const { privateKey: parsed } = parse(value);
    expect(parsed instanceof KeyObject && parsed.equals(privateKey)).toBe(true);
  });

  it.each([
    ['no JSON', 'ghp_0123456789abcdef', /is not a JSON object/],
    ['a list', '[]', /is not a JSON object/],
    ['no id', JSON.stringify({ private_key: pkcs1 }), /"app_id" is missing/],
    ['no key', JSON.stringify({ app_id: 1 }), /"private_key" is missing/],
    ['an invalid id', stored({ app_id: 'my-app' }), /"app_id" is not/],
    ['a client id with a line end', stored({ client_id: 'Iv1\nx' }), /"client_id" is not/],
    [
      'a public key',
      stored({ private_key: publicKey.export({ type: 'spki', format: 'pem' }) }),
      /"private_key" is not/,
    ],
    ['half a key', stored({ private_key: pkcs1.slice(0, 800) }), /"private_key" is not/],
    [
      'a key that is not RSA',
      stored({
        private_key: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }),
      }),
      /"private_key" is not/,
    ],
    ['an installation that is not a number', stored({ installation_id: 'acme' }), /"installation_id" is not/],
    ['no repository in its list', stored({ repositories: [] }), /"repositories" is not/],
    ['an invalid repository name', stored({ repositories: ['a/../b'] }), /"repositories" is not/],
    [
      'a permission with an unknown level',
      stored({ permissions: { contents: 'all' } }),
      /"permissions" is not/,
    ],
    ['no permission', stored({ permissions: {} }), /"permissions" is not/],
    ['an API without TLS', stored({ api_url: 'http://git.example.com/api/v3' }), /"api_url" is not/],
    ['an API with a password', stored({ api_url: 'https://a:hunter2@git.example.com' }), /"api_url" is not/],
  ])('with %s is CREDENTIAL_INVALID, which names the member but not its value', (_, value, message) => {
    const failure = failureOf(() => parse(value));
    expect(failure.code).toBe('CREDENTIAL_INVALID');
    expect(failure.message).toMatch(message);
    expect(leakOf(failure, pkcs1.split('\n')[1] ?? '')).toBeUndefined();
    expect(told(failure)).not.toMatch(/hunter2|ghp_|my-app/);
  });

  it.each([
    'kms:alias/app',
    ' kms:1234abcd-12ab-34cd-56ef-1234567890ab',
    'arn:aws:kms:eu-west-1:111122223333:alias/app',
  ])('may have its key in KMS, as %j', (text) => {
    expect(parse(stored({ private_key: text })).privateKey).toMatchObject({ kind: 'kms', text: text.trim() });
  });

  it.each(['kms:app', 'kms:', 'kms:alias/aws/ssm', 'arn:aws:kms:eu-west-1:1:alias/app'])(
    'with %j as its key is CREDENTIAL_INVALID',
    (text) => {
      const failure = failureOf(() => parse(stored({ private_key: text })));
      expect([failure.code, failure.message]).toEqual([
        'CREDENTIAL_INVALID',
        expect.stringContaining('"private_key" is not'),
      ]);
    },
  );

  it('is distinguished from a token and from a user name and password', () => {
    const password = JSON.stringify({ username: 'me', password: 'x' });
    expect(['ghp_x', password, '"app_id"', stored(), '{"app_id":1}'].map(isGitHubApp)).toEqual([
      ...[false, false, false],
      ...[true, true],
    ]);
  });
});

it.each([
  ['https://api.github.com', 'github.com'],
  ['https://api.acme.ghe.com', 'acme.ghe.com'],
  ['https://git.example.com/api/v3', undefined],
  ['https://api.github.com.example.com', undefined],
])('an App at %s has tokens for %s', (apiUrl, host) => {
  expect(hostOfApi(apiUrl)).toBe(host);
});

it('an App’s own token is an RS256 JWT that began a minute ago and ends in nine', async () => {
  const now = Math.floor(Date.now() / 1000);
  const none = (): Promise<never> => Promise.reject(new Error('no key is in KMS'));
  const token = await appToken(parse(stored()), now + 0.7, none);
  const { payload, protectedHeader } = await jwtVerify(token, publicKey);
  expect(payload).toEqual({ iat: now - 60, exp: now + 540, iss: '12345' });
  expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'JWT' });
});

it('an App’s own token is signed by KMS if its key is there', async () => {
  const app = parse(stored({ private_key: 'kms:alias/app' }));
  const asked: string[] = [];
  const token = await appToken(app, Date.now() / 1000, ({ reference, message }) => {
    asked.push(reference.name);
    return Promise.resolve(sign('RSA-SHA256', message, privateKey));
  });
  expect(asked).toEqual(['alias/app']);
  expect((await jwtVerify(token, publicKey)).payload.iss).toBe('12345');
});
