/** The same reference is another key in another Region, and with another role. */
import { afterEach, beforeEach, expect } from '@jest/globals';
import { ACCOUNT, allow, REGION } from '../../support/aws/world.ts';
import { INSTANCE_ROLE, launchInstance } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';
import { useHost } from './use-host.ts';
import { itInTurn as it } from '../../support/parts.ts';

const farRegion = 'us-east-1';
const [blue, green] = ['222233334444', '555566667777'] as const;
const role = (account: string): string => `arn:aws:iam::${account}:role/reader`;
const repositories = ['acme/near', 'acme/far', 'acme/blue', 'acme/green'] as const;

describeOnHost('keys of the same name in several Regions', () => {
  const stand = useHost();
  let keys: SshKey[];

  beforeEach(async () => {
    const { world, git, host } = stand;
    keys = await Promise.all(repositories.map(() => makeSshKey()));
    for (const [index, { publicKey }] of keys.entries()) {
      const repository = repositories[index] ?? '';
      await git.createRepository(repository);
      git.addDeployKey({ repository, publicKey });
    }
    const [near = '', far = '', ...theirs] = keys.map(({ privateKey }) => privateKey);
    launchInstance(world, [
      allow('ssm:GetParameter', `arn:aws:ssm:${farRegion}:${ACCOUNT}:parameter/ci/*`),
      allow('sts:AssumeRole', [role(blue), role(green)]),
    ]);
    world.put('/ci/one', near);
    world.put('/ci/one', far, { region: farRegion });
    for (const [index, account] of [blue, green].entries()) {
      world.aws.iam.createRole({
        arn: role(account),
        trustPolicy: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: { AWS: INSTANCE_ROLE }, Action: 'sts:AssumeRole' }],
        },
        policies: [allow('ssm:GetParameter', `arn:aws:ssm:${REGION}:${account}:parameter/*`)],
      });
      world.put('/ci/one', theirs[index] ?? '', { account });
    }
    delete host.env['SSM_SSH_KEY'];
  });
  afterEach(() => {
    for (const { publicKey } of keys) stand.git.removeKey(publicKey);
  });

  const ask = async (
    order: readonly (typeof repositories)[number][],
    env: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
  ): Promise<void> => {
    const { git, host } = stand;
    for (const repository of order) {
      const { stderr, code } = await host.run(`git ls-remote ${git.url(repository)}`, env[repository]);
      expect([repository, stderr, code]).toEqual([repository, '', 0]);
      expect((await git.log()).at(-1)?.offered).toEqual([
        keys[repositories.indexOf(repository)]?.fingerprint,
      ]);
    }
  };

  it('are each read once, as their section says, and offered without the others, in any order', async () => {
    const { git, host } = stand;
    const section = (repository: string, setting: string): string[] => [
      `[ssm "${git.address}:${String(git.port)}/${repository}"]`,
      'key = /ci/one',
      setting,
    ];
    host.configure([
      ...section('acme/near', ''),
      ...section('acme/far', `region = ${farRegion}`),
      ...section('acme/blue', `roleArn = ${role(blue)}`),
      ...section('acme/green', `roleArn = ${role(green)}`),
    ]);
    await ask(repositories);
    await stand.world.aws.stop();
    await ask(repositories.toReversed());
    expect(stand.calls()).toBe(4);
  });

  it('are also distinguished by the environment', async () => {
    const settings = {
      'acme/near': {},
      'acme/far': { AWS_REGION: farRegion },
      'acme/blue': { SSM_SSH_ROLE_ARN: role(blue) },
      'acme/green': { SSM_SSH_ROLE_ARN: role(green) },
    };
    stand.host.env['SSM_SSH_KEY'] = '/ci/one';
    await ask(repositories, settings);
    await ask(repositories.toReversed(), settings);
    expect(stand.calls()).toBe(4);
  });
});
