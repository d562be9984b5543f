/** The choice of the key and the connection method: by a section, by the user's options, or a pushed key. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { program, project } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import type { Ec2Instance } from '../../support/ec2-instance.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';
import { launch } from '../../support/reachable-ec2.ts';
import { useEc2 } from './use-ec2.ts';
import { itInTurn as it } from '../../support/parts.ts';

describeOnHost('the key for an EC2 host', () => {
  const stage = useEc2();
  let key: SshKey;
  let known: Ec2Instance;
  beforeAll(async () => {
    key = await makeSshKey();
    stage.world.put('/ci/key', key.privateKey);
    known = await launch(stage.world, {
      authorizedKeys: [key.publicKey],
      tags: { Name: 'known' },
    });
  });
  afterAll(async () => {
    await known.stop();
  });
  const pushes = (): number => stage.count('ec2-instance-connect:SendSSHPublicKey');
  const target = (): string => `${known.user}@${known.instanceId}`;

  it('is the key of a section, and then none is pushed', async () => {
    const { host } = stage;
    host.configure([`[ssm "${known.instanceId}"]`, 'key = /ci/key']);
    const { stdout } = await host.run(
      `${program} ${target()} echo hello; ${program} root@Name=known echo again`,
    );
    expect([stdout, pushes()]).toEqual(['hello\nagain\n', 0]);
    expect(stage.count('ssm:GetParameter')).toBe(1);
  });

  it.each(['timeout = soon', 'region = x', 'via = nothing'])(
    'has the settings of its section, with ssm-ssh and with proxy: %s',
    async (setting) => {
      const { host } = stage;
      host.configure([`[ssm "${known.instanceId}"]`, 'key = /ci/key', setting]);
      const lines = [
        `${program} ${target()} true`,
        `${join(project, 'helper/ssm-ssh-agent')} proxy ${known.instanceId} 22`,
      ];
      for (const line of lines) {
        const { code, stderr } = await host.run(line);
        expect([line, code === 0, stderr]).toEqual([line, false, expect.stringContaining('INPUT_INVALID')]);
        expect(stderr).toContain(setting.replace(/.* /, ''));
      }
    },
  );

  it.each([
    ['timeout = soon', 'an id', (id: string) => id],
    ['region = x', 'an id', (id: string) => id.toUpperCase()],
    ['roleArn = x', 'an id', (id: string) => `${id}:22`],
    ['via = nothing', 'an id', (id: string) => id],
    ['region = x', 'a tag', () => 'Name=known'],
    ['via = nothing', 'a tag', () => 'Name=known'],
  ])('has the settings of its section without a key, too: %s for %s', async (setting, what, section) => {
    const { host } = stage;
    host.configure([`[ssm "${section(known.instanceId)}"]`, setting]);
    Reflect.deleteProperty(host.env, 'SSM_SSH_VIA');
    const named = what === 'a tag' ? 'Name=known' : known.instanceId;
    const lines = [
      `${program} ${known.user}@${named} true`,
      `${join(project, 'helper/ssm-ssh-agent')} proxy ${named} 22 ${known.user}`,
      // The id is known only after the look-up.
      ...(what === 'an id' && setting !== 'region = x' ? [`${program} ${known.user}@Name=known true`] : []),
    ];
    for (const line of lines) {
      const { code, stderr } = await host.run(line);
      expect([line, code === 0, stderr]).toEqual([line, false, expect.stringContaining('INPUT_INVALID')]);
      expect(stderr).toContain(setting.replace(/.* /, ''));
    }
    expect(pushes()).toBe(0);
  });

  it('is pushed in the Region of its section', async () => {
    const { host, world } = stage;
    host.configure([
      '[ssm "Name=known"]',
      'region = eu-central-1',
      '[ssm "Name=other"]',
      'region = us-east-1',
    ]);
    world.aws.forgetCalls();
    await host.run(`${program} ${known.user}@Name=known true`);
    const regions = world.aws.calls.flatMap(({ operation, region }) =>
      /^ec2:/.test(operation) ? [region] : [],
    );
    expect(regions).toEqual(['eu-central-1']);
  });

  it("is the user's own, in the Region of the host's section", async () => {
    const { host, world } = stage;
    for (const more of [[], ['key = /ci/key']]) {
      host.configure([`[ssm "${known.instanceId}"]`, 'region = eu-central-1', ...more]);
      world.aws.forgetCalls();
      await host.run(`touch mine; ${program} -i mine ${target()} true`);
      const calls = world.aws.calls.map(({ operation, region }) => [operation, region]);
      expect(calls).toContainEqual(['ssm:StartSession', 'eu-central-1']);
    }
  });

  it('is never a default key', async () => {
    const { host } = stage;
    host.env['SSM_SSH_KEY'] = '/ci/key';
    const { stdout } = await host.run(`${program} ${target()} echo hello`);
    expect([stdout, pushes(), stage.count('ssm:GetParameter')]).toEqual(['hello\n', 1, 0]);
  });

  it.each(['-i mine', '-o IdentityFile=mine', '-F config'])(
    "is the user's own with %s, through our tunnel",
    async (choice) => {
      const { host } = stage;
      const { stdout } = await host.run(
        `printf %s "$KEY" >mine; chmod 600 mine; echo "IdentityFile $PWD/mine" >config
      ${program} ${choice} ${target()} echo hello`,
        { KEY: key.privateKey },
      );
      expect([stdout, pushes()]).toEqual(['hello\n', 0]);
    },
  );

  it('is pushed for a connection that later ones share (ControlMaster)', async () => {
    const { host } = stage;
    const { stdout } = await host.run(
      `shared="-o ControlMaster=auto -o ControlPath=$PWD/shared -o ControlPersist=5"
      ${program} $shared ${target()} echo one; ${program} $shared ${target()} echo two
      ${program} -O exit -o ControlPath=$PWD/shared ${target()} 2>&1`,
    );
    expect(stdout).toMatch(/^one\ntwo\nExit request sent/);
    expect(stage.count('ssm:StartSession')).toBe(1);
  });

  it('is offered for any value of IdentitiesOnly', async () => {
    const { host, target } = stage;
    const { stdout } = await host.run(`${program} -o IdentitiesOnly=yes ${target} echo there`);
    expect(stdout).toBe('there\n');
  });

  it('is made again if its agent was emptied', async () => {
    const { host } = stage;
    const { stdout } = await host.run(
      `${program} ${target()} echo one; ${program} ${target()} echo two
      SSH_AUTH_SOCK=${host.state}/ec2/agent ssh-add -qD; ${program} ${target()} echo three`,
    );
    expect([stdout, pushes()]).toEqual(['one\ntwo\nthree\n', 2]);
  });

  it.each([`-J nobody@127.0.0.1:1`, '-o ProxyCommand=false', '-oHostName=127.0.0.1 -p 1'])(
    'does not change the connection of a user with %s',
    async (choice) => {
      const { host, count } = stage;
      const { code } = await host.run(`${program} ${choice} ${target()} true`);
      expect([code, pushes(), count('ssm:StartSession')]).toEqual([255, 0, 0]);
    },
  );

  it('is required for a managed node, where AWS cannot push one', async () => {
    const { host, world } = stage;
    const { stderr, code } = await host.run(`${program} ec2-user@mi-0123456789abcdef0 true`);
    expect(stderr).toBe(
      'ssm-ssh: INPUT_INVALID: mi-0123456789abcdef0 is no EC2 instance, and EC2 Instance Connect pushes keys to those alone\n' +
        'hint: name a key that it knows: git config --global ssm.mi-0123456789abcdef0.key /NAME, or -i FILE\n',
    );
    expect([code, world.aws.calls]).toEqual([255, []]);
  });

  it('is not used for a user name with a meaning for a shell', async () => {
    const { host } = stage;
    const { stderr } = await host.run(`${program} "x';touch made;'@${known.instanceId}" true; ls`);
    expect(stderr).toContain('ssm-ssh: INPUT_INVALID: the user in ');
    expect(host.files().has(join(host.home, 'made'))).toBe(false);
  });

  it('reaches the host inside exec, with its key', async () => {
    const { host } = stage;
    const agent = join(project, 'helper/ssm-ssh-agent');
    const { stdout } = await host.run(
      `${agent} exec --key '/ci/key ${known.instanceId}' -- sh -c 'ssm-ssh ${target()} echo hello'`,
    );
    expect([stdout, pushes()]).toEqual(['hello\n', 0]);
    const pushed = await host.run(
      `${agent} exec --key /ci/key -- sh -c 'ssm-ssh ${stage.target} echo hello'`,
    );
    expect([pushed.stdout, pushes()]).toEqual(['hello\n', 1]);
  });
});
