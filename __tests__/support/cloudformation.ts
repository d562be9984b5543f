/** The templates of examples/cloudformation: their YAML, and what CloudFormation would make of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { ACCOUNT, REGION } from './aws/world.ts';
import { parsePolicy, type PolicyDocument } from './aws/iam/policy-document.ts';

export const templateFolder = join(dirname(dirname(import.meta.dirname)), 'examples/cloudformation');
/** `ci-role` */
export const templateNames: readonly string[] = readdirSync(templateFolder).map((file) =>
  file.replace('.yml', ''),
);

export interface TemplateParameter {
  readonly Type: string;
  readonly Description: string;
  readonly Default?: string;
  readonly AllowedPattern?: string;
  readonly AllowedValues?: readonly string[];
}

/** The key that AWS makes for ci-role, unless a test has one. */
export const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;

interface Template {
  readonly Parameters: Readonly<Record<string, TemplateParameter>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, { Type: string; Condition?: string; Properties: unknown }>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
}

/** Intrinsic functions have their long form: `{ 'Fn::Sub': … }`. */
export function readTemplate(name: string): Template {
  const text = readFileSync(join(templateFolder, `${name}.yml`), 'utf8');
  return valueOf(parseDocument(text, { logLevel: 'silent' }).contents) as Template;
}

/** `yaml` keeps tags that it does not know, such as `!Sub`, on the nodes. */
function valueOf(node: unknown): unknown {
  const tag = isMap(node) || isSeq(node) || isScalar(node) ? node.tag : undefined;
  const plain = plainValue(node);
  if (!tag?.startsWith('!')) return plain;
  const name = tag.slice(1);
  if (name === 'GetAtt' && typeof plain === 'string') return { 'Fn::GetAtt': plain.split('.') };
  return { [name === 'Ref' ? 'Ref' : `Fn::${name}`]: plain };
}

function plainValue(node: unknown): unknown {
  if (isMap(node)) {
    return Object.fromEntries(node.items.map(({ key, value }) => [String(key), valueOf(value)]));
  }
  if (isSeq(node)) return node.items.map(valueOf);
  return isScalar(node) ? node.value : null;
}

export interface Resource {
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface Stack {
  /** By logical id, without those whose condition is false. */
  readonly resources: Readonly<Record<string, Resource>>;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** @param attributes what AWS makes: `Role.Arn`, and `Role` for its name. Default: these words themselves. */
export function makeStack(
  name: string,
  parameters: Readonly<Record<string, string>> = {},
  attributes: Readonly<Record<string, string>> = {},
): Stack {
  const template = readTemplate(name);
  const names: Record<string, string> = {
    ...{ 'AWS::Partition': 'aws', 'AWS::Region': REGION, 'AWS::AccountId': ACCOUNT },
    'AWS::URLSuffix': 'amazonaws.com',
    ...Object.fromEntries(Object.keys(template.Resources).map((id) => [id, id])),
    'Key.Arn': KEY_ARN,
    ...attributes,
    ...parameterValues(template, parameters),
  };
  const resolver = new Resolver(template.Conditions ?? {}, names);
  const resources = Object.entries(template.Resources)
    .filter(([, { Condition }]) => Condition === undefined || resolver.holds(Condition))
    .map(([id, { Type: type, Properties }]) => [id, { type, properties: resolver.resolve(Properties) }]);
  return {
    resources: Object.fromEntries(resources) as Stack['resources'],
    outputs: Object.fromEntries(
      Object.entries(template.Outputs).map(([id, { Value }]) => [id, resolver.resolve(Value)]),
    ),
  };
}

/** Throws for a value that CloudFormation refuses. */
function parameterValues(
  { Parameters }: Template,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const unknown = Object.keys(given).filter((name) => !(name in Parameters));
  if (unknown.length > 0) throw new TypeError(`no such parameter: ${unknown.join()}`);
  return Object.fromEntries(
    Object.entries(Parameters).map(([name, { Default, AllowedPattern, AllowedValues }]) => {
      const value = given[name] ?? Default;
      if (value === undefined) throw new TypeError(`no value for ${name}`);
      const fits = AllowedPattern === undefined || new RegExp(`^(?:${AllowedPattern})$`).test(value);
      if (!fits || AllowedValues?.includes(value) === false) throw new TypeError(`${name} is not allowed`);
      return [name, value];
    }),
  );
}

const nothing = Symbol('AWS::NoValue');

class Resolver {
  readonly #conditions: Readonly<Record<string, unknown>>;
  readonly #names: Readonly<Record<string, string>>;

  constructor(conditions: Readonly<Record<string, unknown>>, names: Readonly<Record<string, string>>) {
    this.#conditions = conditions;
    this.#names = names;
  }

  holds(condition: string): boolean {
    return this.resolve(this.#conditions[condition]) === true;
  }

  resolve(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((one) => this.resolve(one)).filter((one) => one !== nothing);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [[name, argument] = ['', undefined]] = entries;
    if (entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::')))
      return this.#call(name, argument);
    const resolved = entries.map(([key, inner]) => [key, this.resolve(inner)] as const);
    return Object.fromEntries(resolved.filter(([, inner]) => inner !== nothing));
  }

  #call(name: string, argument: unknown): unknown {
    const list = (): unknown[] => argument as unknown[];
    switch (name) {
      case 'Ref':
        return argument === 'AWS::NoValue' ? nothing : this.#named(String(argument));
      case 'Fn::GetAtt':
        return this.#names[list().join('.')] ?? list().join('.');
      case 'Fn::Sub':
        return String(argument).replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, inner: string) =>
          literal === '!' ? `\${${inner}}` : this.#named(inner),
        );
      case 'Fn::Equals': {
        const [left, right] = list().map((one) => this.resolve(one));
        return left === right;
      }
      case 'Fn::Not':
        return this.resolve(list()[0]) !== true;
      case 'Fn::If':
        return this.resolve(list()[this.holds(String(list()[0])) ? 1 : 2]);
      default:
        throw new TypeError(`not modelled: ${name}`);
    }
  }

  #named(name: string): string {
    const value = this.#names[name];
    if (value === undefined) throw new TypeError(`there is no ${name}`);
    return value;
  }
}

export interface RoleOfStack {
  readonly trustPolicy: PolicyDocument;
  /** The inline policies. */
  readonly policies: readonly PolicyDocument[];
}

/** The role with the logical id `Role`. IAM's own rules for policies are checked. */
export function roleOf({ resources }: Stack): RoleOfStack {
  const role = resources['Role']?.properties as {
    readonly AssumeRolePolicyDocument: unknown;
    readonly Policies: readonly { readonly PolicyDocument: unknown }[];
  };
  return {
    trustPolicy: parsePolicy(jsonOf(role.AssumeRolePolicyDocument), 'trust'),
    policies: role.Policies.map(({ PolicyDocument }) => parsePolicy(jsonOf(PolicyDocument), 'permission')),
  };
}

/** IAM takes an object, and JSON. */
const jsonOf = (document: unknown): string =>
  typeof document === 'string' ? document : JSON.stringify(document);
