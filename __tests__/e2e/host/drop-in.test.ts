import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { Ec2Host, launchInstance, program, project, stateIsOurs } from '../../support/ec2-host.ts';
import { availableServers, startGitHost, type GitHost } from '../../support/git-host/git-host.ts';
import { startLoginHost, type LoginHost } from '../../support/login-host.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';

/** In the place of `describe` and `it` where the machine cannot show what the tests are about. */
function neverRun(): void {}

const installed = (name: string, ...args: string[]): boolean => spawnSync(name, args).status === 0;
const [server] = await availableServers();
if (server !== 'openssh') console.warn('not run here: copies by scp and rsync, for want of sshd');

(stateIsOurs ? describe : neverRun)('in the place of ssh, ssm-ssh', () => {
  let world: ReadyWorld;
  let git: GitHost;
  let key: SshKey;
  let host: Ec2Host;

  beforeAll(async () => {
    [git, key] = await Promise.all([startGitHost(), makeSshKey()]);
    await git.createRepository('acme/lib');
    git.addDeployKey({ repository: 'acme/lib', publicKey: key.publicKey, write: true });
  });
  afterAll(async () => {
    await git.stop();
  });
  beforeEach(async () => {
    world = await startReadyWorld();
    launchInstance(world);
    world.put('/ci/key', key.privateKey);
    host = new Ec2Host(world, [git], { SSM_SSH_KEY: '/ci/key' });
  });
  afterEach(async () => {
    host.dispose();
    await world.stop();
  });

  it("hands LFS's question on with the key of its repository", async () => {
    const target = `-p ${String(git.port)} ${git.user}@${git.address}`;
    const { stderr } = await host.run(
      `${program} ${target} git-lfs-authenticate acme/lib.git download || true`,
    );
    expect(stderr).toContain("Invalid command: 'git-lfs-authenticate acme/lib.git download'");
    expect((await git.log()).at(-1)?.accepted).toBe(key.fingerprint);
  });

  it('archives a remote', async () => {
    const { stdout } = await host.run(`git archive --remote=${git.url('acme/lib')} HEAD | tar t`);
    expect(stdout).toBe('README.md\n');
  });

  it('is forgotten by flush: no key, no process, no file; the next command fetches anew', async () => {
    await host.run(`git ls-remote ${git.url('acme/lib')}`);
    expect(host.processes().length).toBeGreaterThan(1);
    const flush = join(project, 'helper/ssm-ssh-agent');
    expect((await host.run(`${flush} flush`)).stderr).toBe('ssm-ssh-agent: all keys are forgotten\n');
    expect([host.processes(), existsSync(host.state)]).toEqual([[], false]);
    expect((await host.run(`${flush} flush`)).stderr).toBe('ssm-ssh-agent: there were no keys\n');
    expect((await host.run(`git ls-remote ${git.url('acme/lib')}`)).code).toBe(0);
  });

  it.each(['SIGTERM', 'SIGHUP', 'SIGINT'])('ends ssh where it gets %s itself', async (signal) => {
    await host.run(`git ls-remote ${git.url('acme/lib')}`);
    const target = `-p ${String(git.port)} ${git.user}@${git.address}`;
    // A server that waits for what nobody says. timeout(1) kills what does not end by the signal, and says 137 then.
    const waiting = `${program} ${target} "git-upload-pack 'acme/lib'"`;
    const { stdout } = await host.run(
      `sleep 6 | timeout -k 3 -s ${signal} 2 ${waiting} >/dev/null 2>&1 || true; echo "\${PIPESTATUS[*]}"`,
    );
    expect(stdout).not.toContain('137');
    expect((await host.run("ps -eo args | grep '[s]sh.*git-upload-pack.*acme/lib' || true")).stdout).toBe('');
  });

  (server === 'openssh' ? describe : neverRun)('copies to a host', () => {
    let login: LoginHost;
    beforeAll(async () => {
      login = await startLoginHost(key.publicKey);
    });
    afterAll(async () => {
      await login.stop();
    });

    it.each([
      ['scp', `scp -q -S ${program} -P PORT from/a USER@127.0.0.1:TO/a`],
      ['sftp', `echo "put from/a TO/a" | sftp -q -b - -S ${program} -P PORT USER@127.0.0.1`],
      ['rsync', `rsync -a -e '${program} -p PORT' from/ USER@127.0.0.1:TO/`],
    ])('by %s', async (name, command) => {
      if (name === 'rsync' && !installed('rsync', '--version')) {
        console.warn('not run here: rsync is not installed');
        return;
      }
      mkdirSync(join(host.home, 'from'));
      mkdirSync(join(host.home, 'to'));
      writeFileSync(join(host.home, 'from/a'), 'text');
      writeFileSync(host.env['SSM_SSH_KNOWN_HOSTS'] ?? '', login.knownHosts);
      const typed = command
        .replaceAll('PORT', String(login.port))
        .replaceAll('USER', login.user)
        .replaceAll('TO', join(host.home, 'to'));
      const { code, stderr } = await host.run(typed);
      expect([stderr, code]).toEqual(['', 0]);
      expect(readFileSync(join(host.home, 'to/a'), 'utf8')).toBe('text');
    });
  });

  (installed('strace', '-V') ? it : neverRun)(
    'writes the key once, into a pipe, and to no program and no file',
    async () => {
      const trace = join(host.home, 'trace');
      const calls = 'execve,write,writev,pwrite64,sendto,sendmsg';
      await host.run(
        `strace -ff -q -v -yy -s 100000 -e trace=${calls} -o ${trace} bash -c 'git ls-remote ${git.url('acme/lib')}; ${join(project, 'helper/ssm-ssh-agent')} flush'`,
      );
      const lines = key.privateKey.trim().split('\n').slice(3, -1);
      const traced = readdirSync(host.home)
        .filter((name) => name.startsWith('trace.'))
        .flatMap((name) => readFileSync(join(host.home, name), 'latin1').split('\n'));
      const showing = traced.filter((line) => lines.some((text) => line.includes(text)));
      expect(traced.some((line) => line.includes('execve(') && line.includes('ssh-add'))).toBe(true);
      expect(showing.length).toBe(1);
      expect(showing[0]).toMatch(/^writev?\(\d+<(pipe|UNIX|socket)/);
    },
  );
});
