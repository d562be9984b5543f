/** One row of the table of local faults in a job: main or post in trouble, and then a job without it in the same place. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
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
import { Namespace } from './namespace.ts';
import { mountOf, user, type Disk, type LocalTrouble } from './troubles.ts';

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

/** Seconds: of main, and the most that a row in trouble may take. */
const timeout = 8;
const limit = 30;

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
  async #again(stand: Stand): Promise<string[]> {
    const next = stand.job();
    const main = await stand.use(next);
    return [
      ...(main.outcome === 'success' ? [] : [`the next main: ${main.log}`]),
      ...(await finish(next)),
      ...(await stand.left('left')),
    ];
  }

  async #open(step: JobStep, trouble: LocalTrouble): Promise<Stand> {
    const folder = mkdtempSync(join(tmpdir(), 'local-'));
    chmodSync(folder, 0o755);
    for (const name of ['temp', 'home', 'read-only']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'read-only/file'), '');
    const [temp, home] = ['temp', 'home'].map((name) => join(folder, name)) as [string, string];
    const owner = trouble.byUser === true ? user : userInfo().uid;
    const namespace = await Namespace.open(
      [
        ...[mountOf(temp), mountOf(home), `chmod 700 '${temp}' '${home}'`],
        `chown ${owner}:${owner} '${temp}' '${home}'`,
        `mount --bind '${folder}/read-only' '${folder}/read-only'; mount -o remount,bind,ro '${folder}/read-only'`,
        // Not where the home folder has what the test runs.
        ...(trouble.byUser !== true && !project.startsWith(userInfo().homedir)
          ? [`mount --bind '${home}' '${userInfo().homedir}'`]
          : []),
      ].join('\n'),
    );
    const env = { ...this.#world.jobEnvironment(), RUNNER_TEMP: temp, FOLDER: folder };
    return new Stand({ folder, namespace, env, step, byUser: trouble.byUser === true });
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

interface Standing {
  readonly folder: string;
  readonly namespace: Namespace;
  readonly env: Readonly<Record<string, string>>;
  readonly step: JobStep;
  readonly byUser: boolean;
}

class Stand {
  readonly #standing: Standing;
  readonly #jobs: Job[] = [];

  constructor(standing: Standing) {
    this.#standing = standing;
    this.#writeNode();
  }

  job(): Job {
    const { folder, env } = this.#standing;
    const job = createJob({ actionPath: project, env, nodePath: join(folder, 'node') });
    for (const path of [dirname(job.temp), job.temp]) chmodSync(path, 0o755);
    this.#jobs.push(job);
    return job;
  }

  async use(job: Job): Promise<StepResult> {
    const inputs = { keys: '/ci/key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
    const more = { 'timeout-seconds': String(timeout), ...this.#standing.step.inputs };
    return await job.uses({ with: { ...inputs, ...more } });
  }

  disturb(part: 'main' | 'post', around = '"$@"'): void {
    writeFileSync(join(this.#standing.folder, `${part}.sh`), around);
  }

  calm(): void {
    for (const part of ['main', 'post']) rmSync(join(this.#standing.folder, `${part}.sh`), { force: true });
  }

  async byRoot(script: string, more: Readonly<Record<string, string>> = {}): Promise<string> {
    const { folder, namespace } = this.#standing;
    const env = { PATH: process.env['PATH'] ?? '', FOLDER: folder, ...more };
    return (await namespace.run(['bash', '-c', script], { cwd: folder, env })).stdout;
  }

  /** Files in RUNNER_TEMP and the home folder, and processes. */
  async left(what: string): Promise<string[]> {
    const files = (await this.byRoot('find temp home -mindepth 1')).split('\n').filter(Boolean);
    const find = (): string[] => this.#jobs.flatMap((job) => job.processes()).map(({ command }) => command);
    const until = Date.now() + 3000;
    while (find().length > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
    return [...files, ...find()].map((one) => `${what}: ${one}`);
  }

  close(): void {
    for (const job of this.#jobs) job.dispose();
    this.#standing.namespace.close();
    rmSync(this.#standing.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** The runner's Node: it enters the namespace, and is in the trouble that `disturb` has written. */
  #writeNode(): void {
    const { folder, namespace, byUser } = this.#standing;
    const as = byUser ? `setpriv --reuid=${user} --regid=${user} --clear-groups` : '';
    const files = '"$GITHUB_ENV" "$GITHUB_OUTPUT" "$GITHUB_STATE" "$GITHUB_PATH" "$GITHUB_STEP_SUMMARY"';
    const enter = namespace.argv('$PWD', []).map((word) => (word === '$PWD' ? '"$PWD"' : `'${word}'`));
    const lines = [
      '#!/bin/bash',
      `part=main; case $1 in */post/*) part=post ;; esac`,
      `around='"$@"'; [ ! -e '${folder}'/$part.sh ] || around=$(cat '${folder}'/$part.sh)`,
      byUser ? `chown ${user} ${files}` : ':',
      `exec ${enter.join(' ')} ${as} bash -c "$around" bash '${process.execPath}' "$@"`,
    ];
    writeFileSync(join(folder, 'node'), `${lines.join('\n')}\n`, { mode: 0o755 });
  }
}
