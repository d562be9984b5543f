import { expect } from '@jest/globals';
import { program } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { useEc2 } from './use-ec2.ts';
import { itInTurn as it } from '../../support/parts.ts';

describeOnHost('ssm-ssh to an EC2 host', () => {
  const stage = useEc2();

  it('needs only IAM: a key is made and pushed, and the next connection uses it', async () => {
    const { host, ssh, count, instance } = stage;
    const first = await host.run(`${ssh} echo hello`);
    expect(first.stderr).toBe(
      `Warning: Permanently added '${instance.instanceId}' (ED25519) to the list of known hosts.\r\n`,
    );
    expect([first.stdout, first.code]).toEqual(['hello\n', 0]);
    const second = await host.run(`echo in | ${ssh} 'cat; exit 3'`);
    expect([second.stderr, second.stdout, second.code]).toEqual(['', 'in\n', 3]);
    expect(count('ec2-instance-connect:SendSSHPublicKey')).toBe(1);
  });

  it('works for an account with a nologin shell', async () => {
    const { host, ssh } = stage;
    const { stdout, code } = await host.run(`${ssh} echo hello`, { SHELL: '/usr/sbin/nologin' });
    expect([stdout, code]).toEqual(['hello\n', 0]);
  });

  it('uses the caller’s HostKeyAlias for the host key', async () => {
    const { host, target } = stage;
    const { stderr } = await host.run(`${program} -o HostKeyAlias=web ${target} true`);
    expect(stderr).toMatch(/^Warning: Permanently added 'web' /);
  });

  it('leaves a private key only in the agent', async () => {
    const { host, ssh } = stage;
    await host.run(`${ssh} true`);
    const { stdout } = await host.run(`SSH_AUTH_SOCK=${host.state}/ec2/agent ssh-add -l`);
    expect(stdout).toMatch(/^256 SHA256:\S+ .*\(ED25519\)\n$/);
    for (const [path, text] of host.files()) expect([path, /PRIVATE KEY/.test(text)]).toEqual([path, false]);
  });

  it('carries scp, sftp, rsync and git', async () => {
    const { host, target, ssh } = stage;
    const script = `
      export GIT_SSH_COMMAND=${ssh.split(' ')[0] ?? ''} SSM_SSH_EC2_REMOTES=1
      head -c 300000 /dev/urandom >up; there=$PWD/there; mkdir $there
      scp -q -S $GIT_SSH_COMMAND up ${target}:$there/scp
      echo "put up $there/sftp" | sftp -q -S $GIT_SSH_COMMAND -b - ${target} >/dev/null
      if command -v rsync >/dev/null; then rsync -e $GIT_SSH_COMMAND up ${target}:$there/rsync; else cp up $there/rsync; fi
      for way in scp sftp rsync; do cmp up $there/$way; done
      git init -q --bare $there/lib.git
      git clone -q ${target}:$there/lib.git lib 2>/dev/null; cd lib
      git commit -q --allow-empty -m one; git push -q origin HEAD; git ls-remote origin | wc -l`;
    const { stderr, stdout, code } = await host.run(script);
    expect([stderr.replace(/^Warning: Permanently.*\r\n/m, ''), stdout.trim(), code]).toEqual(['', '2', 0]);
  });

  it.each([
    ['by -l', (user: string, id: string) => `-l ${user} ${id}`],
    ['by a URL', (user: string, id: string) => `ssh://${user}@${id}`],
    ['in capitals', (user: string, id: string) => `${user}@${id.toUpperCase()}`],
    ['behind options', (user: string, id: string) => `-o LogLevel=ERROR -A -C -- ${user}@${id}`],
  ])('accepts the name %s', async (_, write) => {
    const { host, ssh, instance } = stage;
    const [program = ''] = ssh.split(' ');
    const { stdout } = await host.run(`${program} ${write(instance.user, instance.instanceId)} echo hello`);
    expect(stdout).toBe('hello\n');
  });

  it('forwards the user’s agent, and not the one with pushed keys', async () => {
    const { host, ssh } = stage;
    const { stdout } = await host.run(
      `ssh-keygen -q -t ed25519 -N '' -C mine -f mine
      eval "$(ssh-agent -a $PWD/my-agent)" >/dev/null; trap 'kill $SSH_AGENT_PID' EXIT; ssh-add -q mine
      ${ssh.replace(' ', ' -A ')} ssh-add -l`,
    );
    expect(stdout).toMatch(/^256 SHA256:\S+ mine \(ED25519\)\n$/);
  });

  it("makes no AWS call for git's probe and for ssh -G", async () => {
    const { host, ssh, world } = stage;
    const { stdout } = await host.run(ssh.replace(' ', ' -G '));
    expect(stdout).toContain('hostname i-');
    expect([world.aws.calls, host.processes()]).toEqual([[], []]);
  });
});
