/** ssm-ssh, git-credential-ssm and exec read through a cache on this machine, with real git and ssh. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import type { Finding } from '../../../helper/doctor/finding.ts';
import { startLocalCache, type LocalCache } from '../../support/aws/local-cache.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { Ec2Host, INSTANCE_ROLE, launchInstance, project } from '../../support/ec2-host.ts';
import { startGitHost, type GitHost } from '../../support/git-host/git-host.ts';
import { commandsInDocuments } from '../../support/commands-in-documents.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';

const token = 'the token of this cache';
const secret = 'secretsmanager:ci/key';
const agent = join(project, 'helper/ssm-ssh-agent');

describeOnHost('a host with a cache', () => {
  let world: ReadyWorld;
  let git: GitHost;
  let key: SshKey;
  let former: SshKey;
  let host: Ec2Host;
  let cache: LocalCache;

  beforeAll(async () => {
    [git, key, former] = await Promise.all([startGitHost(), makeSshKey(), makeSshKey()]);
    await git.createRepository('acme/lib');
    git.addDeployKey({ repository: 'acme/lib', publicKey: key.publicKey });
  });
  afterAll(async () => {
    await git.stop();
  });
  beforeEach(async () => {
    world = await startReadyWorld();
    launchInstance(world, [
      allow('secretsmanager:GetSecretValue', `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:ci/*`),
    ]);
    world.put('/ci/key', key.privateKey);
    world.putSecret('ci/key', key.privateKey);
    await startCache('agent');
  });
  afterEach(async () => {
    host.dispose();
    await Promise.all([world.stop(), cache.close()]);
  });

  /** The second one of a test replaces the first one. */
  async function startCache(kind: 'agent' | 'extension'): Promise<void> {
    cache = await startLocalCache(world.aws, { kind, region: REGION, roleArn: INSTANCE_ROLE, token });
    const settings = { SSM_SSH_CACHE: cache.origin, AWS_TOKEN: token, SSM_SSH_KEY: secret };
    host = new Ec2Host(world, [git], settings);
    if (kind === 'extension') host.env['AWS_LAMBDA_FUNCTION_NAME'] = 'clone';
  }
  const asExtension = async (): Promise<void> => {
    host.dispose();
    await cache.close();
    await startCache('extension');
    host.env['SSM_SSH_KEY'] = '/ci/key';
  };
  const list = (env: Readonly<Record<string, string>> = {}): ReturnType<Ec2Host['run']> =>
    host.run(`git ls-remote ${git.url('acme/lib')} main`, env);
  const listed = expect.objectContaining({ code: 0, stderr: '' });
  /** Who asked the stores. */
  const callers = (): (string | undefined)[] =>
    world.aws.calls
      .filter(({ service }) => service === 'ssm' || service === 'secretsmanager')
      .map(({ principal }) => principal?.split('/').at(-1));

  it('clones with a secret that the cache returns, and asks AWS itself nothing', async () => {
    expect(await host.run(`git clone -q ${git.url('acme/lib')} it && cd it && git fetch -q`)).toEqual(listed);
    expect([cache.asked, callers()]).toEqual([['/secretsmanager/get?secretId=ci%2Fkey'], ['cache']]);
  });

  it('clones with a parameter that the extension in a Lambda function returns', async () => {
    await asExtension();
    delete host.env['AWS_TOKEN'];
    expect(await list({ AWS_SESSION_TOKEN: token })).toEqual(listed);
    expect(callers()).toEqual(['cache']);
  });

  it('is set by the first command of the document, and used by the second', async () => {
    const [first = '', second = ''] = commandsInDocuments
      .filter(({ document }) => document === 'docs/scale.md')
      .map(({ command }) => command.replace('http://localhost:2773', cache.origin))
      .filter((command) => command.includes(cache.origin));
    delete host.env['SSM_SSH_CACHE'];
    await host.run(first.replace('sudo ', '').replace('--system', '--global'));
    expect(await list()).toEqual(listed);
    world.putSecret('ci/deploy', key.privateKey);
    const known = `--known-hosts ${join(host.home, 'known')} --`;
    const clone = second
      .replace('ssm-ssh-agent', agent)
      .replace(' -- ', ` ${known} `)
      .replace('git@github.com:acme/lib.git', git.url('acme/lib'));
    expect((await host.run(clone)).code).toBe(0);
    expect(callers()).toEqual(['cache', 'cache']);
  });

  it('takes the setting from the configuration of git, not from that of a repository', async () => {
    delete host.env['SSM_SSH_CACHE'];
    host.configure(['[ssm]', `cache = ${cache.origin}`]);
    expect(await list()).toEqual(listed);
    expect(callers()).toEqual(['cache']);
    host.configure([]);
    const script = `git init -q x && cd x && git config ssm.cache http://localhost:1 && git ls-remote ${git.url('acme/lib')}`;
    const { code, stderr } = await host.run(script);
    expect([code, stderr]).toEqual([0, expect.stringContaining('ssm.cache')]);
  });

  it('tries again with the new secret if the cache returned an old one', async () => {
    world.putSecret('ci/key', former.privateKey);
    await host.run('true');
    // Into the cache.
    const { code } = await list();
    expect(code).not.toBe(0);
    await host.run(`${agent} flush`);
    world.putSecret('ci/key', key.privateKey);
    expect((await list()).code).toBe(0);
    expect(cache.asked.at(-1)).toBe('/secretsmanager/get?secretId=ci%2Fkey&refreshNow=true');
    expect(callers().filter((caller) => caller !== 'cache')).toEqual([]);
  });

  it('asks AWS itself for a new parameter, because the extension keeps the old one', async () => {
    world.put('/ci/key', former.privateKey);
    await asExtension();
    expect((await list()).code).not.toBe(0);
    await host.run(`${agent} flush`);
    world.put('/ci/key', key.privateKey);
    expect((await list()).code).toBe(0);
    expect(callers().at(-1)).not.toBe('cache');
  });

  it('reads a key that has a role from AWS itself', async () => {
    const { stderr } = await list({ SSM_SSH_ROLE_ARN: 'arn:aws:iam::444455556666:role/none' });
    expect(stderr).toContain('ASSUME_ROLE_DENIED');
    expect(cache.asked).toEqual([]);
  });

  it('gives git the credential that the cache returns', async () => {
    world.putSecret('ci/token', 'from-the-cache');
    host.configure(['[ssm "git.example.com"]', 'credential = secretsmanager:ci/token']);
    const request = String.raw`protocol=https\nhost=git.example.com\n\n`;
    const { stdout } = await host.run(
      `printf '${request}' | ${join(project, 'helper/git-credential-ssm')} get`,
    );
    expect(stdout).toBe('username=x-access-token\npassword=from-the-cache\n');
    expect(callers()).toEqual(['cache']);
  });

  it.each(['exec', 'add'])('serves %s with --cache', async (command) => {
    const script =
      command === 'exec'
        ? `${agent} exec --cache ${cache.origin} --key ${secret} -- ssh-add -l`
        : `ssh-agent sh -c '${agent} add --quiet --cache ${cache.origin} ${secret} && ssh-add -l'`;
    const { stdout, stderr } = await host.run(script);
    expect([stderr, stdout]).toEqual(['', expect.stringContaining(key.fingerprint)]);
    expect(callers()).toEqual(['cache']);
  });

  it('is what doctor reads with, on a host that has no way to AWS', async () => {
    const doctor = async (env: Readonly<Record<string, string>> = {}): Promise<Finding[]> => {
      const alone = { AWS_EC2_METADATA_DISABLED: 'true', AWS_ENDPOINT_URL: 'http://127.0.0.1:1', ...env };
      const { stdout } = await host.run(`${agent} doctor --json --url ${git.url('acme/lib')}`, alone);
      return JSON.parse(stdout) as Finding[];
    };
    const findings = await doctor();
    const about = (check: string): object =>
      expect.arrayContaining([expect.objectContaining({ check, status: 'ok' })]);
    expect(findings).toEqual(about(`key ${secret}`));
    expect(findings).toEqual(about(`repository ${git.url('acme/lib')}`));
    expect(findings.find(({ check }) => check === `read ${secret}`)?.detail).toContain(
      `through the cache at ${cache.origin}`,
    );
    expect(findings.find(({ check }) => check === 'region')).toMatchObject({
      status: 'skip',
      detail: expect.stringContaining('not needed'),
    });
    expect([findings.filter(({ status }) => status === 'fail'), callers()]).toEqual([[], ['cache']]);
    const denied = await doctor({ AWS_TOKEN: 'another token' });
    expect(denied.find(({ check }) => check === `read ${secret}`)).toMatchObject({
      status: 'fail',
      detail: expect.stringContaining('does not accept the token of AWS_TOKEN'),
    });
  });

  it('refuses --cache together with --role-arn or --profile', async () => {
    const exec = `${agent} exec --cache ${cache.origin} --key ${secret}`;
    const options = ['--role-arn arn:aws:iam::111122223333:role/x', '--profile x'];
    for (const option of options) {
      const { code, stderr } = await host.run(`${exec} ${option} -- true`);
      expect([code, stderr]).toEqual([2, expect.stringContaining('do not go together')]);
    }
  });

  it('says what is wrong with the address, the token, and a cache that does not run', async () => {
    const said = async (env: Readonly<Record<string, string>>): Promise<string> => (await list(env)).stderr;
    expect(await said({ SSM_SSH_CACHE: 'https://cache.test' })).toContain(
      'ssm-ssh: INPUT_INVALID: ssm.cache (SSM_SSH_CACHE) is not the address of a cache on this machine',
    );
    const refused = await said({ AWS_TOKEN: 'another token' });
    expect(refused).toContain(
      `ssm-ssh: CREDENTIALS_MISSING: the cache at ${cache.origin} does not accept the token of AWS_TOKEN`,
    );
    expect(refused).not.toContain('another token');
    await cache.close();
    expect(await said({})).toContain(`ssm-ssh: NETWORK_UNREACHABLE: the cache at ${cache.origin} cannot be`);
  });
});
