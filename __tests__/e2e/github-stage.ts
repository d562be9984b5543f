/** The stage of tests of `as=github-app`: two git hosts by HTTPS, GitHub's API, a stored App of acme's, and jobs. */
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { createCertificates, type Certificates } from '../support/aws/wire/certificates.ts';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { startHttpsGitHost, type HttpsGitHost } from '../support/git-host/https-git.ts';
import { startGitHubApi, type App, type GitHubApi } from '../support/github/github-api.ts';
import { createJob, type Job, type JobOptions } from '../support/runner/job.ts';
import { actionPath } from './stage.ts';

interface Opened {
  readonly git: HttpsGitHost;
  /** A host that no token is for. */
  readonly other: HttpsGitHost;
  readonly world: ReadyWorld;
  readonly github: GitHubApi;
  /** Stored in /ci/app, and installed for acme/lib and acme/Tools. */
  readonly app: App;
  readonly certificates: Certificates;
}

export class GitHubStage {
  readonly #jobs: Job[] = [];
  #opened: Opened | undefined;

  get #stage(): Opened {
    if (!this.#opened) throw new Error('the stage opens before the first test, not before');
    return this.#opened;
  }
  get git(): HttpsGitHost {
    return this.#stage.git;
  }
  get other(): HttpsGitHost {
    return this.#stage.other;
  }
  get world(): ReadyWorld {
    return this.#stage.world;
  }
  get github(): GitHubApi {
    return this.#stage.github;
  }
  get app(): App {
    return this.#stage.app;
  }

  async open(): Promise<void> {
    const certificates = await createCertificates();
    const [git, other, github, world] = await Promise.all([
      startHttpsGitHost(certificates),
      startHttpsGitHost(certificates),
      startGitHubApi({ tls: certificates }),
      startReadyWorld(),
    ]);
    for (const server of [git, other]) server.letInBy(github.opens);
    await Promise.all(['acme/lib', 'acme/Tools', 'acme/app'].map((name) => git.createRepository(name)));
    await other.createRepository('acme/lib');
    const app = github.createApp();
    github.install(app, { owner: 'acme', repositories: ['lib', 'Tools'] });
    world.put('/ci/app', app.stored());
    this.#opened = { git, other, github, world, app, certificates };
  }

  forget(): void {
    this.github.forgetCalls();
    for (const { log } of [this.git, this.other]) (log as unknown[]).length = 0;
  }

  clear(): void {
    this.github.faults.clear();
    for (const job of this.#jobs.splice(0)) job.dispose();
  }

  async close(): Promise<void> {
    const { git, other, github, world, certificates } = this.#stage;
    await Promise.all([git.stop(), other.stop(), github.stop(), world.stop(), certificates.remove()]);
  }

  job(env: Record<string, string> = {}, options: Partial<JobOptions> = {}): Job {
    const { world, certificates } = this.#stage;
    const trust = { GIT_SSL_CAINFO: certificates.caFile, NODE_EXTRA_CA_CERTS: certificates.caFile };
    const quiet = { GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' };
    const all = { ...world.jobEnvironment(), ...trust, ...quiet, ...env };
    const job = createJob({ actionPath, ...options, env: all });
    this.#jobs.push(job);
    return job;
  }

  inputs(more: Record<string, string> = {}): Record<string, string> {
    const keys = `/ci/app as=github-app ${this.git.place}/acme/lib`;
    return { keys, 'aws-region': REGION, 'role-to-assume': ROLE_ARN, ...more };
  }

  /** The last one that GitHub gave. */
  get newest(): string {
    return this.github.tokens.at(-1)?.token ?? '';
  }

  asked(): string[] {
    return this.github.calls.map(({ operation }) => operation);
  }
}

/** One stage for all tests of the `describe` that this stands in. */
export function useGitHubStage(): GitHubStage {
  const stage = new GitHubStage();
  beforeAll(() => stage.open());
  beforeEach(() => {
    stage.forget();
  });
  afterEach(() => {
    stage.clear();
  });
  afterAll(() => stage.close());
  return stage;
}
