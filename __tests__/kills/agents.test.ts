/** The agent for keys in KMS, and the tunnel to an EC2 host, are killed at random moments, and what uses them, too. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe } from '@jest/globals';
import { useEc2 } from '../e2e/ec2/use-ec2.ts';
import { useKmsHost } from '../e2e/kms/use-kms-host.ts';
import { program, project, stateIsOurs, type Ec2Host } from '../support/ec2-host.ts';
import { describeWhere } from '../support/needs.ts';
import { describeInTurn, itInTurn as it } from '../support/parts.ts';
import { runningProcesses } from '../support/runner/process-table.ts';
import { killMany, killPatience, nothing, pidsOf, timed, type Kill } from './kills.ts';

/** Seconds. */
const lifetime = 10;

/**
 * Runs the script, and kills one of its processes, or one of the host's agents.
 *
 * @returns the command of the killed process
 */
async function killIn(host: Ec2Host, script: string, kill: Kill | undefined): Promise<string> {
  const [file = '', ...args] = host.argv(['bash', '-c', script]);
  const child = spawn(file, args, { cwd: host.home, env: host.env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  let killed = '';
  if (kill) {
    await Promise.race([sleep(kill.after), ended]);
    const started = new Set(pidsOf(child.pid).map(({ pid }) => pid));
    const all = runningProcesses().filter(
      ({ pid, command }) => started.has(pid) || command.includes(host.home),
    );
    if (child.exitCode === null) killed = kill.one(all)?.command ?? '';
  }
  await ended;
  return killed;
}

const commands = (host: Ec2Host): string[] => host.processes().map(({ command }) => command);

describeInTurn(describe)('the agent for a key in KMS that is killed', () => {
  const stand = useKmsHost();

  it(
    'is started again by the next run, and ends with its lifetime',
    async () => {
      const { host, list, fronts } = stand;
      host.configure([
        `[ssm "${stand.address}/acme/one"]`,
        ...['key = kms:alias/one', `keyLifetime = ${lifetime}s`],
      ]);
      let runs = 0;
      await killMany('agent for KMS', {
        run: async (kill) => {
          // Every second time the agent runs already.
          if (runs++ % 2 === 0) await host.run(`${join(project, 'helper/ssm-ssh-agent')} flush`);
          return await timed(() => killIn(host, list('one'), kill));
        },
        check: async () => {
          const { code, stderr } = await host.run(list('one'));
          return code === 0 ? [] : [`the next run: ${code} ${stderr}`];
        },
      });
      const left = await nothing(fronts, (lifetime + 10) * 1000);
      if (left.length > 0) throw new Error('an agent outlives its lifetime');
    },
    killPatience,
  );
});

describeInTurn(describeWhere(stateIsOurs, 'a host needs root, or no /run/user/UID'))(
  'the connection to an EC2 host that is killed',
  () => {
    const stage = useEc2();

    it(
      'leaves no session and no program, and the next one works',
      async () => {
        const { host, target, world } = stage;
        const { sessions } = world.aws;
        const script = `${program} ${target} 'head -c 2000000 /dev/zero' | cat >/dev/null`;
        let killed = '';
        // Nobody can end the session of a tunnel that was killed itself, but nobody uses it either: AWS ends it when it
        // was idle for the time that the account sets.
        const abandoned = new Set<string>();
        const busy = (): string[] => {
          for (const { id, connected } of sessions.open)
            if (!connected && killed.includes(' ssm-ssh proxy ')) abandoned.add(id);
          return [
            ...sessions.open.filter(({ id }) => !abandoned.has(id)).map(({ id }) => `session ${id}`),
            ...commands(host).filter((command) => / ssm-ssh proxy |^ssh /.test(command)),
          ];
        };
        await killMany('tunnel', {
          run: (kill) =>
            timed(async () => {
              killed = await killIn(host, script, kill);
            }),
          check: async () => {
            const left = (await nothing(busy)).map((one) => `left: ${one}`);
            const { code, stderr } = await host.run(`${program} ${target} true`);
            const wrong = sessions.violations.map(({ what }) => what);
            const next = code === 0 ? [] : [`the next connection: ${code} ${stderr}`];
            const problems = [...left, ...wrong, ...next];
            return problems.length === 0 ? [] : [`killed: ${killed}`, ...problems];
          },
        });
      },
      killPatience,
    );
  },
);
