/** STS's refusals, in its own words → a hint with the trust policy that fixes it. */
import { describe, expect, it } from '@jest/globals';
import {
  assumeRoleFailure,
  isPackedTooLarge,
  mayPass,
  type AskedRole,
} from '../../src/aws/assume-role-failures.ts';
import { Failure } from '../../src/errors.ts';

const arn = 'arn:aws:iam::111122223333:role/ci';
const claims = {
  sub: 'repo:acme@1234/lib@5678:ref:refs/heads/main',
  aud: 'sts.amazonaws.com',
  iss: 'https://token.actions.githubusercontent.com',
};
const token = { text: 'x', claims };
const thrown = (name: string, message = 'no'): Error =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 } });
const notAuthorized = thrown('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
const failure = (error: unknown, more: Partial<AskedRole> = { token }): Failure =>
  assumeRoleFailure(error, { arn, region: 'eu-west-1', token: undefined, ...more });

describe("STS's refusals", () => {
  it('of a token show its claims, and a trust policy that accepts it', () => {
    const { code, message, hint } = failure(notAuthorized);
    expect({ code, message }).toEqual({
      code: 'ASSUME_ROLE_DENIED',
      message: `AWS STS did not give the role ${arn}: Not authorized to perform sts:AssumeRoleWithWebIdentity`,
    });
    for (const claim of Object.values(claims)) expect(hint).toContain(claim);
    const [, principal = '', condition = ''] = /Principal (\{.*?\}).*"Condition":(\{.*\})/.exec(hint) ?? [];
    expect(JSON.parse(principal)).toEqual({
      Federated: 'arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com',
    });
    expect(JSON.parse(condition)).toEqual({
      StringEquals: {
        'token.actions.githubusercontent.com:aud': claims.aud,
        'token.actions.githubusercontent.com:sub': claims.sub,
      },
    });
  });

  it.each(['aws-cn', 'aws-us-gov'])('in %s name the identity provider of that partition', (partition) => {
    const { hint } = failure(notAuthorized, { token, arn: `arn:${partition}:iam::111122223333:role/ci` });
    expect(hint).toContain(`"arn:${partition}:iam::111122223333:oidc-provider/`);
  });

  it('of an issuer with a path keep the path, as GitHub Enterprise Server needs it', () => {
    const { hint } = failure(notAuthorized, {
      token: { ...token, claims: { ...claims, iss: 'https://ghe.example.com/_services/token' } },
    });
    expect(hint).toContain('oidc-provider/ghe.example.com/_services/token"');
    expect(hint).toContain('"ghe.example.com/_services/token:aud"');
  });

  it('of other credentials name the user, or the role whose session asked', () => {
    const user = 'arn:aws:sts::111122223333:assumed-role/runner/i-0123456789abcdef0';
    const message = `User: ${user} is not authorized to perform: sts:AssumeRole on resource: ${arn}`;
    const { code, hint } = failure(thrown('AccessDenied', message), {});
    expect(code).toBe('ASSUME_ROLE_DENIED');
    expect(hint).toContain(
      'name arn:aws:iam::111122223333:role/runner (with the path of the role, if it has one),',
    );
    expect(hint).not.toContain('i-0123456789abcdef0');
    const person = 'arn:aws:iam::111122223333:user/anna';
    const denied = `User: ${person} is not authorized to perform: sts:AssumeRole on resource: ${arn}`;
    expect(failure(thrown('AccessDenied', denied), {}).hint).toContain(`name ${person},`);
    expect(JSON.parse(/\{.*\}/.exec(hint)?.[0] ?? '')).toEqual({
      Effect: 'Allow',
      Action: 'sts:AssumeRole',
      Resource: arn,
    });
    expect(failure(thrown('AccessDenied'), {}).hint).toContain('aws sts get-caller-identity');
    expect(failure(thrown('AccessDenied'), { externalId: 'acme-42' }).hint).toContain('external id acme-42');
  });

  it('in a chain name the role, and the policies that both roles need', () => {
    const before = 'arn:aws:iam::444455556666:role/hub';
    const { message, hint } = failure(thrown('AccessDenied'), { before, position: 'role 2 of 2' });
    expect(message).toBe(`AWS STS did not give the role ${arn} (role 2 of 2): no`);
    expect(hint).toBe(
      `let the trust policy of ${arn} say {"Effect":"Allow","Principal":{"AWS":"${before}"},"Action":"sts:AssumeRole"}, ` +
        `and the policy of ${before} {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"${arn}"}`,
    );
    const withId = failure(thrown('AccessDenied'), { before, externalId: 'acme-42' }).hint;
    expect(withId).toContain('"Condition":{"StringEquals":{"sts:ExternalId":"acme-42"}}}');
  });

  it.each([
    [
      'InvalidIdentityToken',
      'No OpenIDConnect provider found in your account for https://token.actions.githubusercontent.com',
      'create-open-id-connect-provider --url https://token.actions.githubusercontent.com --client-id-list sts.amazonaws.com',
    ],
    ['InvalidIdentityTokenException', 'Incorrect token audience', 'add sts.amazonaws.com to the audiences'],
    [
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      'role-duration-seconds',
    ],
    [
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
      'role-duration-seconds to 3600',
    ],
    ['ValidationError', '1 validation error detected: Value at roleArn', 'role-to-assume'],
    ['MalformedPolicyDocument', 'Syntax errors in policy.', 'session-policy'],
    ['PackedPolicyTooLarge', 'Packed size of session tags and policy consumes 120%', 'session-policy'],
    ['RegionDisabledException', 'STS is not activated in this region', 'activate STS in eu-west-1'],
  ])('%s (%s) are ASSUME_ROLE_DENIED, with what to do', (name, message, hint) => {
    const refused = failure(thrown(name, message));
    expect(refused.code).toBe('ASSUME_ROLE_DENIED');
    expect(refused.message).toContain(message.replace(/\.$/, ''));
    expect(refused.hint).toContain(hint);
  });

  it.each([
    ['THROTTLED', thrown('Throttling')],
    ['CREDENTIALS_EXPIRED', thrown('ExpiredToken')],
    ['CREDENTIALS_MISSING', thrown('CredentialsProviderError')],
    ['NETWORK_UNREACHABLE', Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' })],
    ['PROVIDER_FAILED', thrown('IDPCommunicationError')],
    ['TIMEOUT', new Failure('TIMEOUT', 'x', { hint: 'y' })],
  ])('that have nothing to do with the role are %s', (code, error) => {
    expect(failure(error).code).toBe(code);
  });
});

describe('a refusal', () => {
  it.each([
    ['AccessDenied', true, false],
    ['AccessDeniedException', true, false],
    ['InvalidIdentityToken', true, false],
    ['InvalidIdentityTokenException', true, false],
    ['PackedPolicyTooLarge', false, true],
    ['PackedPolicyTooLargeException', false, true],
    ['ValidationError', false, false],
    ['ExpiredTokenException', false, false],
    ['Throttling', false, false],
  ])('%s may pass by itself: %s; is a policy packed too large: %s', (name, passes, tooLarge) => {
    expect([mayPass(thrown(name)), isPackedTooLarge(thrown(name))]).toEqual([passes, tooLarge]);
  });

  it('may be a value that is not an Error', () => {
    expect([mayPass(undefined), isPackedTooLarge(undefined)]).toEqual([false, false]);
  });
});
