/** What to do about missing credentials. */
import { describe, expect, it } from '@jest/globals';
import { hostCredentialsHint } from '../../src/aws/credentials-hint.ts';

const token = {
  ACTIONS_ID_TOKEN_REQUEST_URL: 'https://token.test',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'bearer',
};

describe('a program for hosts that finds no credentials', () => {
  it('in a job with an OIDC token leads to the action, which alone uses that token', () => {
    const hint = hostCredentialsHint(token);
    expect(hint).toMatch(/role-to-assume, .*keys .*as=github-app.*aws-actions\/configure-aws-credentials/);
    expect(hint).not.toContain('sso login');
  });

  it('in such a job with a profile leads to the profile', () => {
    expect(hostCredentialsHint({ ...token, AWS_PROFILE: 'ci' })).toContain('--profile ci');
  });

  it('elsewhere leads to a role of the instance or to a login', () => {
    expect(hostCredentialsHint({})).toMatch(/^on EC2 give the instance a role; elsewhere .*aws sso login/);
  });
});
