/** Every end of ssh also ends the connection to the host, and leaves no session open. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { program } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { useEc2 } from './use-ec2.ts';
import { itInTurn as it } from '../../support/parts.ts';

describeOnHost('the connection to an EC2 host', () => {
  const stage = useEc2();

  const start = async (command: string): Promise<ChildProcess> => {
    const { host } = stage;
    const [file = '', ...args] = host.argv([program, stage.target, command]);
    const child = spawn(file, args, { cwd: host.home, env: host.env, stdio: 'pipe' });
    await once(child.stdout, 'data');
    return child;
  };
  const proxies = (): number[] =>
    stage.host
      .processes()
      .filter(({ command }) => command.includes(' ssm-ssh proxy '))
      .map(({ pid }) => pid);
  const sshOf = (): number[] =>
    stage.host
      .processes()
      .filter(({ command }) => command.startsWith('ssh '))
      .map(({ pid }) => pid);
  /** Remaining sessions and programs after two seconds, or more on a busy machine. */
  const left = async (): Promise<unknown> => {
    const { sessions } = stage.world.aws;
    const is = (): unknown[] => [...sessions.open, ...proxies()];
    for (let waited = 0; waited < 5000 && is().length > 0; waited += 20) await sleep(20);
    return [is(), sessions.violations];
  };

  it('ends when ssh ends normally', async () => {
    await stage.host.run(`${stage.ssh} true`);
    expect(await left()).toEqual([[], []]);
  });

  it.each(['SIGHUP', 'SIGTERM', 'SIGKILL'] as const)('ends when %s ends ssh', async (signal) => {
    const child = await start('echo up; sleep 60');
    expect(stage.world.aws.sessions.open.length).toBe(1);
    for (const pid of sshOf()) process.kill(pid, signal);
    await once(child, 'exit');
    expect(await left()).toEqual([[], []]);
  });

  it.each(['SIGHUP', 'SIGINT', 'SIGTERM'] as const)(
    'ends when ssm-ssh gets %s, which it passes on',
    async (signal) => {
      const child = await start('echo up; sleep 60');
      child.kill(signal);
      expect(await once(child, 'exit')).toEqual([255, null]);
      expect(await left()).toEqual([[], []]);
    },
  );

  it('ends when ssm-ssh is killed, and ssh with it', async () => {
    const child = await start('echo up; sleep 60');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await left()).toEqual([[], []]);
    for (let waited = 0; waited < 5000 && sshOf().length > 0; waited += 20) await sleep(20);
    expect(sshOf()).toEqual([]);
  });

  it('continues when ssh goes into the background', async () => {
    const late = join(stage.host.home, 'late');
    const { code } = await stage.host.run(
      `${program} -f ${stage.target} 'sleep 2; echo late >${late}' </dev/null >/dev/null 2>&1`,
    );
    expect([code, existsSync(late)]).toEqual([0, false]);
    while (proxies().length > 0) await sleep(20);
    expect(readFileSync(late, 'utf8')).toBe('late\n');
    expect(await left()).toEqual([[], []]);
  });

  it.each(['SIGHUP', 'SIGINT', 'SIGTERM'] as const)('ends when the proxy gets %s', async (signal) => {
    const child = await start('echo up; sleep 60');
    for (const pid of proxies()) process.kill(pid, signal);
    expect(await once(child, 'exit')).toEqual([255, null]);
    expect(await left()).toEqual([[], []]);
  });

  it('continues after SIGPIPE, which a write to a reset socket causes', async () => {
    const child = await start('echo up; read -r line; echo "$line"');
    for (const pid of proxies()) process.kill(pid, 'SIGPIPE');
    // Node handles a signal in its next turn.
    await sleep(100);
    child.stdin?.write('still here\n');
    expect(String((await once(child.stdout as NodeJS.ReadableStream, 'data'))[0])).toBe('still here\n');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('ends when its output is closed', async () => {
    await stage.host.run(`${stage.ssh} 'yes' | head -n 1`);
    expect(await left()).toEqual([[], []]);
  });

  it('reports the result before it closes the session, so that ssm-ssh does not wait', async () => {
    const { host, ssh, world } = stage;
    await host.run(`${ssh} true`);
    world.aws.sessions.faults = { terminateDelay: 60_000 };
    const [file = '', ...args] = host.argv(['bash', '-c', `${ssh} yes | head -n 1`]);
    let busy = 0;
    // On a busy machine the session may be closed before the check.
    for (let tries = 0; tries < 3 && busy === 0; tries++) {
      const child = spawn(file, args, { cwd: host.home, env: host.env, stdio: 'ignore' });
      await once(child, 'exit');
      busy = proxies().length;
    }
    world.aws.sessions.faults = {};
    expect(busy).toBe(1);
    expect(await left()).toEqual([[], []]);
  });

  it('ends when it is interrupted while it opens', async () => {
    const { host, world } = stage;
    world.aws.faults.order({ operation: 'ec2-instance-connect:SendSSHPublicKey', fault: 'hang', times: 1 });
    const [file = '', ...args] = host.argv([program, stage.target, 'true']);
    const child = spawn(file, args, { cwd: host.home, env: host.env, stdio: 'ignore' });
    while (world.aws.sessions.open.length === 0) await sleep(20);
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(await left()).toEqual([[], []]);
  });
});
