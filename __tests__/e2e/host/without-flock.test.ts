/** Without flock(1), as on macOS. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, it as everyIt } from '@jest/globals';
import { describeOnHost } from '../../support/on-host.ts';
import { runningProcesses } from '../../support/runner/process-table.ts';
import { useHost } from './use-host.ts';
import { hasRest, itInRest } from '../../support/parts.ts';

const tools = [
  ...[
    'bash',
    'cat',
    'chmod',
    'date',
    'dirname',
    'env',
    'find',
    'git',
    'id',
    'ln',
    'ls',
    'mkdir',
    'mv',
    'node',
  ],
  ...[
    'readlink',
    'rm',
    'sed',
    'seq',
    'setpriv',
    'setsid',
    'sh',
    'sleep',
    'ssh',
    'ssh-add',
    'ssh-agent',
    'tr',
  ],
  ...['mount', 'unshare'],
];

describeOnHost('parallel git commands on a cold host without flock', () => {
  const stand = useHost();

  beforeEach(() => {
    const { host } = stand;
    const bin = join(host.home, 'bin');
    mkdirSync(bin);
    for (const tool of tools) {
      const script = 'command -v "$0"';
      const { stdout } = spawnSync('sh', ['-c', script, tool], { env: host.env, encoding: 'utf8' });
      if (stdout !== '') symlinkSync(stdout.trim(), join(bin, tool));
    }
    host.env['PATH'] = bin;
  });

  const commands = hasRest ? 20 : 6;
  const atOnce = (): string =>
    `for i in $(seq ${commands}); do (git ls-remote ${stand.git.url('acme/lib')} >/dev/null && echo done) & done; wait`;
  const done = (text: string): number => text.split('\n').filter((line) => line === 'done').length;
  const locks = (): string[] =>
    readdirSync(stand.host.state, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.(held|dead)/.test(name),
    );

  everyIt('all succeed with one AWS call', async () => {
    const { stdout, stderr } = await stand.host.run(`! command -v flock; ${atOnce()}`);
    expect([stderr, done(stdout), stand.calls(), locks()]).toEqual(['', commands, 1, []]);
  });

  itInRest('all others succeed if the fetching process is killed', async () => {
    const { host, world } = stand;
    world.aws.faults.order({ operation: 'ssm:GetParameter', fault: { latency: 3000 }, times: 1 });
    const running = host.run(atOnce());
    while (stand.calls() === 0) await sleep(10);
    const [fetching] = runningProcesses().filter(
      ({ command, environment }) => command.includes('programs/index.js') && environment.includes(host.home),
    );
    for (const pid of [fetching?.parent ?? 0, fetching?.pid ?? 0]) {
      expect(pid).toBeGreaterThan(1);
      process.kill(pid, 'SIGKILL');
    }
    expect(done((await running).stdout)).toBe(commands - 1);
    expect(stand.calls()).toBe(2);
  });

  itInRest('do not wait for the lock of a process that has ended', async () => {
    const { host, git } = stand;
    await host.run(`git ls-remote ${git.url('acme/lib')}`);
    const ended = spawnSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }).stdout.trim();
    const [identity = ''] = [...host.files(host.state).keys()].filter((path) =>
      path.endsWith('/fingerprint'),
    );
    symlinkSync(ended, identity.replace(/fingerprint$/, 'lock.held'));

    writeFileSync(identity.replace(/fingerprint$/, 'live'), '1\n');
    await host.run(`find ${host.state} -name live -exec rm {} +`);
    expect((await host.run(`git ls-remote ${git.url('acme/lib')}`)).code).toBe(0);
    expect([stand.calls(), locks()]).toEqual([2, []]);
  });
});
