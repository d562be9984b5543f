import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { ACCOUNT, REGION } from '../support/aws/world.ts';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import { INSTANCE_ROLE, openEc2Host, type Ec2Host } from './ec2-host.ts';
import { actionPath, repository, useStage } from './stage.ts';
import { commandsInDocuments } from '../support/commands-in-documents.ts';
import { itWith } from '../support/needs.ts';
import { it as itInSample, itInTurn as it } from '../support/parts.ts';

const examples = join(actionPath, 'examples/ec2');
const example = (name: string): string => readFileSync(join(examples, name), 'utf8');
const guide = readFileSync(join(actionPath, 'docs/ec2.md'), 'utf8');
const readme = readFileSync(join(actionPath, 'README.md'), 'utf8');
const blocks = (text: string): string[] =>
  [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, block = '']) => block);
/** The guide's block in which the words stand. */
const block = (words: string): string => blocks(guide).find((text) => text.includes(words)) ?? '';

/** What the documents tell people to type on a host, apart from those commands that need more than git and our program. */
const forHosts = /^(sudo )?(ssm-ssh-agent (setup|exec|flush|--version)|git (config|ls-remote)) /;
const written = new Set(
  commandsInDocuments
    // Keys in KMS: e2e/kms/exec.test.ts. A cache: e2e/host/cache.test.ts.
    .filter(({ document }) => !['docs/kms.md', 'docs/scale.md'].includes(document))
    .map(({ command }) => command)
    .filter((command) => forHosts.test(`${command} `)),
);

describe('the examples for EC2', () => {
  itWith('shellcheck')('are clean under shellcheck', () => {
    const scripts = readdirSync(examples).filter((name) => name.endsWith('.sh'));
    expect(scripts).toEqual(['runner-hook.sh', 'user-data.sh']);
    const files = scripts.map((name) => join(examples, name));
    expect(execFileSync('shellcheck', files, { encoding: 'utf8' })).toBe('');
  });

  itInSample('are all named in the guide, and the guide in the README', () => {
    expect(readdirSync(examples).filter((name) => !guide.includes(`](../examples/ec2/${name})`))).toEqual([]);
    expect(readme).toContain('](docs/ec2.md)');
  });
});

