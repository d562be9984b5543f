/** The inputs that aws-actions/configure-aws-credentials has by the same names: sources of credentials, policies, tags. */
import { describe, expect, it } from '@jest/globals';
import { parseInputs } from '../../src/action/inputs.ts';
import type { Role } from '../../src/aws/caller.ts';
import { failureOf } from '../support/failure-of.ts';
import { stepEnvironment, token } from './step-environment.ts';

const role = 'arn:aws:iam::111122223333:role/ci';
const hub = 'arn:aws:iam::444455556666:role/hub';
const workspace = { GITHUB_WORKSPACE: '/home/runner/app' };

const roleOf = (
  given: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = token,
): Role | undefined =>
  parseInputs(stepEnvironment({ 'role-to-assume': `${hub}\n${role}`, ...given }, { ...workspace, ...env }))
    .role;

describe('managed-session-policies', () => {
  const policy = (name: string, account = '111122223333'): string => `arn:aws:iam::${account}:policy/${name}`;

  it('has one ARN on each line, and each ARN counts once', () => {
    const text = `\n  ${policy('team/a,b')}\r\n${policy('ReadOnlyAccess', 'aws')}\n\n${policy('team/a,b')}`;
    expect(roleOf({ 'managed-session-policies': text })?.managedPolicies).toEqual([
      policy('team/a,b'),
      policy('ReadOnlyAccess', 'aws'),
    ]);
  });

  it('takes 10 policies, and refuses 11', () => {
    const names = (count: number): string =>
      Array.from({ length: count }, (_, i) => policy(`p${i}`)).join('\n');
    expect(roleOf({ 'managed-session-policies': names(10) })?.managedPolicies?.length).toBe(10);
    const { message } = failureOf(() => roleOf({ 'managed-session-policies': names(11) }));
    expect(message).toBe('the input managed-session-policies names 11 policies, and AWS takes 10');
  });

  it.each([
    policy('a', '444455556666'),
    policy('a').replace('aws', 'aws-cn'),
    policy('a', 'aws').replace('aws', 'aws-us-gov'),
  ])('refuses %s, which AWS does not find in the account of the last role', (arn) => {
    const { code, message, hint } = failureOf(() => roleOf({ 'managed-session-policies': arn }));
    expect(code).toBe('INPUT_INVALID');
    expect(message).toContain(`names ${arn}, which is not in the account of the role ${role}`);
    expect(hint).toContain('arn:aws:iam::aws:policy/NAME');
  });
});

describe('custom-tags', () => {
  const tagsOf = (json: string, more: Record<string, string> = {}): Role['tags'] =>
    roleOf({ 'custom-tags': json, ...more })?.tags;

  it('are strings, whole numbers, true and false', () => {
    expect(tagsOf('{"Team": "b\u00FCild é", "Run": 42, "Release": true, "Empty": ""}')).toEqual([
      { key: 'Team', value: 'b\u00FCild é', transitive: false },
      { key: 'Run', value: '42', transitive: false },
      { key: 'Release', value: 'true', transitive: false },
      { key: 'Empty', value: '', transitive: false },
    ]);
    expect(tagsOf('{}')).toBeUndefined();
  });

  it('have the limits of AWS: 50 tags, keys of 128 and values of 256 characters', () => {
    const tags = Object.fromEntries(
      Array.from({ length: 50 }, (_, i) => [String(i).padEnd(128, 'k'), 'v'.repeat(256)]),
    );
    expect(tagsOf(JSON.stringify(tags))?.length).toBe(50);
  });

  it('are transitive where transitive-tag-keys names them, by lines or commas', () => {
    const json = '{"Team": "a", "Cost center": "b", "Repository": "c"}';
    const tags = tagsOf(json, { 'transitive-tag-keys': 'Cost center,\nTeam\nTeam' });
    expect(tags?.filter(({ transitive }) => transitive).map(({ key }) => key)).toEqual([
      'Team',
      'Cost center',
    ]);
  });

  it('can be sent where the first role is assumed with credentials: without a token, or with force-skip-oidc', () => {
    const given = { 'role-to-assume': role, 'custom-tags': '{"Team":"a"}' };
    expect(roleOf(given, {})?.tags?.length).toBe(1);
    expect(roleOf({ ...given, 'force-skip-oidc': 'true' })?.tags?.length).toBe(1);
    for (const more of [{}, { 'force-skip-oidc': 'true', 'web-identity-token-file': '/token' }]) {
      const { message } = failureOf(() => roleOf({ ...given, ...more }));
      expect(message).toContain('custom-tags cannot be sent with an OIDC token');
    }
  });

  it('never show their values in a message', () => {
    const values = { a: 'hidden#value', b: ['hidden'], c: { d: 'hidden' }, e: 'hidden'.repeat(50) };
    for (const [key, value] of Object.entries(values)) {
      const { message, hint } = failureOf(() => tagsOf(JSON.stringify({ [key]: value })));
      expect(message).toContain(`custom-tags has a value for "${key}" that`);
      expect(`${message}${hint}`).not.toContain('hidden');
    }
  });
});

