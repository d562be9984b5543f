import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { watchProcesses } from '../support/watch-processes.ts';
import { INSTANCE_ROLE, launcher, openEc2Host, type Ec2Host } from './ec2-host.ts';
import { repository, useStage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('ssm-ssh-agent exec', () => {
  const stage = useStage();
  let host: Ec2Host;
  let other: SshKey;

  beforeAll(async () => {
    other = await makeSshKey({ comment: 'other' });
    await stage.host.createRepository('acme/other');
    stage.host.addDeployKey({ repository: 'acme/other', publicKey: other.publicKey });
  });
  beforeEach(async () => {
    host = await openEc2Host();
    host.world.put('/ci/deploy-key', stage.key.privateKey);
    host.world.put('/ci/other-key', other.privateKey);
    writeFileSync(join(host.folder, 'known_hosts'), stage.host.knownHosts);
  });
  afterEach(async () => {
    expect(host.leftovers()).toEqual([]);
    await host.close();
  });

  const exec = (...words: string[]): string[] => ['exec', '--known-hosts', 'known_hosts', ...words];
  const deployKey = ['--key', '/ci/deploy-key'];

  it("clones with the instance's role, and prints nothing of its own", async () => {
    const clone = ['git', 'clone', '--quiet', stage.host.url(repository), 'lib'];
    const { exitCode, stdout, stderr } = await host.agent(exec(...deployKey, '--', ...clone));
    expect([stderr, stdout, exitCode]).toEqual(['', '', 0]);
    expect(existsSync(join(host.folder, 'lib/README.md'))).toBe(true);
    expect(host.world.aws.calls.at(-1)).toMatchObject({
      operation: 'ssm:GetParameter',
      region: REGION,
      roleArn: INSTANCE_ROLE,
    });
  });

  it('offers the key that is for the repository', async () => {
    const address = `${stage.host.address}:${String(stage.host.port)}`;
    const keys = [
      ...['--key', `/ci/other-key ${address}/acme/other`],
      ...['--key', `/ci/deploy-key ${address}/${repository}`],
    ];
    const clone = `git clone -q ${stage.host.url(repository)} lib && git clone -q ${stage.host.url('acme/other')} other`;
    const { exitCode, stderr } = await host.agent(exec(...keys, '--', 'sh', '-c', clone));
    expect([stderr, exitCode]).toEqual(['', 0]);
  });

  it('says with --verbose what is loaded, and nothing of it to the command', async () => {
    const { stderr, stdout } = await host.agent(exec(...deployKey, '--verbose', '--', 'echo', 'done'));
    expect(stderr).toContain('reading a key from Parameter Store');
    expect(stderr).toMatch(/^ssm-ssh-agent: ssm:GetParameter at \S+: 200/m);
    expect(stderr).toContain(`/ci/deploy-key (version 1): ssh-ed25519 ${stage.key.fingerprint}`);
    expect(stdout).toBe('done\n');
  });

  it('gives the command an agent with the keys in their order, its standard input and all other variables', async () => {
    const keys = [...deployKey, '--key', '/ci/other-key'];
    const script = 'ssh-add -l | cut -d " " -f 2; cat; echo "$WORD $GIT_SSH_VARIANT"; command -v ssm-ssh';
    const { stdout } = await host.agent(exec(...keys, '--', 'sh', '-c', script), {
      ...{ input: 'from standard input\n', env: { WORD: 'kept' } },
    });
    const [first, second, input, variables, program] = stdout.split('\n');
    expect([first, second]).toEqual([stage.key.fingerprint, other.fingerprint]);
    expect([input, variables]).toEqual(['from standard input', 'kept ssh']);
    expect(program).toMatch(/^\/.*\/tmp\/ssm-ssh-agent-exec-[0-9a-f]{12}\/bin\/ssm-ssh$/);
  });

  it('opens a key by its passphrase, and forgets it after --lifetime', async () => {
    const locked = await makeSshKey({ passphrase: 'open sesame' });
    host.world.put('/ci/locked', locked.privateKey);
    host.world.put('/ci/passphrase', 'open sesame');
    const { stdout, stderr } = await host.agent(
      exec(
        '--key',
        '/ci/locked passphrase=/ci/passphrase',
        '--lifetime',
        '3s',
        '--',
        'sh',
        '-c',
        'ssh-add -l; sleep 4.2; ssh-add -l',
      ),
    );
    expect(stderr).toBe('');
    expect(stdout).toContain(locked.fingerprint);
    expect(stdout).toContain('The agent has no identities.');
  });

  it('reads through a chain of roles from the instance', async () => {
    const [hub, reader] = [`arn:aws:iam::${ACCOUNT}:role/hub`, 'arn:aws:iam::444455556666:role/reader'];
    const { iam, parameters } = host.world.aws;
    const trust = (arn: string) => ({
      Version: '2012-10-17' as const,
      Statement: [{ Effect: 'Allow' as const, Principal: { AWS: arn }, Action: 'sts:AssumeRole' }],
    });
    const read = allow('ssm:GetParameter', `arn:aws:ssm:${REGION}:444455556666:parameter/*`);
    const mayAssume = allow('sts:AssumeRole', [hub, reader]);
    host.world.aws.metadata.set({ account: ACCOUNT, region: REGION, roleArn: `${INSTANCE_ROLE}-2` });
    const ec2 = {
      Effect: 'Allow' as const,
      Principal: { Service: 'ec2.amazonaws.com' },
      Action: 'sts:AssumeRole',
    };
    iam.createRole({
      arn: `${INSTANCE_ROLE}-2`,
      trustPolicy: { Version: '2012-10-17', Statement: [ec2] },
      policies: [mayAssume],
    });
    iam.createRole({ arn: hub, trustPolicy: trust(`${INSTANCE_ROLE}-2`), policies: [mayAssume] });
    iam.createRole({ arn: reader, trustPolicy: trust(hub), policies: [read] });
    parameters.put({ account: '444455556666', region: REGION, name: '/key', value: other.privateKey });
    for (const roles of [
      ['--role-arn', hub, '--role-arn', reader],
      ['--role-arn', `${hub},${reader}`],
    ]) {
      const { stdout, stderr } = await host.agent(exec(...roles, '--key', '/key', '--', 'ssh-add', '-l'));
      expect([stderr, stdout.includes(other.fingerprint)]).toEqual(['', true]);
    }
  });

  describe('the exit code', () => {
    it.each([
      ['exit 0', 0],
      ['exit 7', 7],
      ['kill -TERM $$', 143],
      ['kill -KILL $$', 137],
    ])('of the command is passed on: %s', async (script, code) => {
      const { exitCode, stderr } = await host.agent(exec(...deployKey, '--', 'sh', '-c', script));
      expect([exitCode, stderr]).toEqual([code, '']);
    });

    const cases: [string, () => string[], number, string, string][] = [
      [
        'a name that is wrong',
        () => exec('--key', '/ci/nothing', '--', 'true'),
        1,
        'KEY_NOT_FOUND',
        '/ci/nothing',
      ],
      [
        'a name that is denied',
        () => exec('--key', '/else/key', '--', 'true'),
        1,
        'KEY_ACCESS_DENIED',
        '/else/key',
      ],
      ['no command', () => exec(...deployKey), 2, 'INPUT_INVALID', 'exec --key REF -- COMMAND'],
      ['no key', () => exec('--', 'true'), 2, 'INPUT_INVALID', 'write --key /NAME'],
      [
        'a command that is not there',
        () => exec(...deployKey, '--', 'no-such-program'),
        2,
        'INPUT_INVALID',
        'no-such-program is not on PATH',
      ],
      [
        'a command whose path goes through a file',
        () => exec(...deployKey, '--', '/etc/passwd/x'),
        2,
        'INPUT_INVALID',
        '/etc/passwd/x goes through a file that is no folder',
      ],
      [
        'a file that is not there',
        () => exec('--known-hosts=none', ...deployKey, '--', 'true'),
        2,
        'INPUT_INVALID',
        '--known-hosts',
      ],
    ];
    it.each(cases)('with %s', async (...[, args, code, name, text]) => {
      const { exitCode, stdout, stderr } = await host.agent(args());
      expect([exitCode, stdout]).toEqual([code, '']);
      expect(stderr).toMatch(new RegExp(`^ssm-ssh-agent: ${name}: .*\nhint: .*\n$`));
      expect(stderr).toContain(text);
    });

    it('where the instance metadata is out of reach of a container: with the hop limit to set', async () => {
      host.world.aws.metadata.set({
        account: ACCOUNT,
        region: REGION,
        roleArn: INSTANCE_ROLE,
        access: 'hop-limit',
      });
      const { exitCode, stderr } = await host.agent(exec(...deployKey, '--region', REGION, '--', 'true'));
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^ssm-ssh-agent: CREDENTIALS_MISSING: /);
      expect(stderr).toContain('--http-put-response-hop-limit 2');
    });

    it('where the network is down, and where no region is known', async () => {
      const down = await host.agent(exec(...deployKey, '--', 'true'), {
        env: { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' },
      });
      expect(down.stderr).toMatch(/^ssm-ssh-agent: NETWORK_UNREACHABLE: /);
      expect(down.exitCode).toBe(1);
      const off = await host.agent(exec(...deployKey, '--', 'true'), {
        env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:9' },
      });
      expect(off.stderr).toMatch(/^ssm-ssh-agent: REGION_MISSING: .*\nhint: pass --region/);
      expect(off.exitCode).toBe(2);
    });
  });

  it('takes the credentials of --profile, whatever else is there, and the command does not see it', async () => {
    const userArn = `arn:aws:iam::${ACCOUNT}:user/dev`;
    const policies = [allow('ssm:GetParameter', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/*`)];
    const { accessKeyId, secretAccessKey } = host.world.aws.iam.createAccessKey({ userArn, policies });
    const file = join(host.folder, 'credentials');
    writeFileSync(
      file,
      `[dev]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`,
    );
    const env = {
      AWS_SHARED_CREDENTIALS_FILE: file,
      AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'wrong',
    };
    const args = exec(
      ...deployKey,
      '--profile',
      'dev',
      '--region',
      REGION,
      '--',
      'sh',
      '-c',
      'echo "$AWS_PROFILE,$AWS_ACCESS_KEY_ID"',
    );
    const { stdout, stderr } = await host.agent(args, { env });
    expect([stderr, stdout]).toEqual(['', ',AKIAIOSFODNN7EXAMPLE\n']);
    expect(host.world.aws.calls.at(-1)).toMatchObject({ operation: 'ssm:GetParameter', principal: userArn });
  });

  it('keeps the key out of every command line, environment and file', async () => {
    const lines = stage.key.privateKey.trim().split('\n').slice(3, -1);
    expect(lines.length).toBeGreaterThan(1);
    const files = new Set<string>();
    const watch = watchProcesses(host.folder);
    const running = host.startAgent(exec(...deployKey, '--verbose', '--', 'sh', '-c', 'sleep 0.5; env'));
    while (running.child.exitCode === null) {
      for (const path of filesBelow(host.temp)) files.add(readQuietly(path));
      await sleep(2);
    }
    const { stdout, stderr } = await running.ended;
    const all = [await watch.stop(), ...files, stdout, stderr].join('\n');
    expect(all).toContain(launcher);
    expect(all).toContain('ssh-agent');
    expect(all).toContain(stage.key.fingerprint);
    for (const line of lines) expect(all).not.toContain(line);
  });
});

function filesBelow(folder: string): string[] {
  try {
    const entries = readdirSync(realpathSync(folder), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return []; // Removed meanwhile.
  }
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // It ended meanwhile.
  }
}
