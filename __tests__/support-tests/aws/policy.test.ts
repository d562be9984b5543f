import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { holds, type RequestContext } from '../../support/aws/iam/policy-condition.ts';
import { parsePolicy, type Condition, type Statement } from '../../support/aws/iam/policy-document.ts';
import {
  decide,
  evaluate,
  type Decision,
  type Effect,
  type PolicySet,
} from '../../support/aws/iam/policy.ts';

const KEY = 'arn:aws:ssm:eu-west-1:111122223333:parameter/ci/deploy-key';

function evaluateOne(statements: readonly Statement[], resource = KEY, action = 'ssm:GetParameter'): Effect {
  return evaluate([{ Version: '2012-10-17', Statement: statements }], { action, resource, context: {} });
}

const allowAll: Statement = { Effect: 'Allow', Action: '*', Resource: '*' };

describe('a policy', () => {
  test.each<[string, Statement, Effect]>([
    [
      'the action and resource as they are',
      { Effect: 'Allow', Action: 'ssm:GetParameter', Resource: KEY },
      'Allow',
    ],
    ['an action in another case', { Effect: 'Allow', Action: 'SSM:getparameter', Resource: KEY }, 'Allow'],
    ['a wildcard action', { Effect: 'Allow', Action: 'ssm:Get*', Resource: KEY }, 'Allow'],
    ['a longer action', { Effect: 'Allow', Action: 'ssm:GetParameters', Resource: KEY }, 'ImplicitDeny'],
    ['every action but another', { Effect: 'Allow', NotAction: 'ssm:Put*', Resource: KEY }, 'Allow'],
    [
      'every action but this',
      { Effect: 'Allow', NotAction: ['kms:*', 'ssm:Get*'], Resource: KEY },
      'ImplicitDeny',
    ],
    [
      'a resource in another case',
      { Effect: 'Allow', Action: '*', Resource: KEY.toUpperCase() },
      'ImplicitDeny',
    ],
    ['a prefix', { Effect: 'Allow', Action: '*', Resource: 'arn:aws:ssm:*:*:parameter/ci/*' }, 'Allow'],
    ['? for one character', { Effect: 'Allow', Action: '*', Resource: `${KEY.slice(0, -1)}?` }, 'Allow'],
    ['? for no character', { Effect: 'Allow', Action: '*', Resource: `${KEY}?` }, 'ImplicitDeny'],
    [
      'a dot that is no wildcard',
      { Effect: 'Allow', Action: '*', Resource: KEY.replace('-key', '.key') },
      'ImplicitDeny',
    ],
    [
      'a wildcard that would have to cross a colon',
      { Effect: 'Allow', Action: '*', Resource: 'arn:aws:ssm:*:parameter/ci/deploy-key' },
      'ImplicitDeny',
    ],
    [
      'another region',
      { Effect: 'Allow', Action: '*', Resource: KEY.replace('eu-west-1', 'eu-west-2') },
      'ImplicitDeny',
    ],
    ['every resource but another', { Effect: 'Allow', Action: '*', NotResource: `${KEY}-2` }, 'Allow'],
    ['every resource but this', { Effect: 'Allow', Action: '*', NotResource: KEY }, 'ImplicitDeny'],
    [
      'a variable without a value',
      { Effect: 'Allow', Action: '*', Resource: `${KEY}\${aws:username}` },
      'ImplicitDeny',
    ],
  ])('that names %s', (_name, statement, effect) => {
    expect(evaluateOne([statement])).toBe(effect);
  });

  test('resolves variables from the request', () => {
    const policy = {
      Statement: { ...allowAll, Resource: 'arn:aws:ssm:*:*:parameter/${aws:PrincipalAccount}/*' },
    };
    const request = { action: 'ssm:GetParameter', context: { 'aws:principalaccount': '111122223333' } };
    const resource = 'arn:aws:ssm:eu-west-1:111122223333:parameter/111122223333/key';
    expect(evaluate([policy], { ...request, resource })).toBe('Allow');
    expect(evaluate([policy], { ...request, resource: KEY })).toBe('ImplicitDeny');
  });

  test('denies if any statement denies, in any order', () => {
    const effect = fc.constantFrom<Statement['Effect']>('Allow', 'Deny');
    fc.assert(
      fc.property(fc.array(effect, { minLength: 1 }), (effects) => {
        const statements = effects.map((one): Statement => ({ ...allowAll, Effect: one }));
        expect(evaluateOne(statements)).toBe(effects.includes('Deny') ? 'ExplicitDeny' : 'Allow');
      }),
    );
  });
});

describe('a session policy', () => {
  const request = { action: 'ssm:GetParameter', resource: KEY, context: {} };
  const narrow = { Statement: { Effect: 'Allow', Action: 'ssm:GetParameter', Resource: KEY } } as const;
  const wide = { Statement: allowAll };
  const deny = { Statement: { ...allowAll, Effect: 'Deny' } } as const;
  const other = { Statement: { ...allowAll, Resource: `${KEY}-2` } } as const;

  test.each<[string, PolicySet, Decision]>([
    ['allows what both allow', { identity: [wide], session: [narrow] }, { allowed: true }],
    [
      'gives no permission that the role does not have',
      { identity: [other], session: [wide] },
      { allowed: false, by: 'identity-based', explicit: false },
    ],
    [
      'removes permissions that it does not name',
      { identity: [wide], session: [other] },
      { allowed: false, by: 'session', explicit: false },
    ],
    [
      'can deny',
      { identity: [wide], session: [wide, deny] },
      { allowed: false, by: 'session', explicit: true },
    ],
    [
      'is not what AWS names first when both are silent',
      { identity: [other], session: [other] },
      { allowed: false, by: 'identity-based', explicit: false },
    ],
    [
      'is overruled by a deny of the role',
      { identity: [wide, deny], session: [wide] },
      { allowed: false, by: 'identity-based', explicit: true },
    ],
    [
      'that is empty allows nothing',
      { identity: [wide], session: [] },
      { allowed: false, by: 'session', explicit: false },
    ],
    ['that is absent narrows nothing', { identity: [wide] }, { allowed: true }],
  ])('%s', (_name, policies, decision) => {
    expect(decide(policies, request)).toEqual(decision);
  });
});

