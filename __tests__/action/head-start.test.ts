/** What main begins before it loads the AWS SDK. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { headStart } from '../../src/action/head-start.ts';
import { parseInputs } from '../../src/action/inputs.ts';
import { serve, type HttpServer } from '../support/aws/wire/http-server.ts';
import { stepEnvironment } from './step-environment.ts';

const usual = { 'role-to-assume': 'arn:aws:iam::111122223333:role/ci', 'aws-region': 'eu-west-1' };
// No connection leaves this machine.
const local = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' };
const { signal } = new AbortController();

describe('main, before it loads the AWS SDK,', () => {
  let service: HttpServer;
  let asked: string[];

  beforeEach(async () => {
    asked = [];
    service = await serve({
      handle: ({ url, headers }) => {
        asked.push(`${url} ${headers.authorization ?? ''}`);
        return Promise.resolve({ status: 200, headers: {}, body: '{"value":"token"}' });
      },
    });
  });
  afterEach(async () => {
    await service.close();
  });

  const begin = (given: Record<string, string> = {}, more: Record<string, string> = {}) => {
    const tokens = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${service.origin}/token?version=1`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'bearer',
    };
    const env = stepEnvironment({ ...usual, ...given }, { ...local, ...tokens, ...more });
    return headStart(parseInputs(env), env, signal);
  };

  it('asks for the token, and hands the answer out once', async () => {
    const begun = begin();
    expect((await begun?.early?.())?.text).toBe('{"value":"token"}');
    expect(begun?.early?.()).toBeUndefined();
    expect(asked).toEqual(['/token?version=1&audience=sts.amazonaws.com bearer bearer']);
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['without a role', { 'role-to-assume': '' }, {}],
    ['without a token service', {}, { ACTIONS_ID_TOKEN_REQUEST_URL: '' }],
    ['without a Region', { 'aws-region': '' }, {}],
    ['with a token file', { 'web-identity-token-file': '/run/token' }, {}],
    ['with force-skip-oidc', { 'force-skip-oidc': 'true' }, {}],
    ['with use-existing-credentials', { 'use-existing-credentials': 'true' }, {}],
    ['before the role is compared with the allowed accounts', { 'allowed-account-ids': '111122223333' }, {}],
    ['for keys that stay in KMS: their agent asks', { keys: 'kms:alias/deploy' }, {}],
  ])('asks nothing %s', async (_, given, more) => {
    expect(begin(given, more)).toBeUndefined();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(asked).toEqual([]);
  });
});
