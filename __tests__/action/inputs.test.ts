/** The action's inputs, with the defaults that action.yml gives them. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseInputs } from '../../src/action/inputs.ts';
import { Failure } from '../../src/errors.ts';
import { failureOf, outcomeOf } from '../support/failure-of.ts';
import { action, stepEnvironment, token } from './step-environment.ts';
import { anyText } from '../support/any-text.ts';

const role = 'arn:aws:iam::111122223333:role/ci';
const hub = 'arn:aws:iam::444455556666:role/hub';
const statement = '{"Effect":"Allow","Action":"ssm:*","Resource":"*"}';

describe('the inputs', () => {
  it.each([
    ['/ci/key', { withAgent: true, withSsh: true }],
    ['/ci/key\n/ci/app as=github-app github.com/acme', { withAgent: true, withSsh: true }],
    ['/ci/app as=github-app github.com/acme', { withAgent: false, withSsh: false }],
    ['', { withAgent: false, withSsh: true }],
  ])('need an agent if there are keys, and our ssh unless each line is a GitHub App: %j', (keys, wanted) => {
    expect(parseInputs(stepEnvironment({ keys, 'role-to-assume': role }, token))).toMatchObject(wanted);
  });

  it('need only a key: all other values come from action.yml', () => {
    expect(parseInputs(stepEnvironment())).toEqual({
      keys: [
        {
          reference: { kind: 'parameter', text: '/ci/key', name: '/ci/key', selector: '' },
          repositories: [],
        },
      ],
      apps: [],
      useExisting: false,
      withAgent: true,
      withSsh: true,
      role: undefined,
      allowedAccounts: [],
      regions: [],
      knownHosts: '',
      strictHostKeyChecking: 'yes',
      keyLifetime: 21_600,
      maxAttempts: 5,
      timeoutSeconds: 120,
      restrictToHosts: false,
      sshConfig: false,
      gitSigning: false,
      summary: true,
    });
  });

  it('with a role have the defaults of the role inputs, too', () => {
    expect(parseInputs(stepEnvironment({ 'role-to-assume': role })).role).toEqual({
      arn: role,
      through: [],
      sessionName: 'acme-lib-42-1',
      durationSeconds: 900,
      audience: 'sts.amazonaws.com',
      externalId: undefined,
      policy: 'auto',
    });
  });

  it.each([
    [{ 'role-to-assume': role, keys: '' }, { keys: [] }],
    [{ 'key-lifetime': ' 15m\n' }, { keyLifetime: 900 }],
    [{ 'key-lifetime': '0' }, { keyLifetime: 0 }],
    [{ 'aws-region': 'us-gov-west-1' }, { regions: ['us-gov-west-1'] }],
    [{ 'aws-region': 'eu-west-1, us-east-1' }, { regions: ['eu-west-1', 'us-east-1'] }],
    [{ 'aws-region': 'eu-west-1\r\n us-east-1,\n\neu-west-1\n' }, { regions: ['eu-west-1', 'us-east-1'] }],
    [{ 'allowed-account-ids': '111122223333' }, { allowedAccounts: ['111122223333'] }],
    [
      { 'allowed-account-ids': '111122223333, 000011112222,\n111122223333' },
      { allowedAccounts: ['111122223333', '000011112222'] },
    ],
    [{ 'strict-host-key-checking': 'accept-new' }, { strictHostKeyChecking: 'accept-new' }],
    [{ 'strict-host-key-checking': 'no' }, { strictHostKeyChecking: 'no' }],
    [
      { 'known-hosts': 'a.example ssh-rsa AAAA\nb.example ssh-rsa AAAA\n' },
      { knownHosts: 'a.example ssh-rsa AAAA\nb.example ssh-rsa AAAA' },
    ],
    [{ 'known-hosts': '\n\n# ours\n' }, { knownHosts: '\n\n# ours' }],
    [
      { 'max-attempts': '1', 'timeout-seconds': '3600' },
      { maxAttempts: 1, timeoutSeconds: 3600 },
    ],
  ])('%j mean %j', (given, expected) => {
    expect(parseInputs(stepEnvironment(given))).toMatchObject(expected);
  });

  it.each([
    [{ 'role-session-name': 'me@example.com' }, { sessionName: 'me@example.com' }],
    [{ 'role-session-name': 'x='.repeat(32) }, { sessionName: 'x='.repeat(32) }],
    [{ 'role-duration-seconds': '43200' }, { durationSeconds: 43_200 }],
    [{ audience: 'https://github.com/acme' }, { audience: 'https://github.com/acme' }],
    [{ 'session-policy': 'none' }, { policy: 'none' }],
    [
      { 'session-policy': `{\n  "Statement": [${statement}]\n}` },
      { policy: { json: `{"Statement":[${statement}]}` } },
    ],
    [{ 'session-policy': `{"Statement":${statement}}` }, { policy: { json: `{"Statement":${statement}}` } }],
    [{ 'role-external-id': 'acme/42:x' }, { externalId: 'acme/42:x' }],
    [{ 'role-to-assume': `${hub}\n${role}` }, { through: [hub], arn: role }],
    [{ 'role-to-assume': ` ${hub} , ${role},\n\n${hub} ` }, { through: [hub, role], arn: hub }],
    [{ 'role-to-assume': `${hub},${role}`, 'role-duration-seconds': '3600' }, { durationSeconds: 3600 }],
    [{ 'role-to-assume': 'arn:aws-cn:iam::111122223333:role/ci' }, { audience: 'sts.amazonaws.com.cn' }],
    [{ 'role-to-assume': 'arn:aws-us-gov:iam::111122223333:role/ci' }, { audience: 'sts.amazonaws.com' }],
    [
      { 'role-to-assume': 'arn:aws:iam::111122223333:role/path/to/ci+x=@.-_' },
      { arn: 'arn:aws:iam::111122223333:role/path/to/ci+x=@.-_' },
    ],
  ])('%j mean a role with %j', (given, expected) => {
    expect(parseInputs(stepEnvironment({ 'role-to-assume': role, ...given })).role).toMatchObject(expected);
  });

  it.each([
    [{ AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'us-east-1' }, 'eu-west-1'],
    [{ AWS_DEFAULT_REGION: 'us-east-1' }, 'us-east-1'],
    [{ AWS_REGION: '', AWS_DEFAULT_REGION: 'us-east-1' }, 'us-east-1'],
    [{ AWS_REGION: '' }, undefined],
    [{ AWS_REGION: ' eu-west-1\r\n' }, 'eu-west-1'],
    [{ AWS_REGION: '\n', AWS_DEFAULT_REGION: 'us-east-1\n' }, 'us-east-1'],
  ])('take the region from %j where none is given', (env, region) => {
    expect(parseInputs(stepEnvironment({}, env)).regions).toEqual(region === undefined ? [] : [region]);
    expect(parseInputs(stepEnvironment({ 'aws-region': 'ap-south-1' }, env)).regions).toEqual(['ap-south-1']);
  });
});

describe('a wrong input', () => {
  const wrong: Readonly<Record<string, readonly string[]>> = {
    keys: ['', ' \n', '# none', 'ci/key', '/a *', '/a x=y', '-----BEGIN OPENSSH PRIVATE KEY-----'],
    'aws-region': [
      ',',
      'eu-west-1 us-east-1',
      'eu-west-1,Ireland',
      'eu-west-1,cn-north-1',
      'us-gov-west-1\nus-east-1',
      'eusc-de-east-1,eu-central-1',
      'eu-isoe-west-1,eu-west-1',
      'eu west',
      'EU-WEST-1',
      'ireland',
      '-',
      'eu-',
      'https://ssm.eu-west-1.amazonaws.com',
      'eu-west-1;x',
    ],
    'role-to-assume': [
      'ci',
      'arn:aws:iam::1111:role/ci',
      'arn:aws:iam::111122223333:role/',
      'arn:aws:iam::111122223333:user/ci',
      'arn:aws:iam:eu-west-1:111122223333:role/ci',
      'arn:aws:sts::111122223333:assumed-role/ci/x',
      ',',
      `${role} ${hub}`,
      `${role}\nci`,
      `${role},arn:aws-cn:iam::111122223333:role/ci`,
    ],
    'role-external-id': ['x', 'a b', 'a\nb', 'é'.repeat(3), 'x'.repeat(1225)],
    'allowed-account-ids': [
      '1111',
      '111122223333 444455556666',
      '111122223333;444455556666',
      '1111222233334',
      'acme',
      '٩'.repeat(12),
      '1111-2222-3333',
      ',',
      role,
    ],
    'role-session-name': ['x', 'a b', 'a/b', 'x'.repeat(65), 'é'.repeat(3), 'a\nb'],
    'role-duration-seconds': [
      ...['899', '43201', '-900', '15m', '900.0', '9e2', '0x384', '٩٠٠'],
      ...['9'.repeat(30), 'NaN'],
    ],
    'session-policy': [
      ...['AUTO', 'yes', 'none auto', '[]', '{', '{}'],
      ...['{"Statement":[]}', '{"Statement":{}}', '{"Statement":"all"}', '{"Statement":null}'],
      `{"statement":[${statement}]}`,
      `{"Statement":[${statement}],}`,
      `{"Statement":[${Array(50).fill(statement).join()}]}`,
    ],
    'managed-session-policies': ['ReadOnlyAccess', role, 'arn:aws:iam::111122223333:policy/'],
    'custom-tags': [
      'Team=a',
      '[]',
      '"a"',
      'null',
      '{"a":1.5}',
      '{"a":null}',
      '{"":"a"}',
      '{"a":"b","A":"b"}',
    ],
    'transitive-tag-keys': ['Team'],
    'web-identity-token-file': ['/a\n/b', '/a\0b'],
    'force-skip-oidc': ['yes', 'no', '1', 'TRUE'],
    'use-existing-credentials': ['yes', 'no', '1', 'TRUE'],
    'mask-aws-account-id': ['yes', 'no', '1', 'TRUE'],
    'strict-host-key-checking': ['ask', 'off', 'YES', 'true', 'accept_new'],
    'restrict-to-hosts': ['yes', '1', 'TRUE'],
    'git-signing': ['yes', 'no', '1', 'TRUE'],
    'ssh-config': ['yes', 'no', '1', 'TRUE'],
    summary: ['yes', 'no', '1', 'TRUE'],
    'key-lifetime': ['six hours', '6 h', '-1', '1.5h', '99999w'],
    'max-attempts': ['0', '101', '-1', 'five', '1.5'],
    'timeout-seconds': ['0', '3601', '2m', '1e3'],
  };

  it.each(Object.entries(wrong).flatMap(([name, values]) => values.map((value) => [name, value] as const)))(
    'is INPUT_INVALID and named: %s, %j',
    (name, value) => {
      const failure = failureOf(() => parseInputs(stepEnvironment({ [name]: value })));
      expect(failure.code).toBe('INPUT_INVALID');
      expect(failure.message).toMatch(new RegExp(`^(the input )?${name}\\b`));
      expect(failure.hint).toMatch(/^(write|store) /);
    },
  );

  it('is tested for each input of action.yml that has rules', () => {
    const free = ['audience', 'known-hosts']; // Any text, or checked where the host keys are put together.
    expect([...Object.keys(wrong), ...free].sort()).toEqual([...action.inputs.keys()].sort());
  });

  it('is refused even if it has no effect without a role', () => {
    const failure = failureOf(() =>
      parseInputs(stepEnvironment({ 'role-duration-seconds': 'soon', 'role-to-assume': '' })),
    );
    expect(failure.message).toContain('role-duration-seconds');
  });

  it.each([
    [{ 'role-external-id': 'acme-42' }, {}, ['role-external-id', 'role-to-assume']],
    [
      { 'role-external-id': 'acme-42', 'role-to-assume': role },
      token,
      ['role-external-id', 'role-to-assume'],
    ],
    [{ 'session-policy': `{"Statement":[${statement}]}` }, {}, ['session-policy', 'role-to-assume']],
    [
      { 'role-duration-seconds': '3601', 'role-to-assume': `${hub},${role}` },
      {},
      ['role-duration-seconds', 'role-to-assume'],
    ],
  ])('that contradicts another is refused, and both are named: %j with %j', (given, env, names) => {
    const failure = failureOf(() => parseInputs(stepEnvironment(given, env)));
    expect(failure.code).toBe('INPUT_INVALID');
    for (const name of names) expect(failure.message).toContain(name);
  });

  it('is not an external id in a chain of roles, or with other credentials', () => {
    const given = { 'role-external-id': 'acme-42', 'role-to-assume': `${hub},${role}` };
    expect(parseInputs(stepEnvironment(given, token)).role?.externalId).toBe('acme-42');
    expect(parseInputs(stepEnvironment({ ...given, 'role-to-assume': role })).role?.externalId).toBe(
      'acme-42',
    );
    for (const [name, value] of Object.entries(token)) {
      const env = stepEnvironment({ ...given, 'role-to-assume': role }, { [name]: value });
      expect(parseInputs(env).role?.externalId).toBe('acme-42');
    }
  });

  it('is not a policy that is short enough without its white space', () => {
    const policyOf = (length: number): string => {
      const empty = JSON.stringify({ Statement: [{ Resource: '' }] });
      return JSON.stringify({ Statement: [{ Resource: 'x'.repeat(length - empty.length) }] }, undefined, 2);
    };
    const parse = (length: number): unknown =>
      parseInputs(stepEnvironment({ 'role-to-assume': role, 'session-policy': policyOf(length) }));
    expect(() => parse(2048)).not.toThrow();
    expect(failureOf(() => parse(2049)).message).toContain('2049 characters');
  });

  it('in AWS_REGION is not reported as the input aws-region', () => {
    const failure = failureOf(() => parseInputs(stepEnvironment({}, { AWS_REGION: 'Ireland' })));
    expect(failure.message).toContain('AWS_REGION');
  });

  it.each([
    ['inline-session-policy', 'session-policy'],
    ['retry-max-attempts', 'max-attempts'],
    ['action-timeout-s', 'timeout-seconds'],
  ])('with the name %s gets a hint to %s', (name, ours) => {
    const failure = failureOf(() => parseInputs(stepEnvironment({ [name]: '1' })));
    expect(failure).toMatchObject({ code: 'INPUT_INVALID', hint: `write ${ours}` });
    expect(failure.message).toContain(name);
    expect(action.inputs.has(ours)).toBe(true);
    expect(parseInputs(stepEnvironment({ [name]: ' ' })).maxAttempts).toBe(5);
  });

  it('always throws a Failure', () => {
    const name = fc.constantFrom(...action.inputs.keys());
    fc.assert(
      fc.property(fc.dictionary(name, anyText()), (given) => {
        const outcome = outcomeOf(() => parseInputs(stepEnvironment(given)));
        return !(outcome instanceof Failure) || outcome.code === 'INPUT_INVALID';
      }),
      { numRuns: 1000 },
    );
  });
});
