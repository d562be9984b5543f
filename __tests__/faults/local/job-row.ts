/** One row of the table of local faults in a job: main or post in trouble, and then a job without it in the same place. */
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import {
  allow,
  ACCOUNT,
  REGION,
  ROLE_ARN,
  startReadyWorld,
  trustGitHub,
  type ReadyWorld,
} from '../../support/aws/world.ts';
import { project } from '../../support/ec2-host.ts';
import { createJob, type Job, type StepResult } from '../../support/runner/job.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';
import { judge, type LocalOutcome, type Promised } from './judge.ts';
import { limit, Stand, stillThere, timeout } from './stand.ts';
import { user, type Disk, type LocalTrouble } from './troubles.ts';

/** RUNNER_TEMP, and the home folder of the account. */
export const runnerDisk: Disk = { name: 'RUNNER_TEMP', path: '$FOLDER/temp' };
export const accountDisk: Disk = { name: 'home', path: '$FOLDER/home' };

export interface JobStep {
  readonly name: string;
  /** The step that is in trouble. */
  readonly part: 'main' | 'post';
  readonly inputs?: Readonly<Record<string, string>>;
}

export interface JobRow {
  readonly step: JobStep;
  readonly trouble: LocalTrouble;
  readonly promised: Promised;
}

export class JobGround {
  readonly #world: ReadyWorld;
  readonly #key: SshKey;