describe('a condition', () => {
  const main = { 'idp:sub': 'repo:acme/app:ref:refs/heads/main', 'aws:SecureTransport': 'true' };
  const listed = { 'idp:groups': ['a', 'b'] };
  test.each<[Condition, RequestContext, boolean]>([
    [{ StringEquals: { 'idp:sub': main['idp:sub'] } }, main, true],
    [{ StringEquals: { 'IDP:Sub': main['idp:sub'] } }, main, true],
    [{ StringEquals: { 'idp:sub': ['other', main['idp:sub']] } }, main, true],
    [{ StringEquals: { 'idp:sub': 'repo:acme/app:*' } }, main, false],
    [{ StringEquals: { 'idp:sub': main['idp:sub'].toUpperCase() } }, main, false],
    [{ StringEqualsIgnoreCase: { 'idp:sub': main['idp:sub'].toUpperCase() } }, main, true],
    [{ StringLike: { 'idp:sub': 'repo:acme/app:*' } }, main, true],
    [{ StringLike: { 'idp:sub': 'repo:acme/*:ref:refs/heads/mai?' } }, main, true],
    [{ StringLike: { 'idp:sub': 'acme/app' } }, main, false],
    [{ StringEquals: { 'idp:absent': 'x' } }, main, false],
    [{ StringNotEquals: { 'idp:absent': 'x' } }, main, true],
    [{ StringNotEquals: { 'idp:sub': ['other', main['idp:sub']] } }, main, false],
    [{ StringNotLike: { 'idp:sub': 'repo:evil/*' } }, main, true],
    [{ StringEqualsIfExists: { 'idp:absent': 'x' } }, main, true],
    [{ StringEqualsIfExists: { 'idp:sub': 'x' } }, main, false],
    [{ Null: { 'idp:absent': 'true' } }, main, true],
    [{ Null: { 'idp:sub': true } }, main, false],
    [{ Bool: { 'aws:SecureTransport': true } }, main, true],
    [{ Bool: { 'aws:SecureTransport': 'false' } }, main, false],
    [{ 'ForAllValues:StringEquals': { 'idp:absent': 'x' } }, main, true],
    [{ 'ForAnyValue:StringEquals': { 'idp:absent': 'x' } }, main, false],
    [{ 'ForAnyValue:StringEquals': { 'idp:groups': 'b' } }, listed, true],
    [{ 'ForAllValues:StringEquals': { 'idp:groups': 'b' } }, listed, false],
    [{ 'ForAllValues:StringLike': { 'idp:groups': ['a', '?'] } }, listed, true],
    [{ 'ForAnyValue:StringNotEquals': { 'idp:groups': 'a' } }, listed, true],
    [
      { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/ci-*' } },
      { 'aws:PrincipalArn': 'arn:aws:iam::1:role/ci-x' },
      true,
    ],
    [
      { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/ci' } },
      { 'aws:PrincipalArn': 'arn:aws:iam::1:role/ci' },
      true,
    ],
    [
      { ArnNotLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/ci' } },
      { 'aws:PrincipalArn': 'arn:aws:iam::1:role/ci' },
      false,
    ],
    [{ StringEquals: { 'idp:sub': main['idp:sub'] }, Bool: { 'aws:SecureTransport': 'false' } }, main, false],
  ])('%j holds for %j: %s', (condition, context, expected) => {
    expect(holds(condition, context)).toBe(expected);
  });
});

describe('a policy document is refused', () => {
  const allowing = (more: object): object => ({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'ssm:GetParameter', Resource: '*', ...more }],
  });
  test.each<[string, string, string]>([
    ['that is no JSON', '{', 'This policy contains invalid Json'],
    ['without statements', '{"Version":"2012-10-17"}', 'Syntax errors in policy.'],
    [
      'of another version',
      JSON.stringify({ ...allowing({}), Version: '2012-10-18' }),
      'The policy must contain a valid version string',
    ],
    ['with an unknown element', JSON.stringify(allowing({ Actions: 'x' })), 'Syntax errors in policy.'],
    [
      'with a Sid of other characters',
      JSON.stringify(allowing({ Sid: 'read keys' })),
      'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies [0-9A-Za-z]*',
    ],
    [
      'without a resource',
      JSON.stringify(allowing({ Resource: undefined })),
      'Policy statement must contain resources.',
    ],
    [
      'without an action',
      JSON.stringify(allowing({ Action: undefined })),
      'Policy statement must contain actions.',
    ],
    [
      'with a bare name for a resource',
      JSON.stringify(allowing({ Resource: '/ci/key' })),
      'Resource /ci/key must be in ARN format or "*".',
    ],
    [
      'with an action of no service',
      JSON.stringify(allowing({ Action: 'GetParameter' })),
      'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
    ],
    [
      'with a principal',
      JSON.stringify(allowing({ Principal: '*' })),
      'Policy document should not specify a principal.',
    ],
    [
      'with an unknown operator',
      JSON.stringify(allowing({ Condition: { StringIs: { a: 'b' } } })),
      'Invalid Condition type : StringIs.',
    ],
  ])('%s', (_name, json, message) => {
    expect(() => parsePolicy(json, 'permission')).toThrow(
      expect.objectContaining({ code: 'MalformedPolicyDocument', message }),
    );
  });
});
