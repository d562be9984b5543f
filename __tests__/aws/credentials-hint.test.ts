import { describe, expect, it } from '@jest/globals';
import {
  credentialsHint,
  expiredHint,
  hostCredentialsHint,
  hostExpiredHint,
} from '../../src/aws/credentials-hint.ts';

type Environment = Readonly<Record<string, string>>;

const profile = { AWS_PROFILE: 'work' };
const token = { AWS_WEB_IDENTITY_TOKEN_FILE: '/run/token' };
const full = { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials' };
const relative = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/1' };
const hopLimit =
  'in a container the instance metadata needs a hop limit of 2: aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2 --instance-id ID';

describe.each([
  ['a job', credentialsHint],
  ['a host', hostCredentialsHint],
])('where credentials are missing, the hint of %s', (_, hint) => {
  it.each<[string, Environment, string]>([
    [
      'names the profile, before all else',
      { ...full, ...token, ...profile },
      'check the profile: aws configure list --profile work; or sign in again: aws sso login --profile work',
    ],
    [
      'names the token file, before the container',
      { ...full, ...token },
      'check AWS_ROLE_ARN, and that the file /run/token is there',
    ],
    [
      'names the full address of the container',
      { ...relative, ...full },
      'check that this container may ask http://169.254.170.23/v1/credentials for its credentials',
    ],
    [
      'names the path of the container',
      relative,
      'check that this container may ask /v2/credentials/1 for its credentials',
    ],
  ])('%s', (_name, env, text) => {
    expect(hint(env)).toBe(text);
  });
});

it.each<[string, Environment, string]>([
  [
    'on a runner of GitHub, says to set the role',
    { RUNNER_ENVIRONMENT: 'github-hosted' },
    'set role-to-assume to a role that trusts this repository',
  ],
  [
    'on a runner of one’s own, names the role of the instance too',
    { RUNNER_ENVIRONMENT: 'self-hosted' },
    `give the instance a role, or set role-to-assume; ${hopLimit}`,
  ],
])('a job without any source of credentials, %s', (_, env, text) => {
  expect(credentialsHint(env)).toBe(text);
});

it('a host without any source of credentials is told of a role and of a profile', () => {
  expect(hostCredentialsHint({})).toBe(
    `on EC2 give the instance a role; elsewhere sign in and name the profile: aws sso login --profile NAME, export AWS_PROFILE=NAME; ${hopLimit}`,
  );
});

it.each<[Environment, string]>([
  [
    { ...token, AWS_ACCESS_KEY_ID: 'AKIA', ...profile },
    'get new credentials for the profile work (aws sso login --profile work)',
  ],
  [{ ...token, AWS_ACCESS_KEY_ID: 'AKIA' }, 'get new credentials for AWS_ACCESS_KEY_ID, or unset it'],
  [token, 'get a new token into /run/token, right before its use, and check the clock of this machine'],
  [{}, 'check the clock of this machine: the credentials were asked for anew'],
])('with %j, expired credentials of a host have their own hint', (env, text) => {
  expect(hostExpiredHint(env)).toBe(text);
});

it('expired credentials of a job can be replaced by the job’s own', () => {
  expect(expiredHint()).toBe(
    'get new credentials right before this step; with role-to-assume and "id-token: write" the action gets its own',
  );
});

describe('a program for hosts in a job with an OIDC token', () => {
  const job = {
    ACTIONS_ID_TOKEN_REQUEST_URL: 'https://token.test',
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'bearer',
  };

  it('leads to the action, which alone uses that token', () => {
    const hint = hostCredentialsHint(job);
    expect(hint).toMatch(/role-to-assume, .*keys .*as=github-app.*aws-actions\/configure-aws-credentials/);
    expect(hint).not.toContain('sso login');
  });

  it('leads to the profile if there is one', () => {
    expect(hostCredentialsHint({ ...job, AWS_PROFILE: 'ci' })).toContain('--profile ci');
  });
});
