import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';

import { startLocalAws, type CiService, type Job, type LocalAws } from '../../support/aws/local-aws.ts';

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

describe('a token of another CI service', () => {
  test.each<[CiService, JWTPayload]>([
    ['GitLab', { iss: 'https://gitlab.com', sub: 'project_path:acme/lib:ref_type:branch:ref:topic' }],
    [
      'Buildkite',
      {
        iss: 'https://agent.buildkite.com',
        sub: expect.stringMatching(
          /^organization:acme:pipeline:lib:ref:refs\/heads\/topic:commit:[0-9a-f]{40}:step:/,
        ) as unknown as string,
      },
    ],
    [
      'CircleCI',
      {
        iss: expect.stringMatching(
          /^https:\/\/oidc\.circleci\.com\/org\/[0-9a-f-]{36}$/,
        ) as unknown as string,
        sub: expect.stringMatching(
          /^org\/[^/]+\/project\/[^/]+\/user\/[^/]+\/vcs-origin\/github\.com\/acme\/lib\/vcs-ref\/refs\/heads\/topic$/,
        ) as unknown as string,
      },
    ],
    [
      'Bitbucket',
      { sub: expect.stringMatching(/^\{[0-9a-f-]{36}\}:\{[0-9a-f-]{36}\}$/) as unknown as string },
    ],
    ['Jenkins', { sub: 'https://jenkins.example.com/job/lib/job/topic/', aud: ['the audience'] }],
  ])('of %s has its issuer and subject, and is signed by the published keys', async (service, claims) => {
    const token = await aws.oidc.issueCiToken(service, 'the audience', { project: 'lib', branch: 'topic' });
    const keys = (await (await fetch(`${aws.oidc.url}/.well-known/jwks`)).json()) as JSONWebKeySet;
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), { audience: 'the audience' });
    expect(payload).toMatchObject(claims);
  });

  test('is as old as it is asked to be', async () => {
    const token = await aws.oidc.issueCiToken('Buildkite', 'the audience', { tokenAge: 301 });
    expect(decodeJwt(token).exp).toBeLessThan(Date.now() / 1000);
  });
});
