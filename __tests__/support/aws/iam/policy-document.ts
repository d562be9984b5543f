/** IAM policy documents: their structure, and the errors of invalid JSON. Pure. */
import { AwsError } from '../errors.ts';

export type OneOrMany<T> = T | readonly T[];
export type Condition = Readonly<
  Record<string, Readonly<Record<string, OneOrMany<string | boolean | number>>>>
>;
export type PrincipalElement = '*' | Readonly<Record<string, OneOrMany<string>>>;

export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: PrincipalElement;
  readonly Action?: OneOrMany<string>;
  readonly NotAction?: OneOrMany<string>;
  readonly Resource?: OneOrMany<string>;
  readonly NotResource?: OneOrMany<string>;
  readonly Condition?: Condition;
}

export interface PolicyDocument {
  readonly Version?: '2012-10-17' | '2008-10-17';
  readonly Id?: string;
  readonly Statement: OneOrMany<Statement>;
}

export function many<T>(value: OneOrMany<T> | undefined): readonly T[] {
  if (value === undefined) return [];
  return isList(value) ? value : [value];
}

function isList<T>(value: OneOrMany<T>): value is readonly T[] {
  return Array.isArray(value);
}

const OPERATORS = new Set(
  [
    ...['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase'],
    ...['StringLike', 'StringNotLike', 'ArnEquals', 'ArnNotEquals', 'ArnLike', 'ArnNotLike', 'Bool'],
    ...['NumericEquals', 'NumericLessThan', 'NumericLessThanEquals'],
    ...['NumericGreaterThan', 'NumericGreaterThanEquals', 'IpAddress'],
  ].flatMap((name) => [name, `${name}IfExists`]),
).add('Null');
const ELEMENTS = [
  'Sid',
  'Effect',
  'Principal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
];

/** `permission` policies name resources, `trust` policies name principals. Throws MalformedPolicyDocument. */
export function parsePolicy(json: string, kind: 'permission' | 'trust'): PolicyDocument {
  const document = parseJson(json);
  if (!isRecord(document) || document['Statement'] === undefined) throw malformed('Syntax errors in policy.');
  const { Version: version = '2008-10-17', Statement: statement } = document;
  if (version !== '2012-10-17' && version !== '2008-10-17') {
    throw malformed('The policy must contain a valid version string');
  }
  const statements: readonly unknown[] = Array.isArray(statement) ? statement : [statement];
  const sids = new Set<unknown>();
  for (const entry of statements) {
    checkStatement(entry, kind);
    if (entry.Sid === undefined) continue;
    if (sids.has(entry.Sid)) throw malformed('Statement IDs (SID) in a single policy must be unique.');
    sids.add(entry.Sid);
  }
  return document as unknown as PolicyDocument;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw malformed('This policy contains invalid Json');
  }
}

function checkStatement(entry: unknown, kind: 'permission' | 'trust'): asserts entry is Statement {
  if (!isRecord(entry) || Object.keys(entry).some((name) => !ELEMENTS.includes(name))) {
    throw malformed('Syntax errors in policy.');
  }
  const statement = entry as unknown as Statement;
  if (!['Allow', 'Deny'].includes(statement.Effect)) throw malformed('Syntax errors in policy.');
  if (statement.Sid !== undefined && !/^[A-Za-z0-9]*$/.test(statement.Sid)) {
    throw malformed(
      'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies [0-9A-Za-z]*',
    );
  }
  checkActions(statement);
  if (kind === 'permission') checkResources(statement);
  else checkTrust(statement);
  for (const operator of Object.keys(statement.Condition ?? {})) {
    if (!OPERATORS.has(operator.replace(/^(ForAnyValue|ForAllValues):/, ''))) {
      throw malformed(`Invalid Condition type : ${operator}.`);
    }
  }
}

function checkActions(statement: Statement): void {
  const actions = [...many(statement.Action), ...many(statement.NotAction)];
  if (actions.length === 0) throw malformed('Policy statement must contain actions.');
  const wrong = actions.find((action) => action !== '*' && !/^[\w-]+:[\w*?]+$/.test(action));
  if (wrong === undefined) return;
  throw malformed(
    wrong.includes(':')
      ? `Actions/Conditions can contain only one colon.`
      : 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
  );
}

function checkResources(statement: Statement): void {
  if (statement.Principal !== undefined) throw malformed('Policy document should not specify a principal.');
  const resources = [...many(statement.Resource), ...many(statement.NotResource)];
  if (resources.length === 0) throw malformed('Policy statement must contain resources.');
  const wrong = resources.find((resource) => resource !== '*' && !/^arn:([^:]*:){4}./.test(resource));
  if (wrong !== undefined) throw malformed(`Resource ${wrong} must be in ARN format or "*".`);
}

function checkTrust(statement: Statement): void {
  if (statement.Principal === undefined) throw malformed('Missing required field Principal');
  if (statement.Resource !== undefined || statement.NotResource !== undefined) {
    throw malformed('Has prohibited field Resource');
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(message: string): AwsError {
  return new AwsError({ code: 'MalformedPolicyDocument', message });
}
