/** The agent of a user: its owner, and its end. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { program } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { runningProcesses } from '../../support/runner/process-table.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';
import { useHost } from './use-host.ts';
import { itWhere } from '../../support/needs.ts';
import { itInTurn as it } from '../../support/parts.ts';

const linux = existsSync('/proc/self/stat');

describeOnHost('the agent of a user', () => {
  const stand = useHost();
  const fetch = (): string => `git ls-remote ${stand.git.url('acme/lib')}`;
  const pids = (): number[] => stand.host.processes().map(({ pid }) => pid);
  /** Ends the minute in which the agent waits for its first key. */
  const past = async (): Promise<void> => {
    await stand.host.run(`touch -d '2 minutes ago' ${stand.host.state}/reserved`);
  };

  it('needs ssh-agent, and the error says how to install it', async () => {
    const { host, git } = stand;
    const bin = `mkdir bin; ln -sf /usr/bin/* /bin/* bin/ 2>/dev/null || true; rm bin/ssh-agent`;
    const { code, stderr } = await host.run(
      `${bin}; PATH=$PWD/bin SSM_SSH_NODE='${process.execPath}' ${program} -p ${git.port} ${git.address}`,
    );
    expect([code, stderr]).toEqual([
      255,
      expect.stringMatching(/^ssm-ssh: AGENT_NOT_FOUND: .*\nhint: install OpenSSH's client: apt-get/),
    ]);
  });

  it('ends after the lifetime of its last key, and not before', async () => {
    const { host } = stand;
    await host.run(fetch(), { SSM_SSH_KEY_LIFETIME: '10s' });
    await past();
    const before = pids();
    expect(before.length).toBeGreaterThan(0);
    while (pids().length > 0) await sleep(50);
    expect(existsSync(join(host.state, 'agent'))).toBe(false);
    expect([...host.files(host.state).keys()].filter((path) => path.endsWith('/live'))).toEqual([]);
    expect((await host.run(fetch())).code).toBe(0);
    expect(stand.calls()).toBe(2);
  });

  it('takes none of the user’s own keys, whatever ssh’s configuration says of AddKeysToAgent', async () => {
    const { host, git, world } = stand;
    const [own, refused] = await Promise.all([makeSshKey(), makeSshKey()]);
    world.put('/ci/refused', refused.privateKey);
    await git.createRepository('acme/own');
    git.addDeployKey({ repository: 'acme/own', publicKey: own.publicKey, write: true });
    writeFileSync(join(host.home, 'own'), own.privateKey, { mode: 0o600 });
    // ssh finds ~/.ssh/config by the account, not by HOME.
    writeFileSync(join(host.home, 'config'), `AddKeysToAgent yes\nIdentityFile ${host.home}/own\n`);
    const ssh = `mkdir bin; printf '#!/bin/sh\nexec %s -F %s/config "$@"\n' "$(command -v ssh)" $PWD >bin/ssh; chmod +x bin/ssh`;
    const list = `PATH=$PWD/bin:$PATH git ls-remote ${git.url('acme/own')}`;
    expect((await host.run(`${ssh}; ${list}`, { SSM_SSH_KEY: '/ci/refused' })).code).toBe(0);
    const { stdout } = await host.run(`SSH_AUTH_SOCK=${host.state}/agent ssh-add -l`);
    expect(stdout).toContain(refused.fingerprint);
    expect(stdout).not.toContain(own.fingerprint);
  });

  it('stays while it still has keys', async () => {
    const { host, world, git } = stand;
    const lasting = await makeSshKey();
    world.put('/ci/lasting', lasting.privateKey);
    const login = `${program} -p ${String(git.port)} ${git.user}@${git.address} || true`;
    await host.run(login, { SSM_SSH_KEY: '/ci/lasting' });
    await host.run(fetch(), { SSM_SSH_KEY_LIFETIME: '6s' });
    await past();
    const { stdout } = await host.run(
      `while ssh-add -l | grep -q ${stand.key.fingerprint}; do sleep 0.1; done; ssh-add -l`,
      { SSH_AUTH_SOCK: join(host.state, 'agent') },
    );
    expect(stdout).toContain(lasting.fingerprint);
    expect(stdout.trim().split('\n').length).toBe(1);
  });

  it('stays with its keys while somebody has locked it', async () => {
    const { host } = stand;
    await host.run(fetch());
    await past();
    const asking = { SSH_ASKPASS: join(host.home, 'ask'), SSH_ASKPASS_REQUIRE: 'force' };
    writeFileSync(asking.SSH_ASKPASS, '#!/bin/sh\necho passphrase\n', { mode: 0o755 });
    const { stdout } = await host.run(`ssh-add -x && sleep 12 && ssh-add -X && ssh-add -l`, {
      ...{ ...asking, SSH_AUTH_SOCK: join(host.state, 'agent') },
    });
    expect(stdout).toContain(stand.key.fingerprint);
  });

  it('is not used because of a mark of another machine or an earlier boot', async () => {
    const { host } = stand;
    await host.run(fetch());
    await host.run(`sed -i 's/^[^ ]*/another-start/' ${host.state}/keys/*/live`);
    expect([(await host.run(fetch())).code, stand.calls()]).toEqual([0, 2]);
    expect([(await host.run(fetch())).code, stand.calls()]).toEqual([0, 2]);
  });

  itWhere(linux, 'sessions of processes need /proc')(
    'outlives the session that started it, and does not have its environment',
    async () => {
      const { host } = stand;
      const job = {
        ...{
          RUNNER_TEMP: '/tmp/job',
          RUNNER_TRACKING_ID: 'github_1',
          GITHUB_TOKEN: 'of-the-job',
          LD_DEBUG: '',
        },
        ...{ AWS_REGION: 'eu-west-1', SSM_SSH_TIMEOUT: '30s' },
      };
      const [file = '', ...args] = host.argv(['bash', '-c', `${fetch()} >/dev/null; echo up; sleep 600`]);
      const session = spawn(file, args, { cwd: host.home, env: { ...host.env, ...job }, detached: true });
      await new Promise((resolve) => session.stdout.once('data', resolve));
      process.kill(-(session.pid ?? 0), 'SIGKILL');
      await new Promise((resolve) => session.once('close', resolve));
      const left = runningProcesses().filter(({ command }) => command.includes(host.home));
      expect(left.map(({ command }) => command.split(' ')[0]).sort()).toEqual(['/bin/sh', 'ssh-agent']);
      for (const { pid, environment } of left) {
        const names = environment.split('\0').flatMap((line) => (line ? [line.split('=')[0]] : []));
        expect(['HOME', 'PATH', 'PWD', 'SSH_AGENT_PID', 'SSH_AUTH_SOCK']).toEqual(
          expect.arrayContaining(names),
        );
        const [, , , sessionId] = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
          .replace(/.*\) /s, '')
          .split(' ');
        expect(Number(sessionId)).not.toBe(session.pid);
      }
      const { code } = await host.run(fetch(), job);
      expect([code, stand.calls()]).toEqual([0, 1]);
    },
  );
});
