/**
 * The templates of examples/cloudformation, deployed by moto's CloudFormation with the real AWS CLI.
 *
 * moto 5.2.1 makes each AWS::KMS::Key as a symmetric one. It makes neither AWS::IAM::OIDCProvider nor AWS::SSM::Association, and attaches no ManagedPolicyArns. It has no
 * outputs of a stack that a change set made, and does not check AllowedPattern. It stores an inline policy that is an object as Python's text of it, and AWS::NoValue in it as
 * None.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startBackend, type Backend } from '../../support/backend.ts';
import { makeStack, templateFolder, type Stack } from '../../support/cloudformation.ts';
import { installed } from '../../support/needs.ts';

const job = { Owner: 'acme', OwnerId: '1234', Repository: 'app', RepositoryId: '5678' };
const notInMoto = ['AWS::IAM::OIDCProvider', 'AWS::SSM::Association'];

it('reads the templates', () => {
  expect(Object.keys(makeStack('ci-role', job).resources)).toEqual(['Provider', 'Role', 'Key', 'Alias']);
});

const { MOTO_ENDPOINT } = process.env;
if (MOTO_ENDPOINT !== undefined && installed('aws')) {
  describe('CloudFormation', () => {
    let backend: Backend;
    beforeEach(async () => {
      backend = await startBackend();
    });
    afterEach(() => backend.stop());

    const cli = (command: string, ...more: readonly string[]): string => {
      const { stdout, stderr, status } = spawnSync('aws', [...command.split(' '), ...more], {
        encoding: 'utf8',
        env: {
          ...process.env,
          ...{ AWS_ENDPOINT_URL: MOTO_ENDPOINT, AWS_DEFAULT_REGION: backend.region, AWS_PAGER: '' },
          ...{ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'moto does not check it' },
        },
      });
      expect([stderr, status]).toEqual(['', 0]);
      return stdout;
    };
    /** @param query what of the answer: jmespath.org */
    const ask = (command: string, query: string): unknown =>
      JSON.parse(cli(`${command} --output json --query`, query));

    /** By logical id: what was made. */
    const deploy = (name: string, parameters: Record<string, string> = {}): Record<string, string> => {
      const given = Object.entries(parameters).map(([key, value]) => `${key}=${value}`);
      const more = given.length === 0 ? [] : ['--parameter-overrides', ...given];
      const file = join(templateFolder, `${name}.yml`);
      cli(
        `cloudformation deploy --capabilities CAPABILITY_IAM --stack-name ${name} --template-file`,
        file,
        ...more,
      );
      const pairs = 'StackResources[?LogicalResourceId].[LogicalResourceId, PhysicalResourceId]';
      const made = ask(`cloudformation describe-stack-resources --stack-name ${name}`, pairs);
      return Object.fromEntries(made as [string, string][]);
    };
    /** All that the template makes, without what moto lacks. */
    const madeBy = (stack: Stack): string[] =>
      Object.keys(stack.resources).filter((id) => !notInMoto.includes(stack.resources[id]?.type ?? ''));
    const policy = (role = '', name = ''): unknown =>
      ask(`iam get-role-policy --role-name ${role} --policy-name ${name}`, 'PolicyDocument');

    it('makes the role, the key and the alias of ci-role, and the key encrypts a parameter', () => {
      const { Role = '', Key = '', ...more } = deploy('ci-role', job);
      expect(Object.keys({ Role, Key, ...more })).toEqual(madeBy(makeStack('ci-role', job)));
      const trust = ask(`iam get-role --role-name ${Role}`, 'Role.AssumeRolePolicyDocument');
      expect(JSON.stringify(trust)).toContain('repo:acme@1234/app@5678:ref:refs/heads/main');
      expect(policy(Role, 'read-keys')).toContain(`key/${Key}`);
      expect(ask('kms list-aliases', 'Aliases[?TargetKeyId].[AliasName, TargetKeyId]')).toContainEqual([
        'alias/ci-keys',
        Key,
      ]);
      expect(ask(`kms get-key-rotation-status --key-id ${Key}`, 'KeyRotationEnabled')).toBe(true);
      cli('ssm put-parameter --name /ci/key --type SecureString --value text --key-id alias/ci-keys');
      expect(ask('ssm get-parameter --with-decryption --name /ci/key', 'Parameter.Value')).toBe('text');
    });

    it('makes the instance profile with its role', () => {
      const { Role = '', InstanceProfile = '' } = deploy('instance-profile');
      const profile = `iam get-instance-profile --instance-profile-name ${InstanceProfile}`;
      expect(ask(profile, 'InstanceProfile.Roles[].RoleName')).toEqual([Role]);
      expect(policy(Role, 'read-keys')).toContain(`:parameter/ci/*`);
      expect(policy(Role, 'read-keys')).not.toContain('kms:Decrypt');
    });

    it('makes the endpoints that the parameters choose, open to the security group of the instances', () => {
      const [VpcId = '', SubnetIds = ''] = ask(
        'ec2 describe-subnets',
        'Subnets[0].[VpcId, SubnetId]',
      ) as string[];
      const ClientSecurityGroupId = String(ask('ec2 describe-security-groups', 'SecurityGroups[0].GroupId'));
      const chosen = { Sts: 'true', Ssmmessages: 'false' };
      const made = deploy('vpc-endpoints', { VpcId, SubnetIds, ClientSecurityGroupId, ...chosen });
      expect(Object.keys(made).sort()).toEqual(['SecurityGroup', 'SsmEndpoint', 'StsEndpoint']);
      const endpoints =
        'sort_by(VpcEndpoints, &ServiceName)[].[ServiceName, PrivateDnsEnabled, SubnetIds[0]]';
      expect(ask('ec2 describe-vpc-endpoints', endpoints)).toEqual([
        [`com.amazonaws.${backend.region}.ssm`, true, SubnetIds],
        [`com.amazonaws.${backend.region}.sts`, true, SubnetIds],
      ]);
      const group = `ec2 describe-security-groups --group-ids ${made['SecurityGroup'] ?? ''}`;
      expect(
        ask(
          group,
          'SecurityGroups[0].IpPermissions[].[FromPort, ToPort, UserIdGroupPairs[].GroupId, IpRanges]',
        ),
      ).toEqual([[443, 443, [ClientSecurityGroupId], []]]);
    });

    it('makes the role of deploy-role, for the tag and the user', () => {
      const { Role = '' } = deploy('deploy-role', {
        ...job,
        TagKey: 'Tier',
        TagValue: 'web',
        OsUser: 'ubuntu',
      });
      const text = JSON.stringify(policy(Role, 'reach-hosts'));
      expect(text).toContain('{"aws:ResourceTag/Tier":"web","ec2:osuser":"ubuntu"}');
      expect(text).toContain('{"ssm:resourceTag/aws:ssmmessages:session-id":"${aws:userid}"}');
    });

    it('makes the key of kms-key, its alias, and the policy of the role', () => {
      const trust = '{"Version":"2012-10-17","Statement":[]}';
      cli('iam create-role --role-name deploy --assume-role-policy-document', trust);
      const parameters = { KeyAlias: 'alias/deploy', RoleName: 'deploy' };
      const { Key = '', ...more } = deploy('kms-key', parameters);
      expect(Object.keys({ Key, ...more })).toEqual(madeBy(makeStack('kms-key', parameters)));
      expect(ask('kms list-aliases', 'Aliases[?TargetKeyId].[AliasName, TargetKeyId]')).toContainEqual([
        'alias/deploy',
        Key,
      ]);
      expect(JSON.stringify(policy('deploy', `sign-${Key}`))).toContain(`key/${Key}`);
    });

    it("makes the document of a fleet, which has the template's commands", () => {
      const parameters = { Version: '1.0.0', Sha256: '0'.repeat(64), Keys: '/ci/deploy-key' };
      const { Document = '', ...more } = deploy('fleet', parameters);
      expect(more).toEqual({});
      // CloudFormation's content is an object, not its text.
      const content = ask(`ssm get-document --name ${Document}`, 'Content');
      const { resources } = makeStack('fleet', parameters);
      expect(content).toEqual(resources['Document']?.properties['Content']);
    });
  });
}
