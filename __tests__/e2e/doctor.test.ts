/** `doctor` as it is in dist: what it finds on a sound host, and each fault, one at a time. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { REGION } from '../support/aws/world.ts';
import { startGitHost, type GitHost } from '../support/git-host/git-host.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { describeOnHost } from '../support/on-host.ts';
import { it as itInSample, itInRest, itInTurn } from '../support/parts.ts';
import type { Finding } from '../../helper/doctor/finding.ts';
import { faultsOfAws } from './doctor/faults-of-aws.ts';
import { faultsOfGit } from './doctor/faults-of-git.ts';
import { faultsOfHosts } from './doctor/faults-of-hosts.ts';
import { faultsOfMachine, installInNvm } from './doctor/faults-of-machine.ts';
import { named, proveFault } from './doctor/prove.ts';
import { DoctorStage, instanceId, isAdvice, target, type Fault } from './doctor/stage.ts';

const faults: readonly Fault[] = [...faultsOfMachine, ...faultsOfAws, ...faultsOfHosts, ...faultsOfGit];
const rows = faults.map((fault) => [fault.fault, fault] as const);

describeOnHost('ssm-ssh-agent doctor', () => {
  let git: GitHost;
  let key: SshKey;
  let stage: DoctorStage;

  beforeAll(async () => {
    [git, key] = await Promise.all([startGitHost(), makeSshKey()]);
    await git.createRepository('acme/lib');
    git.addDeployKey({ repository: 'acme/lib', publicKey: key.publicKey, write: true });
  });
  afterAll(async () => {
    await git.stop();
  });
  beforeEach(async () => {
    stage = await DoctorStage.open(git, key);
  });
  afterEach(async () => {
    await stage.close();
  });

  itInSample('finds nothing to fix on a sound host, and changes nothing', async () => {
    const before = stage.host.files();
    const { stdout, stderr, code } = await stage.run(['--json', '--url', stage.url, '--host', target]);
    const findings = JSON.parse(stdout) as Finding[];
    expect(findings.filter(({ status }) => status === 'warn' || status === 'fail')).toEqual([]);
    expect([code, stderr]).toEqual([0, '']);
    expect(named(findings, 'key /ci/key').detail).toBe(`ssh-ed25519 ${key.fingerprint}`);
    expect(named(findings, `repository ${stage.url}`).detail).toMatch(/can be read: HEAD is [0-9a-f]{40}$/);
    expect(findings.every((finding) => Object.keys(finding).join() === 'check,status,detail,remedy')).toBe(
      true,
    );
    expect([stage.host.files(), stage.host.processes()]).toEqual([before, []]);
    expect(stdout).not.toContain('ghp_0123456789abcdefghij');
    for (const line of key.privateKey.split('\n').filter(({ length }) => length > 20))
      expect(stdout).not.toContain(line);
  });

  itInRest('checks a host with the Region and the way of its section, as proxy connects', async () => {
    const section = ['key = /ci/key', `region = ${REGION}`, 'via = direct'];
    for (const host of [instanceId, 'Name=web-1']) {
      stage.configure(['[ssm]', 'region = eu-central-1', `[ssm "${host}"]`, ...section]);
      const findings = await stage.findings(['--host', host]);
      expect(named(findings, `instance ${host}`).detail).toContain(`is running in ${REGION}`);
      expect(named(findings, `session manager ${host}`)).toMatchObject({
        ...{ status: 'skip', detail: 'the way is direct, which needs no agent' },
      });
    }
  });

  itInRest('prints a line for each check, the remedy below it, and a count', async () => {
    stage.host.env['SSH_AUTH_SOCK'] = '/nowhere/agent';
    const { stdout, code } = await stage.run();
    expect(stdout).toMatch(/^ok {3}git: git version /);
    expect(stdout).toMatch(/\nwarn SSH_AUTH_SOCK: AGENT_NOT_FOUND: .*\n {5}remedy: unset SSH_AUTH_SOCK/);
    expect(stdout).toMatch(/\n\d+ ok, 0 failed, 1 warning, \d+ skipped\n$/);
    expect(stdout).not.toContain('\u001b');
    expect(code).toBe(0);
    const { stdout: short } = await stage.run(['--quiet']);
    expect(short).toMatch(/^warn SSH_AUTH_SOCK: .*\n {5}remedy: .*\n$/);
  });

  itInRest('goes on where one check fails, and says which checks it skipped for that reason', async () => {
    stage.metadata({ roleArn: undefined });
    const { stdout, code } = await stage.run(['--json', '--url', stage.url]);
    const findings = JSON.parse(stdout) as Finding[];
    expect(code).toBe(1);
    expect(named(findings, 'identity').status).toBe('fail');
    expect(named(findings, 'read /ci/key')).toMatchObject({
      status: 'skip',
      detail: expect.stringMatching(/identity$/) as unknown,
    });
    expect(named(findings, 'region').status).toBe('ok');
    expect(named(findings, `host key ${stage.url}`).status).toBe('ok');
  });

  itInTurn.each<[string, Record<string, string>]>([
    ['SSM_SSH_REGION', { SSM_SSH_REGION: REGION, AWS_REGION: 'us-east-1' }],
    ['AWS_REGION', { AWS_REGION: REGION, AWS_DEFAULT_REGION: 'us-east-1' }],
    ['AWS_DEFAULT_REGION', { AWS_DEFAULT_REGION: REGION, AWS_CONFIG_FILE: 'config' }],
    ['the profile of the AWS configuration', { AWS_CONFIG_FILE: 'config' }],
    ['the instance metadata', {}],
  ])('says that the Region is from %s', async (from, env) => {
    writeFileSync(join(stage.host.home, 'config'), '[default]\nregion = eu-west-1\n');
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_CONFIG_FILE'])
      Reflect.deleteProperty(stage.host.env, name);
    const file = env['AWS_CONFIG_FILE'] && { AWS_CONFIG_FILE: join(stage.host.home, 'config') };
    Object.assign(stage.host.env, env, file);
    expect(named(await stage.findings(), 'region')).toMatchObject({
      status: 'ok',
      detail: `${REGION}, from ${from}`,
    });
  });

  itInTurn(
    'takes the profile of the command line instead of the access keys of the environment',
    async () => {
      const credentials = join(stage.host.home, 'credentials');
      writeFileSync(
        credentials,
        '[ci]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n',
      );
      const keys = {
        AWS_ACCESS_KEY_ID: 'ASIAIOSFODNN7EXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'y',
        AWS_SESSION_TOKEN: 'z',
      };
      Object.assign(stage.host.env, keys, { AWS_SHARED_CREDENTIALS_FILE: credentials });
      const { stdout } = await stage.run(['--json', '--profile', 'ci']);
      expect(named(JSON.parse(stdout) as Finding[], 'credential variables').status).toBe('ok');
    },
  );

  itInRest('warns if an upgrade of Node removes the package', async () => {
    const program = installInNvm(stage.host.home);
    const { stdout } = await stage.host.run(`${program} doctor --json || true`);
    const installation = named(JSON.parse(stdout) as Finding[], 'installation');
    expect(installation).toMatchObject({ status: 'warn' });
    expect(installation.detail).toContain('nvm');
    expect(named(await stage.findings(), 'installation').status).toBe('ok');
  });

  itInRest('shows the claims of the token of a job, and never the token', async () => {
    Object.assign(stage.host.env, stage.world.aws.actionsEnvironment());
    const { stdout } = await stage.run(['--json']);
    const { detail } = named(JSON.parse(stdout) as Finding[], 'oidc');
    expect(detail).toMatch(/sub repo:acme\/app:ref:refs\/heads\/main, aud sts\.amazonaws\.com, iss https:/);
    expect(stdout).not.toMatch(/eyJ/);
  });

  itInRest.each([
    [['--url'], '--url has no value'],
    [['not/a/key'], 'is a path without a slash at its start'],
    [['--region', 'Ireland'], '--region is not a region'],
  ])('refuses %j before it checks anything', async (args, message) => {
    const { code, stdout, stderr } = await stage.run(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  itInTurn.each(rows)('finds and helps to fix: %s', async (_, fault) => {
    await proveFault(stage, fault);
  });

  itInSample('has a command as the remedy of most faults', () => {
    expect(faults.filter((fault) => !isAdvice(fault)).length).toBeGreaterThanOrEqual(40);
  });
});
