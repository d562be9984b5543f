/** git and EC2 hosts: anybody can write a submodule's URL, so it starts no session that was not allowed. */
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { project } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { useEc2 } from './use-ec2.ts';
import { itInTurn as it } from '../../support/parts.ts';

const agent = join(project, 'helper/ssm-ssh-agent');

describeOnHost('a URL of an EC2 host in git', () => {
  const stage = useEc2();
  const asked = (): number =>
    stage.world.aws.calls.filter(({ service }) => service !== 'imds' && service !== 'sts').length;
  /** A repository with a submodule on the EC2 host, and git's submodule update in a clone of it. */
  const update = (place: string): string =>
    `git init -q --bare $PWD/there.git
     git init -q outer; cd outer
     printf '[submodule "x"]\npath = x\nurl = ssh://%s%s/there.git\n' '${place}' "$HOME" >.gitmodules
     git add .gitmodules; git update-index --add --cacheinfo 160000,${'1'.repeat(40)},x; git commit -qm x; cd ..
     git clone -q outer inner; cd inner
     git submodule update --init 2>&1 || true`;

  it.each([
    ['an instance', () => stage.target],
    ['a tag', () => `root@Name=web-1`],
  ])('reaches nothing, and makes no AWS call, with %s', async (_, place) => {
    const { host } = stage;
    host.env['GIT_SSH_COMMAND'] = `${project}/helper/ssm-ssh`;
    const { stdout } = await host.run(update(place()));
    expect(stdout).toMatch(
      /^ssm-ssh: INPUT_INVALID: git was given the EC2 host (i-[0-9a-f]+|Name=web-1), which nothing allows it to reach\nhint: if the URL is yours: git config --global ssm\.ec2Remotes true, or SSM_SSH_EC2_REMOTES=1$/m,
    );
    expect(asked()).toBe(0);
  });

  it('reaches nothing without a path, or for LFS', async () => {
    const { host, target } = stage;
    const commands = [
      ...[
        "git-upload-pack '/'",
        "git-upload-pack '.git'",
        "git-receive-pack ''",
        'git-lfs-authenticate / download',
      ],
      "git-lfs-transfer '/' download",
    ];
    const typed = commands.map((command) => `${project}/helper/ssm-ssh ${target} "${command}"`);
    for (const command of [...typed, `git -c protocol.version=0 ls-remote ssh://${target}/`]) {
      const { stderr, code } = await host.run(command, { GIT_SSH_VARIANT: 'ssh' });
      expect([code === 0, stderr]).toEqual([
        false,
        expect.stringContaining('which nothing allows it to reach'),
      ]);
    }
    expect(asked()).toBe(0);
  });

  it.each([
    ['ssm.ec2Remotes', ['[ssm]', 'ec2Remotes = true'], {}],
    ['SSM_SSH_EC2_REMOTES', [], { SSM_SSH_EC2_REMOTES: '1' }],
  ])('reaches the host if %s allows it', async (...[, lines, env]) => {
    const { host } = stage;
    host.configure(lines);
    const { stdout } = await host.run(update(stage.target), env);
    // The host does not have this commit.
    expect(stdout).toContain('upload-pack: not our ref 1');
    expect(stage.count('ssm:StartSession')).toBeGreaterThan(0);
  });

  it('reaches a host of a section with its key, and a host of a key of exec', async () => {
    const { host, instance, target } = stage;
    host.configure([`[ssm "${instance.instanceId}"]`, 'key = /ci/nowhere']);
    const list = `git ls-remote ssh://${target}/there.git 2>&1 || true`;
    expect((await host.run(list)).stdout).toMatch(/^ssm-ssh: KEY_NOT_FOUND/);
    host.configure([]);
    stage.world.put('/ci/key', (await host.run("ssh-keygen -q -t ed25519 -N '' -f k && cat k")).stdout);
    const { stdout } = await host.run(
      `env -u GIT_SSH_COMMAND ${agent} exec --key '/ci/key ${instance.instanceId}' -- sh -c '${list}'`,
    );
    expect(stdout).toContain('Permission denied');
    expect(stage.count('ssm:StartSession')).toBeGreaterThan(0);
  });

  it.each([
    ['ec2Remotes', (id: string) => `[ssm]\nec2Remotes = true\n[ssm "*.x"]\nkey = /ci/${id}\n`],
    ['a section', (id: string) => `[ssm "${id}"]\nkey = /ci/key\n`],
  ])('is not allowed by %s in a repository’s configuration', async (_, lines) => {
    const { host, target, instance } = stage;
    const { stdout } = await host.run(
      `git init -q evil; cd evil; printf %s "$LINES_OF_IT" >>.git/config; git ls-remote ssh://${target}/there.git 2>&1 || true`,
      { LINES_OF_IT: lines(instance.instanceId) },
    );
    expect(stdout).toContain('ssm-ssh: INPUT_INVALID: git was given the EC2 host');
    expect(asked()).toBe(0);
  });

  it('is not reached with plain ssh and the block of setup', async () => {
    const { host, target } = stage;
    const { stdout } = await host.run(
      `${agent} setup --global --via session-manager >config 2>/dev/null
       GIT_SSH_COMMAND="ssh -F $PWD/config" git ls-remote ssh://${target}/there.git 2>&1 || true`,
    );
    expect(stdout).toContain('ssm-ssh-agent: INPUT_INVALID: git was given the EC2 host');
    expect(asked()).toBe(0);
  });
});
