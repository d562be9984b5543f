/** main and post are killed at random moments: post, or the next job, leaves nothing, and the next job works. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { told, useStage } from '../e2e/stage.ts';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { itInTurn as it } from '../support/parts.ts';
import type { Job, StepOptions, StepResult } from '../support/runner/job.ts';
import { filesWithKey, killMany, killPatience, nothing, timed, type Kill } from './kills.ts';

/** Seconds. */
const lifetime = 4;

describe('a job that is killed', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let temp: string;

  beforeAll(async () => {
    world = await startReadyWorld();
    world.put('/ci/deploy-key', stage.key.privateKey);
    temp = mkdtempSync(join(tmpdir(), 'runner-'));
  });
  afterAll(async () => {
    await world.stop();
    rmSync(temp, { recursive: true });
  });

  const inputs = {
    ...{ keys: '/ci/deploy-key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN },
    'key-lifetime': `${lifetime}s`,
  };
  const newJob = (): Job => stage.job({ env: { ...world.jobEnvironment(), RUNNER_TEMP: temp } });
  const killed = (kill: Kill | undefined): StepOptions =>
    kill === undefined ? {} : { killWhen: () => sleep(kill.after) };
  const note = (kill: Kill | undefined, results: readonly StepResult[]): void => {
    if (results.some(({ signal }) => signal === 'SIGKILL')) kill?.hit();
  };
  const textsOf = (folder: string): Map<string, string> => {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const paths = files.map(({ parentPath, name }) => join(parentPath, name));
    return new Map(paths.map((path) => [path, readFileSync(path, 'latin1')]));
  };
  const onDisk = (job: Job): string[] =>
    filesWithKey(new Map([...textsOf(temp), ...textsOf(job.root)]), stage.key.privateKey);
  const namesIn = (folder: string): readonly string[] => readdirSync(folder);

  async function works(): Promise<string[]> {
    const next = newJob();
    const { text } = told(await next.uses({ with: inputs }));
    const { posts } = await next.finish();
    const errors = posts.flatMap(({ annotations }) => annotations.map(({ message }) => message));
    return [text, ...errors].filter((one) => one !== '').map((one) => `the next job: ${one}`);
  }

  it(
    'in main is cleaned up by post, and the next job works',
    async () => {
      let job: Job;
      await killMany('main', {
        run: async (kill) => {
          job = newJob();
          const milliseconds = await timed(async () => {
            note(kill, [await job.uses({ with: inputs, ...killed(kill) })]);
          });
          if (kill === undefined) await job.finish();
          return milliseconds;
        },
        check: async () => {
          const written = onDisk(job);
          const { posts } = await job.finish();
          const left = await nothing(() => [
            ...namesIn(temp),
            ...job.processes().map(({ command }) => command),
          ]);
          const messages = posts.flatMap(({ annotations }) => annotations.map(({ message }) => message));
          return [...written, ...messages, ...left.map((one) => `left: ${one}`), ...(await works())];
        },
      });
    },
    killPatience,
  );

  it(
    'in post is cleaned up by the next job, and its agent forgets the key when its lifetime is over',
    async () => {
      let job: Job;
      let socket = '';
      await killMany('post', {
        run: async (kill) => {
          job = newJob();
          const main = await job.uses({ with: inputs });
          socket = main.env['SSH_AUTH_SOCK'] ?? '';
          return await timed(async () => {
            note(kill, (await job.finish(killed(kill))).posts);
          });
        },
        check: async () => {
          const written = onDisk(job);
          const kept = await nothing(() => held(socket), (lifetime + 4) * 1000);
          const again = await works();
          const left = await nothing(() => [
            ...namesIn(temp),
            ...job.processes().map(({ command }) => command),
          ]);
          return [...written, ...kept, ...again, ...left.map((one) => `left: ${one}`)];
        },
      });
    },
    killPatience,
  );
});

/** The keys that an agent has; none if it does not run. */
function held(socket: string): readonly string[] {
  const { status, stdout } = spawnSync('ssh-add', ['-l'], {
    env: { ...process.env, SSH_AUTH_SOCK: socket },
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim().split('\n') : [];
}