describe('an EC2 host, by the guide', () => {
  const stage = useStage();
  let host: Ec2Host;
  let bin: string;

  beforeEach(async () => {
    host = await openEc2Host();
    host.world.put('/ci/deploy-key', stage.key.privateKey);
    bin = join(host.folder, 'bin');
    mkdirSync(bin);
    program('ssm-ssh-agent', `exec ${join(actionPath, 'helper/ssm-ssh-agent')} "$@"`);
    program('sudo', 'exec "$@"');
    program('dnf', 'echo "dnf $*"');
    // The host that the guide clones from is this one.
    const from = stage.host.url(repository).replace(`${repository}.git`, '');
    const settings = `[url "${from}"]\n\tinsteadOf = git@github.com:\n`;
    writeFileSync(host.env['GIT_CONFIG_GLOBAL'] ?? '', settings);
    mkdirSync(join(host.folder, '.ssh'));
    writeFileSync(join(host.folder, '.ssh/known_hosts'), stage.host.knownHosts);
  });
  afterEach(async () => {
    await host.close();
  });

  const program = (name: string, text: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const sh = async (script: string, env: Record<string, string> = {}): ReturnType<Ec2Host['agent']> => {
    const options = { env: { PATH: `${bin}:${host.env['PATH'] ?? ''}`, ...env } };
    return await host.start(['bash', '-ec', script], options).ended;
  };
  const withTrust = (script: string): string =>
    script.replace(' -- git', ` --known-hosts ${host.folder}/.ssh/known_hosts -- git`);

  it("reads the key by the example's role", async () => {
    const [trustPolicy, permissions] = ['instance-role-trust.json', 'instance-role-policy.json'].map(
      (name) => JSON.parse(example(name)) as PolicyDocument,
    );
    const arn = `${INSTANCE_ROLE}-of-the-example`;
    host.world.aws.iam.createRole({
      ...{ arn, trustPolicy: trustPolicy as PolicyDocument },
      policies: [permissions as PolicyDocument],
    });
    host.world.aws.metadata.set({ account: ACCOUNT, region: REGION, roleArn: arn });
    const { exitCode, stderr } = await sh('ssm-ssh-agent exec --key /ci/deploy-key -- true');
    expect([stderr, exitCode]).toEqual(['', 0]);
  });

  it('clones by exec, just once', async () => {
    const script = block('ssm-ssh-agent exec');
    expect(script).not.toBe('');
    const { exitCode } = await sh(withTrust(script));
    expect([exitCode, existsSync(join(host.folder, 'lib/README.md'))]).toEqual([0, true]);
  });

  it('loads a key into the agent of the session, and into a new one', async () => {
    const [present = '', fresh = ''] = block('add --agent').split('\n');
    const session = await sh(
      `eval "$(ssh-agent -s)" >/dev/null; ${present}; ssh-add -l; ssh-agent -k >/dev/null`,
    );
    expect(session.stdout).toContain(stage.key.fingerprint);
    const own = await sh(`${fresh}\nssh-add -l; ssh-agent -k >/dev/null`);
    expect(own.stdout).toContain(stage.key.fingerprint);
  });

  it('is set up by one line, the same as in the README, and for several keys', async () => {
    const [line = ''] = blocks(guide)[0]?.split('\n') ?? [];
    expect(line).toMatch(/^sudo ssm-ssh-agent setup /);
    expect(blocks(readme)).toContain(blocks(guide)[0]);
    expect((await sh(line)).exitCode).toBe(0);
    expect((await sh(block('/ci/tools-passphrase'))).exitCode).toBe(0);
    const { stdout } = await sh('git config --system --get-regexp "^ssm\\..*key$"');
    expect(stdout.split('\n').sort()).toEqual([
      '',
      'ssm.github.com/acme/lib.key /ci/lib-key',
      'ssm.github.com/acme/tools.key /ci/tools-key',
      'ssm.key /ci/user-key',
    ]);
  });

  it.each([...written])('runs what a document says, as it is written: %s', async (command) => {
    mkdirSync(join(host.env['HOME'] ?? '', '.ssh'));
    writeFileSync(join(host.folder, 'git-hosts'), stage.host.knownHosts);
    await sh(`
      for scope in system global; do git config --$scope core.sshCommand /opt/ssm-ssh-agent/helper/ssm-ssh; done
      git config --system ssm.key /ci/deploy-key
      git init -q release
      git -C release -c user.name=me -c user.email=me@example.com commit -q --allow-empty -m one
      git -C release -c user.name=me -c user.email=me@example.com tag -a -m one v1.0.0
      git config --global url.$PWD/release.insteadOf https://github.com/OWNER/ssm-ssh-agent`);
    const places = { "'LINE'": "'/ci/deploy-key github.com/acme/lib'", COMMAND: 'true', FILE: 'git-hosts' };
    const script = Object.entries(places).reduce(
      (text, [place, filled]) => text.replace(new RegExp(`(?<= )${place}$|(?<= )${place}(?= )`), filled),
      command,
    );
    const { exitCode, stderr, stdout } = await sh(withTrust(script));
    expect([exitCode, stderr.replace(/^Cloning into .*\n/, '')]).toEqual([
      0,
      expect.not.stringMatching(/error|fatal|[A-Z]{2,}_[A-Z]+:/),
    ]);
    // The last line has the commit, and the line before it the id of the tag.
    if (command.startsWith('git ls-remote')) {
      const { stdout: commit } = await sh('git -C release rev-parse v1.0.0^{commit}');
      expect(stdout.trim().split('\n').at(-1)).toBe(`${commit.trim()}\trefs/tags/v1.0.0^{}`);
    }
  });

  it('is set up by user data, from a tarball whose checksum is the one that somebody wrote down', async () => {
    const pack = ['pack', '--silent', '--pack-destination', host.folder];
    const tarball = join(
      host.folder,
      execFileSync('npm', pack, { cwd: actionPath, encoding: 'utf8' }).trim(),
    );
    const prefix = join(host.folder, 'prefix');
    const checksum = createHash('sha256').update(readFileSync(tarball)).digest('hex');
    const userData = async (SHA256: string): ReturnType<Ec2Host['agent']> => {
      const env = {
        ...{ NPM_CONFIG_PREFIX: prefix, NPM_CONFIG_OFFLINE: 'true', NPM_CONFIG_UPDATE_NOTIFIER: 'false' },
        ...{ URL: `file://${tarball}`, SHA256, PATH: `${prefix}/bin:${bin}:${host.env['PATH'] ?? ''}` },
      };
      return await host.start([join(examples, 'user-data.sh')], { env }).ended;
    };
    const unnamed = await userData('');
    expect([unnamed.exitCode === 0, unnamed.stdout]).toEqual([false, '']);
    expect(unnamed.stderr).toContain('docs/install.md');
    const another = await userData('0'.repeat(64));
    expect([another.exitCode, existsSync(prefix)]).toEqual([1, false]);
    const { exitCode, stdout } = await userData(checksum);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('dnf install -y git openssh-clients nodejs24 nodejs24-npm');
    const command = (await sh('git config --system core.sshCommand')).stdout.trim();
    expect(command).toBe(join(prefix, 'lib/node_modules/ssm-ssh-agent/helper/ssm-ssh'));
    expect(existsSync(command)).toBe(true);
  });

  it("lends its keys to a runner's jobs by the hook, which fails where nothing is set up", async () => {
    const variables = join(host.folder, 'github_env');
    const hook = ['bash', '-e', join(examples, 'runner-hook.sh')];
    const before = await host.start(hook, { env: { GITHUB_ENV: variables } }).ended;
    expect([before.exitCode, before.stdout]).toEqual([1, expect.stringContaining('::error title=setup::')]);
    await host.agent(['setup', '--system', '--key', '/ci/deploy-key']);
    const after = await host.start(hook, { env: { GITHUB_ENV: variables } }).ended;
    expect([after.exitCode, after.stderr]).toEqual([0, '']);
    const ssh = join(actionPath, 'helper/ssm-ssh');
    expect(readFileSync(variables, 'utf8')).toBe(`GIT_SSH_COMMAND=${ssh}\nGIT_SSH_VARIANT=ssh\n`);
  });

  it('has a drop-in like the one that setup prints', async () => {
    const { stdout } = await host.agent(['setup', '--system', '--key', '/ci/deploy-key']);
    const [line = ''] = stdout.split('\n').filter((text) => text.startsWith('Environment='));
    const path = join(actionPath, 'helper/ssm-ssh');
    const installed = '/usr/local/lib/node_modules/ssm-ssh-agent/helper/ssm-ssh';
    expect(example('ssm-ssh.conf').split('\n')).toEqual(
      expect.arrayContaining(['[Service]', line.replace(path, installed)]),
    );
    expect(dirname(installed)).toMatch(/\/ssm-ssh-agent\/helper$/);
  });
});
