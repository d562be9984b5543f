import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';

import { startLocalAws, type Job, type LocalAws } from '../../support/aws/local-aws.ts';

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());

async function request(job: Job, query = '', bearer?: string): Promise<Response> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url = '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: token = '' } =
    aws.actionsEnvironment(job);
  return fetch(`${url}${query}`, { headers: { authorization: `bearer ${bearer ?? token}` } });
}

/** The claims, after verification with the published keys. */
async function claimsFor(job: Job, query = '&audience=sts.amazonaws.com'): Promise<JWTPayload> {
  const answer = (await (await request(job, query)).json()) as { count: number; value: string };
  expect(answer.count).toBe(answer.value.length);
  const keys = (await (await fetch(`${aws.oidc.url}/.well-known/jwks`)).json()) as JSONWebKeySet;
  const { payload, protectedHeader } = await jwtVerify(answer.value, createLocalJWKSet(keys));
  expect(protectedHeader).toMatchObject({ alg: 'RS256', typ: 'JWT' });
  return payload;
}

describe("a job's token", () => {
  test("has GitHub's claims and the requested audience", async () => {
    const claims = await claimsFor({});
    expect(claims).toMatchObject({
      iss: 'https://token.actions.githubusercontent.com',
      sub: 'repo:acme/app:ref:refs/heads/main',
      aud: 'sts.amazonaws.com',
      repository: 'acme/app',
      repository_owner: 'acme',
      repository_id: '5678',
      repository_owner_id: '1234',
      ref: 'refs/heads/main',
      ref_type: 'branch',
      event_name: 'push',
      workflow: 'ci',
      job_workflow_ref: 'acme/app/.github/workflows/ci.yml@refs/heads/main',
      run_attempt: '1',
      runner_environment: 'github-hosted',
    });
    expect(claims).not.toHaveProperty('environment');
    expect(claims.exp).toBe((claims.iat ?? 0) + 300);
    expect((await claimsFor({})).jti).not.toBe(claims.jti);
  });

  test("has the owner's page on GitHub as the default audience", async () => {
    expect(await claimsFor({ repository: 'octo/lib' }, '')).toMatchObject({ aud: 'https://github.com/octo' });
  });

  test.each<[string, Job]>([
    ['repo:acme/app:environment:production', { environment: 'production' }],
    ['repo:acme/app:pull_request', { event: 'pull_request' }],
    ['repo:acme/app:environment:preview', { event: 'pull_request', environment: 'preview' }],
    ['repo:acme/app:ref:refs/tags/v1', { ref: 'refs/tags/v1' }],
    ['repo:acme@1234/app@5678:ref:refs/heads/main', { immutableSubject: true }],
    ['repository_owner_id:1234', { sub: 'repository_owner_id:1234' }],
  ])('has the subject %s for %j', async (sub, job) => {
    expect(await claimsFor(job)).toMatchObject({ sub });
  });
});

test("a request token that is missing, or another job's, is unauthorized", async () => {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url = '' } = aws.actionsEnvironment();
  const { ACTIONS_ID_TOKEN_REQUEST_TOKEN: other } = aws.actionsEnvironment();
  expect((await fetch(url)).status).toBe(401);
  expect((await request({}, '', 'wrong')).status).toBe(401);
  expect((await request({}, '', other)).status).toBe(401);
});

test('the issuer publishes the address of its keys', async () => {
  const answer = await fetch(`${aws.oidc.url}/.well-known/openid-configuration`);
  expect(await answer.json()).toMatchObject({
    issuer: 'https://token.actions.githubusercontent.com',
    jwks_uri: 'https://token.actions.githubusercontent.com/.well-known/jwks',
  });
});
