import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { program, project } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { startLoginHost, type LoginHost } from '../../support/login-host.ts';
import { runningProcesses } from '../../support/runner/process-table.ts';
import { parsePrivateKey } from '../../../src/keys/private-key.ts';
import { unescaped } from '../../support/unescaped.ts';
import { useHost } from './use-host.ts';
import { describeWith, installed, itWith } from '../../support/needs.ts';
import { itInTurn as it } from '../../support/parts.ts';

describeOnHost('ssm-ssh in place of ssh', () => {
  const stand = useHost();

  it('answers LFS with the key of its repository', async () => {
    const target = `-p ${String(stand.git.port)} ${stand.git.user}@${stand.git.address}`;
    const { stderr } = await stand.host.run(
      `${program} ${target} git-lfs-authenticate acme/lib.git download || true`,
    );
    expect(stderr).toContain("Invalid command: 'git-lfs-authenticate acme/lib.git download'");
    expect((await stand.git.log()).at(-1)?.accepted).toBe(stand.key.fingerprint);
  });

  it('archives a remote', async () => {
    const { stdout } = await stand.host.run(`git archive --remote=${stand.git.url('acme/lib')} HEAD | tar t`);
    expect(stdout).toBe('README.md\n');
  });

  it('leaves no key, process or file after flush; the next command fetches the key again', async () => {
    await stand.host.run(`git ls-remote ${stand.git.url('acme/lib')}`);
    expect(stand.host.processes().length).toBeGreaterThan(1);
    const flush = join(project, 'helper/ssm-ssh-agent');
    expect((await stand.host.run(`${flush} flush`)).stderr).toBe('ssm-ssh-agent: all keys are forgotten\n');
    expect([stand.host.processes(), existsSync(stand.host.state)]).toEqual([[], false]);
    expect((await stand.host.run(`${flush} flush`)).stderr).toBe('ssm-ssh-agent: there were no keys\n');
    expect((await stand.host.run(`git ls-remote ${stand.git.url('acme/lib')}`)).code).toBe(0);
  });

  it.each(['SIGTERM', 'SIGHUP', 'SIGINT'])('ends ssh when it gets %s', async (signal) => {
    await stand.host.run(`git ls-remote ${stand.git.url('acme/lib')}`);
    const target = `-p ${String(stand.git.port)} ${stand.git.user}@${stand.git.address}`;
    // A server that waits. timeout(1) kills a program that the signal does not end, and then exits with 137.
    const waiting = `${program} ${target} "git-upload-pack 'acme/lib'"`;
    const { stdout } = await stand.host.run(
      `sleep 6 | timeout -k 3 -s ${signal} 2 ${waiting} >/dev/null 2>&1 || true; echo "\${PIPESTATUS[*]}"`,
    );
    expect(stdout).not.toContain('137');
    const port = String(stand.git.port);
    expect(runningProcesses().filter(({ command }) => command.includes(` -p ${port} `))).toEqual([]);
  });

  describeWith('sshd')('copies to a host', () => {
    let login: LoginHost;
    beforeAll(async () => {
      login = await startLoginHost(stand.key.publicKey);
    });
    afterAll(async () => {
      await login.stop();
    });

    const rsync = ['rsync', `rsync -a -e '${program} -p PORT' from/ USER@127.0.0.1:TO/`] as const;
    it.each([
      ['scp', `scp -q -S ${program} -P PORT from/a USER@127.0.0.1:TO/a`],
      ['sftp', `echo "put from/a TO/a" | sftp -q -b - -S ${program} -P PORT USER@127.0.0.1`],
      ...(installed('rsync') ? [rsync] : []),
    ])('by %s', async (_, command) => {
      mkdirSync(join(stand.host.home, 'from'));
      mkdirSync(join(stand.host.home, 'to'));
      writeFileSync(join(stand.host.home, 'from/a'), 'text');
      writeFileSync(stand.host.env['SSM_SSH_KNOWN_HOSTS'] ?? '', login.knownHosts);
      const typed = command
        .replaceAll('PORT', String(login.port))
        .replaceAll('USER', login.user)
        .replaceAll('TO', join(stand.host.home, 'to'));
      const { code, stderr } = await stand.host.run(typed);
      expect([stderr, code]).toEqual(['', 0]);
      expect(readFileSync(join(stand.host.home, 'to/a'), 'utf8')).toBe('text');
    });
  });

  itWith('strace')('writes the key once, to the agent, and to no other program or file', async () => {
    const trace = join(stand.host.home, 'trace');
    const calls = 'execve,write,writev,pwrite64,sendto,sendmsg';
    await stand.host.run(
      `strace -ff -q -v -yy -xx -s 100000 -e trace=${calls} -o ${trace} bash -c 'git ls-remote ${stand.git.url('acme/lib')}; ${join(project, 'helper/ssm-ssh-agent')} flush'`,
    );
    const [, pair] = parsePrivateKey(stand.key.privateKey, '').fields;
    const texts = stand.key.privateKey.trim().split('\n').slice(3, -1);
    const forms = [...texts, pair?.subarray(0, 32).toString('latin1') ?? ''];
    const traced = readdirSync(stand.host.home)
      .filter((name) => name.startsWith('trace.'))
      .flatMap((name) => readFileSync(join(stand.host.home, name), 'latin1').split('\n').map(unescaped));
    const showing = traced.filter((line) => forms.some((form) => line.includes(form)));
    expect(traced.some((line) => line.includes('execve(') && line.includes('ssh-agent'))).toBe(true);
    expect(showing.length).toBe(1);
    expect(showing[0]).toMatch(/^(writev?|sendmsg|sendto)\(\d+<(UNIX|socket)/);
  });
});