describe('the source of the first role', () => {
  it('is the token in web-identity-token-file, relative to the workspace, whatever else there is', () => {
    for (const [path, expected] of [
      ['/var/run/token', '/var/run/token'],
      ['out/token', '/home/runner/app/out/token'],
    ] as const) {
      for (const skip of ['true', 'false']) {
        const parsed = roleOf({ 'web-identity-token-file': path, 'force-skip-oidc': skip, audience: 'x' });
        expect(parsed).toMatchObject({ tokenFile: expected, audience: undefined });
        expect(parsed).not.toHaveProperty('skipsOidc');
      }
    }
  });

  it('is what the environment has with force-skip-oidc, in a job that may ask for a token, too', () => {
    expect(roleOf({ 'force-skip-oidc': 'true' })).toMatchObject({ skipsOidc: true, audience: undefined });
  });

  it('is GitHub otherwise, and unused inputs add nothing to the role', () => {
    const parsed = roleOf({
      'force-skip-oidc': 'false',
      'custom-tags': '',
      'managed-session-policies': ' \n',
    });
    expect(Object.keys(parsed ?? {}).sort()).toEqual([
      ...['arn', 'audience', 'durationSeconds', 'externalId', 'policy', 'sessionName', 'through'],
    ]);
    expect(parsed?.audience).toBe('sts.amazonaws.com');
  });

  it('does not repeat a token that was pasted instead of a path', () => {
    const jwt = `eyJ${'a'.repeat(20)}.eyJ${'b'.repeat(20)}.${'c'.repeat(20)}`;
    const { message, hint } = failureOf(() => roleOf({ 'web-identity-token-file': jwt }));
    expect(message).toBe('the input web-identity-token-file has a token in it');
    expect(hint).toContain('the path of the file');
  });
});

it.each([
  ['managed-session-policies', 'arn:aws:iam::aws:policy/ReadOnlyAccess', 'names policies'],
  ['custom-tags', '{"Team":"a"}', 'has tags'],
  ['web-identity-token-file', '/token', 'is set'],
])('%s without a role is INPUT_INVALID', (name, value, what) => {
  const { message, hint } = failureOf(() => roleOf({ 'role-to-assume': '', [name]: value }));
  expect(message).toBe(`the input ${name} ${what}, and role-to-assume names no role`);
  expect(hint).toBe('write role-to-assume, or leave it out');
});

it('force-skip-oidc and use-existing-credentials have no effect without a role', () => {
  const given = { 'role-to-assume': '', 'force-skip-oidc': 'true', 'use-existing-credentials': 'true' };
  expect(parseInputs(stepEnvironment(given))).toMatchObject({ role: undefined, useExisting: true });
});
