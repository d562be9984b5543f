/** setup and rotate are killed at random moments: the same command goes on, and nothing is half-done. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe } from '@jest/globals';
import { openEc2Host, type Ec2Host, type Ended, type Started } from '../e2e/ec2-host.ts';
import { useKeys, type RotateStage } from '../e2e/rotate-stage.ts';
import { nothingLeft, Rotating, walks } from '../e2e/rotate-walks.ts';
import { describeInTurn, itInTurn as it } from '../support/parts.ts';
import { killMany, killPatience, timed, type Kill } from './kills.ts';

async function killStarted({ child, ended }: Started, kill: Kill | undefined): Promise<Ended> {
  if (kill) {
    await Promise.race([sleep(kill.after), ended]);
    if (child.exitCode === null && child.pid !== undefined) kill.one([{ pid: child.pid }]);
  }
  return await ended;
}

describeInTurn(describe)('setup that is killed', () => {
  let host: Ec2Host;

  beforeEach(async () => {
    host = await openEc2Host();
  });
  afterEach(async () => {
    await host.close();
  });

  it(
    'leaves a configuration that git reads; the same command goes on, and --remove restores the file',
    async () => {
      const file = host.env['GIT_CONFIG_GLOBAL'] ?? '';
      const before = '# mine\n[user]\n\tname = me\n';
      const text = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
      const setup = ['setup', '--global', '--key', '/ci/key', '--region', 'eu-west-1'];
      const told = ({ exitCode, stderr }: Ended, what: string): string[] =>
        exitCode === 0 ? [] : [`${what}: ${stderr}`];
      await killMany('setup', {
        run: async (kill) => {
          writeFileSync(file, before);
          return await timed(() => killStarted(host.startAgent(setup), kill));
        },
        check: async () => {
          const listed = await host.start(['git', 'config', '--global', '--list']).ended;
          const again = await host.agent(setup);
          const key = await host.start(['git', 'config', '--global', 'ssm.key']).ended;
          const removed = await host.agent(['setup', '--global', '--remove']);
          return [
            ...told(listed, 'the configuration'),
            ...told(again, 'the next setup'),
            ...(key.stdout === '/ci/key\n' ? [] : ['the next setup did not write the key']),
            ...told(removed, 'setup --remove'),
            ...(text() === before ? [] : [`setup --remove left ${text()}`]),
          ];
        },
      });
    },
    killPatience,
  );
});

describeInTurn(describe)('rotate that is killed', () => {
  const open = useKeys();

  it(
    'goes on when it runs again, and leaves nothing',
    async () => {
      let stage: RotateStage | undefined;
      await killMany('rotate', {
        run: async (kill) => {
          await stage?.stop();
          stage = await open();
          const rotating = new Rotating(stage, 'parameter');
          return await timed(() => killStarted(rotating.stage.startRun(rotating.args), kill));
        },
        check: async () => {
          if (!stage) return ['no stage'];
          const rotating = new Rotating(stage, 'parameter');
          const left = await nothingLeft(stage);
          const { exitCode, stderr } = await rotating.run();
          const isDone = /is not finished|no rotation of/.test(stderr);
          if (exitCode === 0 || isDone) walks.forward.check(rotating);
          return [...left.map((one) => `left: ${one}`), ...(exitCode === 0 || isDone ? [] : [stderr])];
        },
      });
      await stage?.stop();
    },
    killPatience,
  );
});
