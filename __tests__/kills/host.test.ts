/** ssm-ssh and its child processes are killed at random moments, while the key is fetched or fetched anew. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { useHost } from '../e2e/host/use-host.ts';
import { project } from '../support/ec2-host.ts';
import { describeOnHost } from '../support/on-host.ts';
import { itInTurn as it } from '../support/parts.ts';
import { filesWithKey, killMany, killPatience, nothing, pidsOf, timed, type Kill } from './kills.ts';

/** Seconds. */
const lifetime = 10;

describeOnHost('ssm-ssh that is killed', () => {
  const stand = useHost();
  const list = (): string => `git ls-remote ${stand.git.url('acme/lib')}`;

  /** git, with ssm-ssh and what it starts. Also the agent may be killed. */
  async function killGit(kill: Kill | undefined): Promise<void> {
    const { host } = stand;
    host.env['SSM_SSH_KEY_LIFETIME'] = `${lifetime}s`;
    const [file = '', ...args] = host.argv(['bash', '-c', list()]);
    const child = spawn(file, args, { cwd: host.home, env: host.env, stdio: 'ignore' });
    const ended = once(child, 'exit');
    if (kill) {
      await Promise.race([sleep(kill.after), ended]);
      if (child.exitCode === null) kill.one([...pidsOf(child.pid), ...host.processes()]);
    }
    await ended;
  }

  async function check(): Promise<string[]> {
    const written = filesWithKey(stand.host.files(), stand.key.privateKey);
    const { code, stderr } = await stand.host.run(list());
    return [...written, ...(code === 0 ? [] : [`the next run: ${code} ${stderr}`])];
  }

  /** The keeper ends the agent when it has no key, but for the minute in which it waits for its first one. */
  async function endsInTime(): Promise<void> {
    const { host } = stand;
    await host.run(`touch -d '2 minutes ago' ${host.state}/reserved`);
    const left = await nothing(() => host.processes(), (lifetime + 15) * 1000);
    if (left.length > 0) throw new Error(`left: ${left.map(({ command }) => command).join('\n')}`);
  }

  it(
    'while it fetches the key works the next time, and its agent ends with the lifetime',
    async () => {
      await killMany('ssm-ssh, cold', {
        run: async (kill) => {
          await stand.host.run(`${join(project, 'helper/ssm-ssh-agent')} flush`);
          return await timed(() => killGit(kill));
        },
        check,
      });
      await endsInTime();
    },
    killPatience,
  );

  it(
    'while it heals works the next time, and its agent ends with the lifetime',
    async () => {
      const socket = join(stand.host.state, 'agent');
      await stand.host.run(list());
      await killMany('ssm-ssh, healing', {
        run: async (kill) => {
          await stand.host.run('ssh-add -qD || true', { SSH_AUTH_SOCK: socket });
          return await timed(() => killGit(kill));
        },
        check,
      });
      await endsInTime();
    },
    killPatience,
  );
});
