/** The forwarded agent is the caller's own. With our agent, the host could sign with every key of this user. */
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect } from '@jest/globals';
import { program, project } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import type { Ec2Instance } from '../../support/ec2-instance.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';
import { launch } from '../../support/reachable-ec2.ts';
import { useEc2 } from './use-ec2.ts';
import { itInTurn as it } from '../../support/parts.ts';

const agent = join(project, 'helper/ssm-ssh-agent');

describeOnHost('an agent that is forwarded', () => {
  const stage = useEc2();
  let key: SshKey;
  let known: Ec2Instance;
  beforeAll(async () => {
    key = await makeSshKey();
    stage.world.put('/ci/key', key.privateKey);
    known = await launch(stage.world, { authorizedKeys: [key.publicKey] });
  });
  afterAll(async () => {
    await known.stop();
  });
  beforeEach(() => {
    const { host } = stage;
    host.env['SSM_SSH_KEY'] = '/ci/key';
    writeFileSync(join(host.home, 'known'), `[127.0.0.1]:${known.port} ${known.hostKey.publicKey}\n`);
    host.configure([`[ssm "${known.instanceId}"]`, 'key = /ci/key']);
  });

  const address = (): string => `-p ${known.port} ${known.user}@127.0.0.1`;
  const ways = {
    'a host': () => (options: string) => `${program} ${options} ${address()}`,
    'a host, from exec': () => (options: string) =>
      `${agent} exec --quiet --key /ci/key --known-hosts known -- ssm-ssh ${options} ${address()}`,
    'an EC2 host with a named key': () => (options: string) =>
      `${program} ${options} ${known.user}@${known.instanceId}`,
    'an EC2 host with a named key, from exec': () => (options: string) =>
      `${agent} exec --quiet --key '/ci/key ${known.instanceId}' -- ssm-ssh ${options} ${known.user}@${known.instanceId}`,
    'an EC2 host with a pushed key': () => (options: string) => `${program} ${options} ${stage.target}`,
  };
  /** ssh with its own configuration instead of the tester's. */
  const configured = (lines: string): string =>
    `mkdir -p bin; printf '#!/bin/sh\\nexec /usr/bin/ssh -F "$HOME/config" "$@"\\n' >bin/ssh; chmod +x bin/ssh; PATH=$PWD/bin:$PATH; printf '${lines}' >config`;
  const mine = `ssh-keygen -q -t ed25519 -N '' -C mine -f mine
    eval "$(ssh-agent -a $PWD/my-agent)" >/dev/null; trap 'kill $SSH_AGENT_PID' EXIT; ssh-add -q mine`;

  it.each(Object.entries(ways))('is the caller’s, to %s', async (_, way) => {
    const { host } = stage;
    const ssh = way();
    const list = `ssh-add -l 2>&1 | grep -v Permanently`;
    const { stdout } = await host.run(
      `${mine}; ${ssh('-A')} ${list}; ${configured('ForwardAgent yes')}; ${ssh('')} ${list}`,
    );
    expect(stdout).toMatch(/^(256 SHA256:\S+ mine \(ED25519\)\n){2}$/);
  });

  it.each(Object.entries(ways))('does not exist if the caller has or wants none, to %s', async (_, way) => {
    const { host } = stage;
    const ssh = way();
    const list = `'ssh-add -l || echo none' 2>/dev/null`;
    const { stdout } = await host.run(
      `unset SSH_AUTH_SOCK; ${ssh('-A')} ${list}; ${mine}; ${ssh('-A -a')} ${list}
       ${configured('ForwardAgent yes')}; SSH_AUTH_SOCK=gone ${ssh('')} ${list}`,
    );
    expect(stdout).toBe('none\n'.repeat(3));
  });
});
