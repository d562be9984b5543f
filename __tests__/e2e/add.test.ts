import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect } from '@jest/globals';
import { ACCOUNT, REGION } from '../support/aws/world.ts';
import { certify } from '../support/keygen.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { launcher, openEc2Host, type Ec2Host, type Ended } from './ec2-host.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('ssm-ssh-agent add', () => {
  let host: Ec2Host;
  let key: SshKey;

  beforeAll(async () => {
    key = await makeSshKey({ comment: 'deploy@acme' });
  });
  beforeEach(async () => {
    host = await openEc2Host();
    host.world.put('/ci/deploy-key', key.privateKey);
  });
  afterEach(async () => {
    expect(host.leftovers()).toEqual([]);
    await host.close();
  });

  const shell = (script: string): Promise<Ended> => host.start(['sh', '-c', script]).ended;
  /** An agent of the test's own around the script, in which `$add` is the command. */
  const inSession = async (script: string): Promise<Ended> =>
    host.start([
      'ssh-agent',
      '-a',
      join(host.folder, 'session'),
      'sh',
      '-c',
      `add='${launcher} add'; ${script}`,
    ]).ended;

  it('loads a key into the agent of the session, and says which', async () => {
    const { exitCode, stdout, stderr } = await inSession('$add /ci/deploy-key; ssh-add -l');
    expect(exitCode).toBe(0);
    expect(stderr).toBe(`ssm-ssh-agent: /ci/deploy-key (version 1): ssh-ed25519 ${key.fingerprint}\n`);
    expect(stdout).toBe(`256 ${key.fingerprint} deploy@acme (ED25519)\n`);
  });

  it('says nothing with --quiet, and forgets the key after --lifetime', async () => {
    const { stdout, stderr } = await inSession(
      '$add --quiet --lifetime 8s /ci/deploy-key; ssh-add -l; sleep 9.2; ssh-add -l',
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^256 SHA256:.*\nThe agent has no identities\.\n$/);
  });

  it('describes with --json what it loaded, for programs', async () => {
    host.world.put('/ci/second', key.privateKey);
    host.world.put('/ci/second', key.privateKey);
    const { stdout } = await inSession('$add --json --quiet --lifetime 15m /ci/deploy-key /ci/second:2');
    const common = {
      ...{ type: 'ssh-ed25519', fingerprint: key.fingerprint, publicKey: key.publicKey, lifetime: 900 },
    };
    expect(JSON.parse(stdout)).toEqual([
      { reference: '/ci/deploy-key', version: '1', ...common },
      { reference: '/ci/second:2', version: '2', ...common },
    ]);
  });

  it('brings the certificate of a key along', async () => {
    const authority = await makeSshKey();
    host.world.put('/ci/certificate', certify(key.publicKey, authority.privateKey, ['-n', 'git']));
    const { stdout, stderr } = await inSession(
      '$add --quiet "/ci/deploy-key certificate=/ci/certificate"; ssh-add -L | cut -d " " -f 1',
    );
    expect([stderr, stdout]).toEqual(['', 'ssh-ed25519\nssh-ed25519-cert-v01@openssh.com\n']);
  });

  it('starts an agent with --agent, for eval, which ssh-agent -k ends', async () => {
    // ssh-agent -k only sends a signal.
    const gone = 'n=0; while [ -e "$SSH_AUTH_SOCK" ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done';
    const { exitCode, stdout, stderr } = await shell(
      `eval "$(${launcher} add --agent --quiet /ci/deploy-key)"; ssh-add -l; dirname "$SSH_AUTH_SOCK"; ls -ld "$SSH_AUTH_SOCK"; ssh-agent -k >/dev/null; ${gone}; ls -A "$TMPDIR"`,
    );
    expect([exitCode, stderr]).toEqual([0, '']);
    const [listed, folder = '', mode, ...left] = stdout.split('\n');
    expect(listed).toContain(key.fingerprint);
    expect([folder, mode?.slice(0, 10), left]).toEqual([host.temp, 'srw-------', ['']]);
  });

  it('prints nothing to eval, and leaves no agent, where the key cannot be read', async () => {
    const { exitCode, stdout, stderr } = await host.agent(['add', '--agent', '/ci/nothing']);
    expect([exitCode, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^ssm-ssh-agent: KEY_NOT_FOUND: /);
  });

  it.each([
    ['eu-central-1', 'the profile that is named', ['--profile', 'frankfurt'], {}],
    ['eu-central-1', 'the profile of AWS_PROFILE', [], { AWS_PROFILE: 'frankfurt' }],
    ['us-east-1', 'the default profile', [], {}],
    ['eu-north-1', 'AWS_REGION', [], { AWS_PROFILE: 'frankfurt', AWS_REGION: 'eu-north-1' }],
  ])('reads in %s, the region of %s', async (...[region, , args, env]) => {
    const config = join(host.folder, 'aws-config');
    writeFileSync(config, '[default]\nregion = us-east-1\n[profile frankfurt]\nregion = eu-central-1\n');
    await host.agent(['add', '--agent', ...args, '/ci/deploy-key'], {
      env: { ...env, AWS_CONFIG_FILE: config },
    });
    expect(host.world.aws.calls.at(-1)).toMatchObject({ service: 'ssm', region });
  });

  it.each([
    ['AWS_REGION', 'eu-west-1a', 'its region, eu-west-1'],
    ['AWS_DEFAULT_REGION', 'Ireland', 'for example eu-west-1'],
    ['region in the AWS configuration', 'eu_west_1', 'for example eu-west-1'],
  ])('asks nothing where %s is %s', async (place, region, hint) => {
    const config = join(host.folder, 'aws-config');
    writeFileSync(config, `[default]\nregion = ${region}\n`);
    const { exitCode, stderr } = await host.agent(['add', '--agent', '/ci/deploy-key'], {
      env: { AWS_CONFIG_FILE: config, ...(place.startsWith('AWS') && { [place]: region }) },
    });
    const message = `ssm-ssh-agent: INPUT_INVALID: ${place} is not a region: "${region}"\nhint: `;
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).toContain(hint);
    expect(host.world.aws.calls).toEqual([]);
  });

  it('needs no Region of the environment for the ARN of a key', async () => {
    const config = join(host.folder, 'aws-config');
    writeFileSync(config, '[default]\nregion = eu_west_1\n');
    const arn = `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/deploy-key`;
    const { exitCode, stdout } = await inSession(
      `AWS_REGION=auto AWS_CONFIG_FILE='${config}' $add ${arn} && ssh-add -l`,
    );
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining(key.fingerprint)]);
  });

  it.each([
    ['no agent is named', {}, 'which is not set'],
    ['none answers', { SSH_AUTH_SOCK: '/nowhere/agent' }, '/nowhere/agent'],
  ])('fails with a way to start an agent where %s', async (_, env, place) => {
    const { exitCode, stderr } = await host.agent(['add', '/ci/deploy-key'], { env });
    expect(exitCode).toBe(1);
    const [what, how] = stderr.split('\n');
    expect(what).toBe(`ssm-ssh-agent: AGENT_NOT_FOUND: no ssh-agent answers at SSH_AUTH_SOCK, ${place}`);
    expect(how).toMatch(/^hint: .*add --agent/);
    expect(host.world.aws.calls).toEqual([]);
  });

  it.each([
    [['add'], 'add has no key to load'],
    [['add', '--json', '--agent', '/ci/key'], '--agent and --json both print'],
    [['add', '/ci/key github.com/acme/lib'], 'add cannot lead repositories to /ci/key'],
    [['add', '/ci/key', '--lifetime', 'soon'], '--lifetime is not a duration: "soon"'],
    [['add', '/ci/key', '--region', 'Ireland'], '--region is not a region: "Ireland"'],
    [['add', '/ci/key', '--quiet', '--verbose'], '--quiet and --verbose do not go together'],
    [['add', '/ci/key secret=x'], 'unknown option "secret"'],
  ])('refuses %j before anything is asked', async (args, message) => {
    const { exitCode, stdout, stderr } = await host.agent(args, { env: { SSH_AUTH_SOCK: '/nowhere' } });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^ssm-ssh-agent: INPUT_INVALID: .*\nhint: .*\n$/);
    expect(stderr).toContain(message);
    expect(host.world.aws.calls).toEqual([]);
  });
});
