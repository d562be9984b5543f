/** The printed forms of policies. cfn-lint and Terraform check them in e2e/policy.test.ts where they are installed. */
import { describe, expect, it } from '@jest/globals';
import { parseLine } from '../../helper/command-line/parse.ts';
import { print } from '../../helper/policy/formats.ts';
import { policyOptions } from '../../helper/policy/options.ts';
import { parsePolicyLine, type PolicyLine } from '../../helper/policy/wish.ts';
import { documentOf, type Statement } from '../../src/aws/statement.ts';
import { parseReference } from '../../src/keys/reference.ts';
import { failureOf } from '../support/failure-of.ts';

const statement: Statement = {
  Sid: 'OwnSessions',
  Effect: 'Allow',
  Action: ['ssm:ResumeSession', 'ssm:TerminateSession'],
  Resource: 'arn:aws:ssm:eu-west-1:111122223333:session/*',
  Condition: { StringLike: { 'ssm:resourceTag/aws:ssmmessages:session-id': '${aws:userid}' } },
};
const permissions = documentOf([statement]);
const trust = documentOf([
  {
    ...{ Sid: 'TrustGitHub', Effect: 'Allow', Principal: { Federated: 'arn:x' } },
    Action: 'sts:AssumeRoleWithWebIdentity',
  },
]);

describe('a printed policy', () => {
  it('is a document of JSON', () => {
    expect(JSON.parse(print({ permissions, trust: undefined }, 'json'))).toEqual(permissions);
    expect(JSON.parse(print({ permissions: undefined, trust }, 'json'))).toEqual(trust);
  });

  it('is a template of CloudFormation, whose role has the policy', () => {
    const read = (printed: Parameters<typeof print>[0]): unknown =>
      JSON.parse(print(printed, 'cloudformation'));
    expect(read({ permissions, trust })).toMatchObject({
      Resources: {
        SsmSshAgentPolicy: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: permissions } },
        SsmSshAgentRole: {
          Type: 'AWS::IAM::Role',
          Properties: {
            AssumeRolePolicyDocument: trust,
            ManagedPolicyArns: [{ Ref: 'SsmSshAgentPolicy' }],
          },
        },
      },
    });
    expect(JSON.stringify(read({ permissions: undefined, trust }))).not.toContain('SsmSshAgentPolicy');
  });

  it('is Terraform, in which a variable of the policy is not one of Terraform', () => {
    const text = print({ permissions, trust }, 'terraform');
    expect(text).toContain('values   = ["&{aws:userid}"]');
    expect(text).not.toContain('${');
    expect(text).toContain('assume_role_policy = data.aws_iam_policy_document.ssm_ssh_agent_trust.json');
    expect(text).toContain('resource "aws_iam_role_policy_attachment" "ssm_ssh_agent"');
    expect(print({ permissions, trust: undefined }, 'terraform')).not.toContain('aws_iam_role');
  });

  it('is Terraform with an empty line between two statements, and none before the first', () => {
    const text = print({ permissions: documentOf([statement, statement]), trust: undefined }, 'terraform');
    expect(text).toMatch(/^data .* \{\n {2}statement \{\n/);
    expect(text).toContain('\n  }\n\n  statement {\n');
  });
});

const line: PolicyLine = {
  ...{
    references: [],
    signing: [],
    host: [],
    user: undefined,
    via: undefined,
    for: undefined,
    format: 'json',
    json: false,
  },
  ...{ 'kms-key-id': undefined, 'account-id': undefined },
  ...{ trust: [], branch: [], 'git-tag': [], environment: [], 'pull-request': false },
};
const references = [parseReference('/ci/key')];

describe('the options of policy', () => {
  it.each<[Partial<PolicyLine>, string]>([
    [{}, 'policy has nothing to allow'],
    [{ host: ['i-0123456789abcdef0'], for: 'write' }, '--for belongs to a key'],
    [{ references, user: 'me' }, '--user belongs to --host'],
    [{ references, via: 'direct' }, '--via belongs to --host'],
    [{ host: ['i-0123456789abcdef0'], via: 'vpn' }, '--via is not a way to connect'],
    [{ host: ['i-0123456789abcdef0'], 'kms-key-id': 'alias/ci' }, '--kms-key-id belongs to a key'],
    [{ references, 'account-id': '1111' }, '--account-id is not an account'],
    [{ references, trust: ['acme/app'], branch: ['main'] }, 'two documents of JSON'],
    [{ references, json: true, format: 'terraform' }, '--json and --format terraform do not go together'],
    [{ references, json: true, format: 'cloudformation' }, '--json and --format cloudformation do not'],
  ])('are refused: %j', (wrong, message) => {
    const failure = failureOf(() => parsePolicyLine({ ...line, ...wrong }));
    expect([failure.code, failure.message]).toEqual(['INPUT_INVALID', expect.stringContaining(message)]);
    expect(failure.hint).not.toBe('');
  });

  it('may say twice that JSON is printed', () => {
    expect(parsePolicyLine({ ...line, references, json: true }).references).toEqual(references);
  });

  it.each([
    ['--for', 'wirte', 'write'],
    ['--format', 'terrafrom', 'terraform'],
    ['--via', 'sesion-manager', 'session-manager'],
  ])('%s %s is refused, with the value that was meant', (option, value, meant) => {
    const failure = failureOf(() => parseLine(['/ci/key', option, value], policyOptions));
    expect([failure.message, failure.hint]).toEqual([
      `${option} cannot be "${value}"`,
      `did you mean ${meant}?`,
    ]);
  });

  it('say for which hosts no key is pushed', () => {
    expect(parsePolicyLine({ ...line, host: ['i-0123456789abcdef0', 'Name=web'] }).notes).toEqual([
      expect.stringContaining('no key may be pushed to i-0123456789abcdef0, Name=web: pass --user NAME'),
    ]);
    expect(parsePolicyLine({ ...line, host: ['mi-0123456789abcdef0', 'me@Name=web'] }).notes).toEqual([]);
  });
});
