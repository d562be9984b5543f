/** The templates of examples/cloudformation and examples/terraform: linted, compared, and their policies evaluated like IAM. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { REGION } from './support/aws/world.ts';
import {
  KEY_ARN,
  makeStack,
  readTemplate,
  roleOf,
  templateFolder,
  templateNames,
} from './support/cloudformation.ts';
import { itWhere } from './support/needs.ts';
import {
  evaluate,
  hasTerraform,
  moduleFolder,
  refusalOf,
  terraformMissing,
  unformatted,
  validate,
  type Variables,
} from './support/terraform.ts';

const itWithTerraform = itWhere(hasTerraform, terraformMissing);
/** Debian and npm don't have it. */
const hasCfnLint = spawnSync('cfn-lint', ['--version']).status === 0;

const job = { Owner: 'acme', OwnerId: '1234', Repository: 'app', RepositoryId: '5678' };
const given: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'ci-role': { ...job, Job: 'environment:production', ParameterPath: '/team/keys' },
  'instance-profile': { KeyArn: KEY_ARN },
  'deploy-role': { ...job, TagKey: 'Tier', TagValue: 'web', OsUser: 'ubuntu' },
  'vpc-endpoints': { VpcId: 'vpc-1', SubnetIds: 'subnet-1', ClientSecurityGroupId: 'sg-1' },
  'kms-key': { KeyAlias: 'alias/deploy', KeySpec: 'RSA_3072', RoleName: 'deploy' },
  fleet: { Version: '1.0.0', Sha256: '0'.repeat(64), Keys: '/ci/deploy-key' },
};

/** ParameterPath → parameter_path. Terraform reserves the name `version`. */
const variableName = (parameter: string): string =>
  parameter === 'Version' ? 'release' : parameter.replaceAll(/(?<!^)([A-Z])/g, '_$1').toLowerCase();
const variablesOf = (name: string, more: Readonly<Record<string, string>> = {}): Variables =>
  Object.fromEntries(
    Object.entries({ ...given[name], ...more }).map(([key, value]) => [variableName(key), value]),
  );
const propertiesOf = (name: string, id: string): Readonly<Record<string, unknown>> =>
  makeStack(name, given[name]).resources[id]?.properties ?? {};

describe('a CloudFormation template', () => {
  itWhere(hasCfnLint, 'cfn-lint is missing: pip install cfn-lint (Debian and npm do not have it)')(
    'has nothing that cfn-lint finds',
    () => {
      const files = readdirSync(templateFolder).map((file) => join(templateFolder, file));
      const { stdout, stderr, status } = spawnSync('cfn-lint', ['--regions', REGION, '--', ...files], {
        encoding: 'utf8',
      });
      expect([stdout, stderr, status]).toEqual(['', '', 0]);
    },
  );

  it.each(templateNames)('%s describes each parameter, and says which values it takes', (name) => {
    for (const [parameter, { Type, Description, ...more }] of Object.entries(readTemplate(name).Parameters)) {
      expect([parameter, Description.length > 10]).toEqual([parameter, true]);
      const isChecked = Type !== 'String' || 'AllowedPattern' in more || 'AllowedValues' in more;
      expect([parameter, isChecked]).toEqual([parameter, true]);
    }
  });

  it.each([
    ['ci-role', { Owner: 'acme/app' }],
    ['ci-role', { Job: '*' }],
    ['ci-role', { Job: 'ref:refs/heads/*' }],
    ['ci-role', { Job: 'environment:${aws:userid}' }],
    ['ci-role', { ParameterPath: '/ci/*' }],
    ['ci-role', { ParameterPath: '/ci/' }],
    ['deploy-role', { OsUser: '*' }],
    ['deploy-role', { TagValue: '"}, "x": {"' }],
    ['kms-key', { KeyAlias: 'alias/*' }],
    ['kms-key', { KeySpec: 'SYMMETRIC_DEFAULT' }],
    ['kms-key', { RoleName: '*' }],
    ['kms-key', { RoleName: 'path/deploy' }],
    ['fleet', { Keys: "/ci/key'; rm -rf /; '" }],
    ['fleet', { Keys: '/ci/$(id)' }],
    ['fleet', { ReleaseUrl: 'http://example.com/releases' }],
    ['fleet', { Sha256: 'latest' }],
  ])('%s refuses %j, and so does Terraform', (name, wrong: Record<string, string>) => {
    const [parameter = ''] = Object.keys(wrong);
    expect(() => makeStack(name, { ...given[name], ...wrong })).toThrow(`${parameter} is not allowed`);
    if (hasTerraform)
      expect(refusalOf(name, variablesOf(name, wrong))).toContain(`${variableName(parameter)} has to`);
  });

  it('takes the usual values', () => {
    for (const Job of ['ref:refs/tags/v1.2.3', 'environment:prod eu', 'pull_request'])
      expect(roleOf(makeStack('ci-role', { ...job, Job })).trustPolicy).toMatchObject({ Statement: [{}] });
    const Keys =
      '/ci/lib-key github.com/acme/lib; arn:aws:ssm:eu-west-1:111122223333:parameter/ci/k passphrase=ssm:/ci/p';
    expect(makeStack('fleet', { ...given['fleet'], Keys }).resources).toHaveProperty('Association');
  });
});

