/** Policy documents → JSON, a CloudFormation template, or Terraform's HCL. Pure. */
import type { Condition, PolicyDocument, Statement, Values } from '../../src/aws/statement.ts';
import type { Format } from './options.ts';

export interface Printed {
  /** What a role may do. Absent: only a trust policy is asked for. */
  readonly permissions: PolicyDocument | undefined;
  /** Who may assume the role. Absent: only permissions are asked for. */
  readonly trust: PolicyDocument | undefined;
}

/** JSON is one document: `permissions` and `trust` are not both there. */
export function print({ permissions, trust }: Printed, format: Format): string {
  if (format === 'cloudformation') return json(template({ permissions, trust }));
  if (format === 'terraform') return terraform({ permissions, trust });
  return json(permissions ?? trust);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * A managed policy, a role, or a role with its policy.
 *
 * @source CloudFormation User Guide, AWS::IAM::ManagedPolicy and AWS::IAM::Role
 */
function template({ permissions, trust }: Printed): object {
  const role = {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: trust,
      ...(permissions && { ManagedPolicyArns: [{ Ref: 'SsmSshAgentPolicy' }] }),
    },
  };
  const policy = {
    Type: 'AWS::IAM::ManagedPolicy',
    Properties: { Description: 'made by ssm-ssh-agent policy', PolicyDocument: permissions },
  };
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Resources: { ...(permissions && { SsmSshAgentPolicy: policy }), ...(trust && { SsmSshAgentRole: role }) },
  };
}

/** @source Terraform AWS Provider, aws_iam_policy_document, aws_iam_policy, aws_iam_role */
function terraform({ permissions, trust }: Printed): string {
  const parts = [
    ...(permissions ? [document('ssm_ssh_agent', permissions)] : []),
    ...(trust ? [document('ssm_ssh_agent_trust', trust)] : []),
    ...(permissions
      ? [
          block('resource "aws_iam_policy" "ssm_ssh_agent"', [
            'name_prefix = "ssm-ssh-agent-"',
            'policy      = data.aws_iam_policy_document.ssm_ssh_agent.json',
          ]),
        ]
      : []),
    ...(trust
      ? [
          block('resource "aws_iam_role" "ssm_ssh_agent"', [
            'name_prefix        = "ssm-ssh-agent-"',
            'assume_role_policy = data.aws_iam_policy_document.ssm_ssh_agent_trust.json',
          ]),
        ]
      : []),
    ...(permissions && trust
      ? [
          block('resource "aws_iam_role_policy_attachment" "ssm_ssh_agent"', [
            'role       = aws_iam_role.ssm_ssh_agent.name',
            'policy_arn = aws_iam_policy.ssm_ssh_agent.arn',
          ]),
        ]
      : []),
  ];
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function document(name: string, { Statement }: PolicyDocument): string[] {
  const statements = Statement.map(statementBlock);
  const lines = statements.flatMap((lines, number) => (number === 0 ? lines : ['', ...lines]));
  return block(`data "aws_iam_policy_document" "${name}"`, lines);
}

function statementBlock({ Sid, Action, Resource, Principal, Condition }: Statement): string[] {
  const written = [
    ['sid', text(Sid)],
    ['actions', list(Action)],
    ...(Resource === undefined ? [] : [['resources', list(Resource)]]),
  ] as const;
  const width = Math.max(...written.map(([name = '']) => name.length));
  return block('statement', [
    ...written.map(([name = '', value = '']) => `${name.padEnd(width)} = ${value}`),
    ...Object.entries(Principal ?? {}).flatMap(([type, identifiers]) => [
      '',
      ...block('principals', [`type        = ${text(type)}`, `identifiers = ${list(identifiers)}`]),
    ]),
    ...conditionBlocks(Condition ?? {}),
  ]);
}

function conditionBlocks(condition: Condition): string[] {
  return Object.entries(condition).flatMap(([operator, keys]) =>
    Object.entries(keys).flatMap(([variable, values]) => [
      '',
      ...block('condition', [
        `test     = ${text(operator)}`,
        `variable = ${text(variable)}`,
        `values   = ${list(values)}`,
      ]),
    ]),
  );
}

function block(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...lines.map((line) => (line === '' ? '' : `  ${line}`)), '}'];
}

function list(values: Values): string {
  return `[${[values].flat().map(text).join(', ')}]`;
}

/** In aws_iam_policy_document, `&{…}` is a variable of the policy. `${` and `%{` would begin a template of Terraform. */
function text(value: string): string {
  return JSON.stringify(value.replaceAll('${', '&{')).replaceAll('%{', '%%{');
}