  private constructor(world: ReadyWorld, key: SshKey) {
    [this.#world, this.#key] = [world, key];
  }

  static async open(): Promise<JobGround> {
    const [world, key] = await Promise.all([startReadyWorld(), makeSshKey()]);
    const place = { account: ACCOUNT, region: REGION };
    world.aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub(), policies: [allow('*', '*')] });
    world.aws.signingKeys.create({ ...place, alias: 'alias/deploy' });
    world.put('/ci/key', key.privateKey);
    return new JobGround(world, key);
  }

  async close(): Promise<void> {
    await this.#world.stop();
  }

  async run({ step, trouble, promised }: JobRow): Promise<LocalOutcome> {
    const stand = await this.#open(step, trouble);
    try {
      const isPost = step.part === 'post';
      const job = stand.job();
      const before = isPost ? await stand.use(job) : undefined;
      await stand.byRoot(trouble.make ?? ':', before?.env);
      stand.disturb(step.part, trouble.around);
      const started = performance.now();
      const result = isPost ? (await job.finish()).posts[0] : await stand.use(job);
      const milliseconds = Math.round(performance.now() - started);
      stand.calm();
      await stand.byRoot(trouble.end ?? ':', before?.env);
      if (!result) throw new Error('no post step');
      const outcome = judgeStep(result, milliseconds, {
        ...{ promised, isMute: trouble.isMute === true, secrets: [this.#key.privateKey] },
      });
      const failed = outcome.code !== 'ok' && !isPost;
      const handed = Object.keys(result.env).length > 0;
      const wrong = [
        ...(before === undefined || before.outcome === 'success'
          ? []
          : [`before the trouble: ${before.log}`]),
        ...(failed && handed ? [`something was handed over: ${Object.keys(result.env).join()}`] : []),
        ...(failed ? await stand.left('main left') : []),
        ...(await finish(job)),
        ...(await this.#again(stand)),
      ];
      return { ...outcome, late: milliseconds > limit * 1000, wrong: [...outcome.wrong, ...wrong] };
    } finally {
      stand.close();
    }
  }

  /** The next job in the same place works, and removes what the one before has left. */
  async #again(stand: JobStand): Promise<string[]> {
    const next = stand.job();
    const main = await stand.use(next);
    return [
      ...(main.outcome === 'success' ? [] : [`the next main: ${main.log}`]),
      ...(await finish(next)),
      ...(await stand.left('left')),
    ];
  }

  async #open(step: JobStep, trouble: LocalTrouble): Promise<JobStand> {
    const ownHome = userInfo().homedir;
    const stand = await Stand.open({
      ...{ disks: ['temp', 'home'], folders: ['read-only'], trouble },
      mounts: (folder) => [
        `touch '${folder}/read-only/file'`,
        `mount --bind '${folder}/read-only' '${folder}/read-only'; mount -o remount,bind,ro '${folder}/read-only'`,
        // Not where the home folder has what the test runs.
        ...(trouble.byUser !== true && !project.startsWith(ownHome)
          ? [`mount --bind '${folder}/home' '${ownHome}'`]
          : []),
      ],
    });
    const { folder } = stand;
    const env = { ...this.#world.jobEnvironment(), RUNNER_TEMP: join(folder, 'temp'), FOLDER: folder };
    return new JobStand(stand, step, env);
  }
}

async function finish(job: Job): Promise<string[]> {
  const { posts } = await job.finish();
  return posts.flatMap(({ outcome, log }) => (outcome === 'success' ? [] : [`post failed: ${log}`]));
}

function judgeStep(
  { exitCode, annotations, log }: StepResult,
  milliseconds: number,
  judging: Parameters<typeof judge>[1],
): ReturnType<typeof judge> {
  const errors = annotations.filter(({ level }) => level === 'error').map(({ message }) => message);
  return judge({ code: exitCode, stdout: log, stderr: errors.join('\n'), milliseconds }, judging);
}

class JobStand {
  readonly #stand: Stand;
  readonly #step: JobStep;
  readonly #env: Readonly<Record<string, string>>;
  readonly #jobs: Job[] = [];

  constructor(stand: Stand, step: JobStep, env: Readonly<Record<string, string>>) {
    [this.#stand, this.#step, this.#env] = [stand, step, env];
    this.#writeNode();
  }

  job(): Job {
    const nodePath = join(this.#stand.folder, 'node');
    const job = createJob({ actionPath: project, env: this.#env, nodePath });
    for (const path of [dirname(job.temp), job.temp]) chmodSync(path, 0o755);
    this.#jobs.push(job);
    return job;
  }

  async use(job: Job): Promise<StepResult> {
    const inputs = { keys: '/ci/key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
    const more = { 'timeout-seconds': String(timeout), ...this.#step.inputs };
    return await job.uses({ with: { ...inputs, ...more } });
  }

  disturb(part: 'main' | 'post', around = '"$@"'): void {
    writeFileSync(join(this.#stand.folder, `${part}.sh`), around);
  }

  calm(): void {
    for (const part of ['main', 'post']) rmSync(join(this.#stand.folder, `${part}.sh`), { force: true });
  }

  async byRoot(script: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
    const env = { PATH: process.env['PATH'] ?? '', FOLDER: this.#stand.folder, ...more };
    return (await this.#stand.byRoot(script, env)).stdout;
  }

  /** Files in RUNNER_TEMP and the home folder, and processes. */
  async left(what: string): Promise<string[]> {
    const files = await this.#stand.files();
    const processes = await stillThere(() =>
      this.#jobs.flatMap((job) => job.processes()).map(({ command }) => command),
    );
    return [...files, ...processes].map((one) => `${what}: ${one}`);
  }

  close(): void {
    for (const job of this.#jobs) job.dispose();
    this.#stand.close();
  }

  /** The runner's Node: it enters the namespace, and is in the trouble that `disturb` has written. */
  #writeNode(): void {
    const { folder, namespace, as } = this.#stand;
    const files = '"$GITHUB_ENV" "$GITHUB_OUTPUT" "$GITHUB_STATE" "$GITHUB_PATH" "$GITHUB_STEP_SUMMARY"';
    const enter = namespace.argv('$PWD', []).map((word) => (word === '$PWD' ? '"$PWD"' : `'${word}'`));
    const lines = [
      '#!/bin/bash',
      `part=main; case $1 in */post/*) part=post ;; esac`,
      `around='"$@"'; [ ! -e '${folder}'/$part.sh ] || around=$(cat '${folder}'/$part.sh)`,
      as.length > 0 ? `chown ${user} ${files}` : ':',
      `exec ${[...enter, ...as].join(' ')} bash -c "$around" bash '${process.execPath}' "$@"`,
    ];
    writeFileSync(join(folder, 'node'), `${lines.join('\n')}\n`, { mode: 0o755 });
  }
}