describe.each([
  ['aws', 'sts.amazonaws.com'],
  ['aws-cn', 'sts.amazonaws.com.cn'],
  ['aws-us-gov', 'sts.amazonaws.com'],
])('the roles for jobs in the partition %s', (partition, audience) => {
  it.each(['ci-role', 'deploy-role'])('have the audience of the action: %s', (name) => {
    const stack = makeStack(name, given[name], { 'AWS::Partition': partition });
    const trust = JSON.stringify(stack.resources['Role']?.properties['AssumeRolePolicyDocument']);
    expect(trust).toContain(`"token.actions.githubusercontent.com:aud":"${audience}"`);
    const { Provider } = stack.resources;
    if (Provider) expect(Provider.properties['ClientIdList']).toEqual([audience]);
  });

  itWithTerraform('have it in Terraform, too', () => {
    for (const name of ['ci-role', 'deploy-role'])
      expect(evaluate({ name, variables: variablesOf(name), partition }, ['local.audience'])).toEqual([
        audience,
      ]);
  });
});

describe('the two forms of a template', () => {
  it('are there', () => {
    expect(readdirSync(moduleFolder).sort()).toEqual([...templateNames].sort());
    expect([...templateNames].sort()).toEqual(Object.keys(given).sort());
  });

  itWithTerraform('are formatted by Terraform', () => {
    expect(unformatted()).toBe('');
  });

  const validated = hasTerraform && templateNames.every((name) => validate(name) !== undefined);
  itWhere(
    validated,
    'terraform validate needs the AWS provider: terraform init in each folder of examples/terraform',
  )('are valid to Terraform', () => {
    for (const name of templateNames) expect([name, validate(name)]).toEqual([name, '']);
  });

  // The endpoints are a list there.
  it.each(templateNames.filter((name) => name !== 'vpc-endpoints'))(
    '%s takes the same values with the same defaults',
    (name) => {
      const text = readFileSync(join(moduleFolder, name, 'variables.tf'), 'utf8');
      const variables = text.split(/^variable /m).slice(1);
      const found = variables.map((block) => ({
        name: /^"(\w+)"/.exec(block)?.[1],
        default: /default += "?(.*?)"?$/m.exec(block)?.[1],
        pattern: /regex\("(.*)", var/.exec(block)?.[1],
      }));
      const wanted = Object.entries(readTemplate(name).Parameters).map(([parameter, more]) => ({
        name: variableName(parameter),
        default: more.Default,
        pattern: more.AllowedPattern,
      }));
      expect(found).toEqual(wanted);
    },
  );

  it('have the same endpoints, each with the same default', () => {
    const text = readFileSync(join(moduleFolder, 'vpc-endpoints/variables.tf'), 'utf8');
    const list = (words: RegExp): string[] =>
      [...(words.exec(text)?.[1] ?? '').matchAll(/"([^"]+)"/g)].map(([, one = '']) => one).sort();
    const parameters = Object.entries(readTemplate('vpc-endpoints').Parameters);
    const services = parameters.filter(([, { AllowedValues }]) => AllowedValues);
    const names = (chosen: typeof services): string[] => chosen.map(([one]) => one.toLowerCase()).sort();
    expect(list(/setsubtract\(var.services, \[(.*?)\]/)).toEqual(names(services));
    expect(list(/default += \[(.*?)\]/)).toEqual(
      names(services.filter(([, { Default }]) => Default === 'true')),
    );
    const { resources } = makeStack('vpc-endpoints', {
      ...given['vpc-endpoints'],
      ...Object.fromEntries(services.map(([one]) => [one, 'true'])),
    });
    const made = Object.values(resources).filter(({ type }) => type === 'AWS::EC2::VPCEndpoint');
    const endpoints = made.map(({ properties }) => properties);
    expect(endpoints.map(({ ServiceName }) => ServiceName).sort()).toEqual(
      names(services).map((service) => `com.amazonaws.${REGION}.${service}`),
    );
    const policies = readFileSync(join(moduleFolder, 'vpc-endpoints/policies.tf'), 'utf8');
    const withPolicy = endpoints.filter(({ PolicyDocument }) => PolicyDocument !== undefined);
    const listed = [...(/with_policy = \[(.*)\]/.exec(policies)?.[1] ?? '').matchAll(/"(\w+)"/g)];
    expect(withPolicy.map(({ ServiceName }) => String(ServiceName).split('.')[3]).sort()).toEqual(
      listed.map(([, service]) => service).sort(),
    );
  });

  itWithTerraform('have the same policies', () => {
    const documents = (name: string, wanted: readonly string[]): unknown[] =>
      evaluate(
        {
          name,
          variables: { ...variablesOf(name), ...(name === 'vpc-endpoints' && { subnet_ids: ['subnet-1'] }) },
        },
        wanted.map((one) => `local.${one}`),
      ).map((text): unknown => JSON.parse(String(text)));
    const ci = roleOf(makeStack('ci-role', given['ci-role']));
    expect(documents('ci-role', ['trust_policy', 'read_keys', 'key_policy'])).toEqual([
      ci.trustPolicy,
      ...ci.policies,
      propertiesOf('ci-role', 'Key')['KeyPolicy'],
    ]);
    const host = roleOf(makeStack('instance-profile', given['instance-profile']));
    expect(documents('instance-profile', ['trust_policy', 'read_keys'])).toEqual([
      host.trustPolicy,
      ...host.policies,
    ]);
    const deploy = roleOf(makeStack('deploy-role', given['deploy-role']));
    expect(documents('deploy-role', ['trust_policy', 'reach_hosts'])).toEqual([
      deploy.trustPolicy,
      ...deploy.policies,
    ]);
    expect(documents('kms-key', ['key_policy', 'sign'])).toEqual([
      propertiesOf('kms-key', 'Key')['KeyPolicy'],
      propertiesOf('kms-key', 'Signing')['PolicyDocument'],
    ]);
    expect(documents('vpc-endpoints', ['endpoint_policy'])).toEqual([
      propertiesOf('vpc-endpoints', 'SsmEndpoint')['PolicyDocument'],
    ]);
  });

  itWithTerraform('give instances the same policies with the defaults, and without Session Manager', () => {
    for (const SessionManager of ['true', 'false']) {
      const stack = makeStack('instance-profile', { SessionManager });
      const variables = { session_manager: SessionManager === 'true' };
      const wanted = ['local.managed_policies', 'local.read_keys'];
      const [managed, read] = evaluate({ name: 'instance-profile', variables }, wanted);
      expect(managed).toEqual(stack.resources['Role']?.properties['ManagedPolicyArns'] ?? []);
      expect(JSON.parse(String(read))).toEqual(roleOf(stack).policies[0]);
    }
  });

  it.each([
    ['ci-role', ['trust_policy', 'read_keys', 'key_policy']],
    ['instance-profile', ['trust_policy', 'read_keys', 'managed_policies']],
    ['deploy-role', ['trust_policy', 'reach_hosts']],
    ['kms-key', ['key_policy', 'sign']],
    ['vpc-endpoints', ['endpoint_policy']],
  ])('%s uses each policy in a resource of main.tf', (name, policies) => {
    const main = readFileSync(join(moduleFolder, name, 'main.tf'), 'utf8');
    expect(policies.filter((one) => !main.includes(`local.${one}`))).toEqual([]);
  });

  it('have the same document for a fleet, and associate it with the same values', () => {
    const document = parse(readFileSync(join(moduleFolder, 'fleet/document.yml'), 'utf8')) as unknown;
    expect(propertiesOf('fleet', 'Document')['Content']).toEqual(document);
    const main = readFileSync(join(moduleFolder, 'fleet/main.tf'), 'utf8');
    const [, block = ''] = /parameters = \{\n(.*?)\}/s.exec(main) ?? [];
    const passed = [...block.matchAll(/(\w+) += var\.(\w+)/g)].map(([, key, value]) => [key, value]);
    const names = Object.keys(propertiesOf('fleet', 'Association')['Parameters'] as object);
    expect(passed).toEqual(names.map((one) => [one, variableName(one)]));
  });
});

describe('the document of a fleet', () => {
  it('takes the same values as the template', () => {
    const { parameters } = propertiesOf('fleet', 'Document')['Content'] as {
      readonly parameters: Record<string, { readonly default?: string; readonly allowedPattern: string }>;
    };
    const { Parameters } = readTemplate('fleet');
    for (const [name, { default: value, allowedPattern }] of Object.entries(parameters))
      expect([name, value, allowedPattern]).toEqual([
        name,
        Parameters[name]?.Default,
        Parameters[name]?.AllowedPattern,
      ]);
    expect(Object.keys(parameters)).toEqual(
      Object.keys(propertiesOf('fleet', 'Association')['Parameters'] as object),
    );
  });
});
