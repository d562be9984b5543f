/** The stage of an end-to-end test: a git host with one private repository, its deploy key, and jobs to act on it. */
import { dirname } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { startGitHost, type GitHost } from '../support/git-host/git-host.ts';
import { createJob, type Job, type JobOptions, type StepResult } from '../support/runner/job.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';

/** What is in dist is what is run: its action.yml is the project's own. */
export const actionPath = dirname(dirname(import.meta.dirname));

export const repository = 'acme/lib';

export interface Stage {
  readonly host: GitHost;
  /** Reads and writes `acme/lib`. */
  readonly key: SshKey;
  /** Each job is disposed of with the stage. */
  job(options?: Partial<JobOptions>): Job;
  close(): Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const [host, key] = await Promise.all([startGitHost(), makeSshKey({ comment: 'deploy@acme' })]);
  await host.createRepository(repository);
  host.addDeployKey({ repository, publicKey: key.publicKey, write: true });
  const jobs: Job[] = [];
  return {
    host,
    key,
    job(options = {}) {
      const job = createJob({ actionPath, ...options });
      jobs.push(job);
      return job;
    },
    async close() {
      for (const job of jobs) job.dispose();
      await host.stop();
    },
  };
}

/** One stage for all tests of the `describe` that this stands in. */
export function useStage(): Omit<Stage, 'close'> {
  let stage: Stage | undefined;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(async () => {
    await stage?.close();
  });
  const opened = (): Stage => {
    if (!stage) throw new Error('the stage opens before the first test, not before');
    return stage;
  };
  return {
    get host() {
      return opened().host;
    },
    get key() {
      return opened().key;
    },
    job: (options) => opened().job(options),
  };
}

/** The script's steps of a usual job: everything that git does with a remote. */
export function gitSteps(host: GitHost): string {
  return [
    `git clone --quiet ${host.url(repository)} lib`,
    'cd lib',
    'git -c user.name=ci -c user.email=ci@acme.test commit --quiet --allow-empty -m "from the job"',
    'git push --quiet',
    'git fetch --quiet',
    'git status --short --branch',
  ].join('\n');
}

/** What a failed step told: the code, and the two lines. */
export function told(result: StepResult): { code: string; text: string } {
  const errors = result.annotations.filter(({ level }) => level === 'error');
  return {
    code: errors.map(({ title }) => title).join(),
    text: errors.map(({ message }) => message).join('\n'),
  };
}
