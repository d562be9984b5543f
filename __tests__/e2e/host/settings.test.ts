/** Every setting of ssm-ssh, in git's configuration and in the environment: the table of docs/ec2.md. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it as everyIt } from '@jest/globals';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { Ec2Host, launchInstance } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { startGitHost, type GitHost } from '../../support/git-host/git-host.ts';
import { certify } from '../../support/keygen.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';
import { hasRest, hasSample, itInTurn as it } from '../../support/parts.ts';

const reader = 'arn:aws:iam::444455556666:role/reader';

describeOnHost('a setting of ssm-ssh', () => {
  let world: ReadyWorld;
  let git: GitHost;
  let key: SshKey;
  let locked: SshKey;
  let host: Ec2Host;

  beforeAll(async () => {
    [world, git, key, locked] = await Promise.all([
      startReadyWorld(),
      startGitHost(),
      makeSshKey(),
      makeSshKey({ passphrase: 'open sesame' }),
    ]);
    await git.createRepository('acme/lib');
    for (const { publicKey } of [key, locked]) git.addDeployKey({ repository: 'acme/lib', publicKey });
    launchInstance(world);
    const { iam, parameters, metadata } = world.aws;
    const statement = { Effect: 'Allow', Action: 'sts:AssumeRole' } as const;
    const trust = (principal: Readonly<Record<string, string>>) =>
      ({ Version: '2012-10-17', Statement: [{ ...statement, Principal: principal }] }) as const;
    const instance = `arn:aws:iam::${ACCOUNT}:role/through`;
    const read = allow('ssm:GetParameter', 'arn:aws:ssm:*:*:parameter/*');
    const assume = allow('sts:AssumeRole', reader);
    iam.createRole({
      ...{ arn: instance, trustPolicy: trust({ Service: 'ec2.amazonaws.com' }), policies: [read, assume] },
    });
    iam.createRole({ arn: reader, trustPolicy: trust({ AWS: instance }), policies: [read] });
    metadata.set({ region: REGION, account: ACCOUNT, roleArn: instance });
    parameters.put({ account: '444455556666', region: REGION, name: '/ci/key', value: key.privateKey });
    world.put('/ci/key', key.privateKey);
    world.put('/ci/key', key.privateKey, { region: 'eu-central-1' });
    world.put('/ci/locked', locked.privateKey);
    world.put('/ci/passphrase', 'open sesame');
    const authority = await makeSshKey();
    world.put('/ci/certificate', certify(key.publicKey, authority.privateKey, ['-n', 'git']));
  });
  afterAll(async () => {
    await Promise.all([world.stop(), git.stop()]);
  });
  beforeEach(() => {
    host = new Ec2Host(world, [git]);
  });
  afterEach(() => {
    host.dispose();
  });

  type Settings = Readonly<Record<string, string>>;
  const list = (env: Settings = {}): ReturnType<Ec2Host['run']> =>
    host.run(`git ls-remote ${git.url('acme/lib')} main`, env);
  const listed = expect.objectContaining({ code: 0, stderr: '' });
  /** The end of the lifetimes of the agent's keys. */
  const marks = (): unknown[] =>
    [...host.files(host.state)]
      .filter(([path]) => path.endsWith('/live'))
      .map(([, text]) => text.trim().split(' ')[1]);

  let tables = 0;
  /**
   * In git's configuration, and in the environment, which takes precedence: one of the two in this part, in turn, the
   * other in the rest.
   */
  const both = (name: string, value: string, key = '/ci/key'): [string, string, Settings][] => {
    const ways = waysOf(name, value, key);
    const inTurn = ways[tables++ % 2];
    return ways.filter((way) => (way === inTurn ? hasSample : hasRest));
  };
  const waysOf = (name: string, value: string, key: string): [string, string, Settings][] => [
    [`ssm.${name}`, `${name} = ${value}`, { SSM_SSH_KEY: key }],
    [
      `SSM_SSH_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`,
      `${name} = wrong`,
      { SSM_SSH_KEY: key, [`SSM_SSH_${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`]: value },
    ],
  ];

  everyIt.each(both('region', 'eu-central-1'))(
    '%s is the Region for reading the key',
    async (...[, line, env]) => {
      host.configure(['[ssm]', line]);
      expect(await list({ AWS_REGION: REGION, ...env })).toEqual(listed);
      expect(world.aws.calls.at(-1)).toMatchObject({ service: 'ssm', region: 'eu-central-1' });
    },
  );

  everyIt.each(both('roleArn', reader))('%s is the role for reading the key', async (...[, line, env]) => {
    host.configure(['[ssm]', line]);
    expect(await list(env)).toEqual(listed);
    expect(world.aws.calls.at(-1)).toMatchObject({ service: 'ssm', roleArn: reader });
  });

  everyIt.each(both('keyLifetime', '0'))('%s is the lifetime in the agent', async (...[, line, env]) => {
    host.configure(['[ssm]', line]);
    expect(await list(env)).toEqual(listed);
    expect(marks()).toEqual(['0']);
  });

  everyIt.each(both('passphrase', '/ci/passphrase', '/ci/locked'))(
    '%s decrypts the key',
    async (...[, line, env]) => {
      host.configure(['[ssm]', line]);
      expect(await list(env)).toEqual(listed);
    },
  );

  everyIt.each(both('certificate', '/ci/certificate'))(
    '%s is loaded with the key',
    async (...[, line, env]) => {
      host.configure(['[ssm]', line]);
      expect(await list(env)).toEqual(listed);
      const { stdout } = await host.run(`SSH_AUTH_SOCK=${host.state}/agent ssh-add -L | cut -d ' ' -f 1`);
      expect(stdout).toBe('ssh-ed25519\nssh-ed25519-cert-v01@openssh.com\n');
    },
  );

  everyIt.each(both('knownHosts', '/KNOWN'))('%s is a file of host keys', async (...[, line, env]) => {
    const known = join(host.home, 'known');
    delete host.env['SSM_SSH_KNOWN_HOSTS'];
    expect((await list({ SSM_SSH_KEY: '/ci/key' })).stderr).toContain('Host key verification failed');
    host.configure(['[ssm]', line.replace('/KNOWN', known)]);
    const { SSM_SSH_KNOWN_HOSTS: file, ...rest } = env;
    expect(await list({ ...rest, ...(file && { SSM_SSH_KNOWN_HOSTS: known }) })).toEqual(listed);
  });

  everyIt.each(both('strictHostKeyChecking', 'accept-new'))('%s is as in ssh', async (...[, line, env]) => {
    delete host.env['SSM_SSH_KNOWN_HOSTS'];
    rmSync(join(host.home, 'known'));
    host.configure(['[ssm]', line]);
    expect((await list(env)).code).toBe(0);
  });

  everyIt.each(both('timeout', '1s'))('%s limits the time for AWS', async (...[, line, env]) => {
    world.aws.faults.order({ operation: 'ssm:*', fault: 'hang', times: 1 });
    host.configure(['[ssm]', line]);
    expect((await list(env)).stderr).toContain('TIMEOUT: fetching the key took longer than 1 seconds');
  });

  it('repairs a key with spaces in its profile, and takes no other credentials if it cannot be read', async () => {
    const { accessKeyId, secretAccessKey } = world.aws.iam.createAccessKey({
      userArn: `arn:aws:iam::${ACCOUNT}:user/builder`,
      policies: [allow('ssm:GetParameter', 'arn:aws:ssm:*:*:parameter/*')],
    });
    const keys = `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;
    const [config, credentials] = [join(host.home, 'aws'), join(host.home, 'credentials')];
    host.configure(['[ssm]', 'key = /ci/key']);
    Object.assign(host.env, { AWS_PROFILE: 'the build machine', AWS_CONFIG_FILE: config });
    host.env['AWS_SHARED_CREDENTIALS_FILE'] = credentials;
    writeFileSync(config, `[profile the build machine]\n${keys}`);
    const { code, stderr } = await list();
    expect([code === 0, stderr]).toEqual([
      false,
      expect.stringMatching(
        /CREDENTIALS_MISSING.*no profile the build machine .*reads only names of letters/,
      ),
    ]);
    // The SDK reads such names there.
    writeFileSync(credentials, `[the build machine]\n${keys}`);
    expect(await list()).toEqual(listed);
    await host.run(`SSH_AUTH_SOCK=${host.state}/agent ssh-add -qD`);
    expect((await list()).code).toBe(0);
    const names = [...host.files(host.state).keys()].filter((path) => path.endsWith('/key.pub'));
    expect([names.length, marks().length]).toEqual([1, 1]);
  });

  it('of a section is only for its key', async () => {
    const place = `${git.address}:${String(git.port)}`;
    const section = [`[ssm "${place}/acme/lib"]`, 'key = /ci/locked', 'passphrase = /ci/passphrase'];
    const own = ['keyLifetime = 0', `roleArn = ${reader}`, 'region = eu-central-1'];
    host.configure(['[ssm]', 'region = us-east-1', 'passphrase = /ci/none', ...section]);
    expect(await list({ SSM_SSH_REGION: REGION, SSM_SSH_KEY: '/ci/none' })).toEqual(listed);
    writeFileSync(join(host.home, '.gitconfig'), [...section, ...own, ''].join('\n'));
    await list({ SSM_SSH_REGION: REGION, SSM_SSH_ROLE_ARN: 'wrong', SSM_SSH_KEY_LIFETIME: 'wrong' });
    expect(world.aws.calls.at(-1)).toMatchObject({ region: 'eu-central-1', roleArn: reader });
  });
});
