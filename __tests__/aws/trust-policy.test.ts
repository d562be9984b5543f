/** The trust policy for jobs of GitHub, evaluated like IAM: who gets in, and who does not. */
import { describe, expect, it } from '@jest/globals';
import { documentOf } from '../../src/aws/statement.ts';
import { trustStatement } from '../../src/aws/trust-policy.ts';
import { parseTrust, type TrustOptions } from '../../helper/policy/trust.ts';
import { parsePolicy } from '../support/aws/iam/policy-document.ts';
import { holds } from '../support/aws/iam/policy-condition.ts';
import { failureOf } from '../support/failure-of.ts';

const none: TrustOptions = { trust: [], branch: [], 'git-tag': [], environment: [], 'pull-request': false };
const issuer = 'token.actions.githubusercontent.com';

/** A function that says whether a job with that `sub` may assume the role. */
function trust(options: Partial<TrustOptions>, partition = 'aws', aud = 'sts.amazonaws.com') {
  const parsed = parseTrust({ ...none, ...options });
  const statement = trustStatement({ ...parsed, account: '111122223333', partition });
  parsePolicy(JSON.stringify(documentOf([statement])), 'trust');
  return (sub: string): boolean =>
    holds(statement.Condition, { [`${issuer}:aud`]: aud, [`${issuer}:sub`]: sub });
}

describe('the trust of a role', () => {
  it.each<[Partial<TrustOptions>, string]>([
    [{ branch: ['main'] }, 'ref:refs/heads/main'],
    [{ branch: ['main', 'feature/x'] }, 'ref:refs/heads/feature/x'],
    [{ 'git-tag': ['v1.2.3'] }, 'ref:refs/tags/v1.2.3'],
    [{ 'git-tag': ['v*'] }, 'ref:refs/tags/v1.2.3'],
    [{ environment: ['production'] }, 'environment:production'],
    [{ environment: ['eu: production'] }, 'environment:eu%3A production'],
    [{ 'pull-request': true }, 'pull_request'],
  ])('%j lets in a job for %s, in both forms of sub', (options, context) => {
    const lets = trust({ trust: ['acme/app'], ...options });
    expect(lets(`repo:acme/app:${context}`)).toBe(true);
    expect(lets(`repo:acme@1234/app@5678:${context}`)).toBe(true);
  });

  it.each([
    ...[
      'repo:acme/app:ref:refs/heads/main2',
      'repo:acme/app:pull_request',
      'repo:acme/app2:ref:refs/heads/main',
    ],
    ...['repo:acme2/app:ref:refs/heads/main', 'repo:acme2@1/app@2:ref:refs/heads/main'],
    ...['repo:acme@1/app2@2:ref:refs/heads/main', 'repo:acme@1/evil@2:ref:refs/heads/app@2'],
    // The name of a branch may have a slash and an @ in it, but no colon.
    ...['repo:acme@1/evil@2:ref:refs/heads/x/app@2/main', 'repo:acme@1/evil@2:environment:x/app@2%3Aref'],
  ])('does not let in %s', (sub) => {
    expect(trust({ trust: ['acme/app'], branch: ['main'] })(sub)).toBe(false);
  });

  it('with ids lets in these ids only, and has no pattern', () => {
    const lets = trust({ trust: ['acme@1234/app@5678'], branch: ['main'] });
    expect(lets('repo:acme@1234/app@5678:ref:refs/heads/main')).toBe(true);
    expect(lets('repo:acme@9/app@5678:ref:refs/heads/main')).toBe(false);
    expect(lets('repo:acme@1234/app@9:ref:refs/heads/main')).toBe(false);
    const parsed = parseTrust({ ...none, trust: ['acme@1234/app@5678'], branch: ['main'] });
    const { Condition } = trustStatement({ ...parsed, account: '111122223333', partition: 'aws' });
    expect(Object.keys(Condition ?? {})).toEqual(['StringEquals']);
  });

  it('names the audience and the provider of the partition', () => {
    const lets = trust({ trust: ['acme/app'], branch: ['main'] }, 'aws-cn', 'sts.amazonaws.com.cn');
    expect(lets('repo:acme/app:ref:refs/heads/main')).toBe(true);
    const parsed = parseTrust({ ...none, trust: ['acme/app'], branch: ['main'] });
    expect(trustStatement({ ...parsed, account: '111122223333', partition: 'aws-cn' }).Principal).toEqual({
      Federated: `arn:aws-cn:iam::111122223333:oidc-provider/${issuer}`,
    });
  });

  it.each<[Partial<TrustOptions>, string]>([
    [{ trust: ['acme'] }, 'not a repository of GitHub'],
    [{ trust: ['acme/*'], branch: ['main'] }, 'not a repository of GitHub'],
    [{ trust: ['*/app'], branch: ['main'] }, 'not a repository of GitHub'],
    [{ trust: ['acme@x/app'], branch: ['main'] }, 'not a repository of GitHub'],
    [{ trust: ['acme/app'] }, 'does not say which jobs'],
    [{ branch: ['main'] }, 'belong to --trust'],
    [{ trust: ['acme/app'], branch: ['*'] }, '--branch has characters'],
    [{ trust: ['acme/app'], branch: ['release/*'] }, '--branch has characters'],
    [{ trust: ['acme/app'], branch: ['${aws:username}'] }, '--branch has characters'],
    [{ trust: ['acme/app'], 'git-tag': ['*'] }, '--git-tag has characters'],
    [{ trust: ['acme/app'], 'git-tag': ['v*.1'] }, '--git-tag has characters'],
    [{ trust: ['acme/app'], 'git-tag': ['v**'] }, '--git-tag has characters'],
    [{ trust: ['acme/app'], environment: ['prod*'] }, '--environment has characters'],
    [{ trust: ['acme/app'], environment: ['prod?'] }, '--environment has characters'],
  ])('is not made from %j', (options, message) => {
    const failure = failureOf(() => parseTrust({ ...none, ...options }));
    expect(failure.code).toBe('INPUT_INVALID');
    expect(failure.message).toContain(message);
  });

  it.each([
    ['git-tag', "write the name of one tag, or a beginning and a star: 'v*'"],
    ['branch', 'write one name; several times for several names'],
  ])('says how --%s is written', (option, hint) => {
    expect(failureOf(() => parseTrust({ ...none, trust: ['acme/app'], [option]: ['a*b'] })).hint).toBe(hint);
  });
});
