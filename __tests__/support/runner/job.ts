/** One job of a workflow, run like GitHub's runner: `uses` and `run` steps, then the post steps in reverse. */
import { randomUUID } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { programsNode } from '../programs-node.ts';
import { readActionFile } from './action-file.ts';
import type { ActionFile } from './action-file.ts';
import { defaultGithubContext, githubVariables, runnerVariables } from './environment.ts';
import type { GithubContext } from './environment.ts';
import { filesBelow, makeFolders } from './folders.ts';
import type { Folders, FoundFile } from './folders.ts';
import { inputVariables, remarkOnInputs } from './inputs.ts';
import type { Inputs } from './inputs.ts';
import { createMasks } from './masks.ts';
import { holds } from './post-condition.ts';
import { endAll, killAll, runningProcesses } from './process-table.ts';
import { runStep } from './step.ts';
import type { JobMemory, Step, StepOptions, StepResult } from './step.ts';

export type { FoundFile, GithubContext, StepOptions, StepResult };

type Variables = Readonly<Record<string, string>>;

export interface JobOptions {
  /** The folder of `action.yml`. */
  readonly actionPath: string;
  /** The job's `env:`, and additional variables of the runner's environment. */
  readonly env?: Variables;
  /** The Node that runs the action. Default: this process's own. */
  readonly nodePath?: string;
  /** With the context's own names (`repository`, `ref`, `run_id`), in addition to the defaults. */
  readonly githubContext?: GithubContext;
  /** The webhook payload behind GITHUB_EVENT_PATH. */
  readonly event?: unknown;
  /** The workflow's secrets, masked from the start. */
  readonly secrets?: readonly string[];
  /** ACTIONS_STEP_DEBUG: debug messages are shown and RUNNER_DEBUG is 1. */
  readonly debug?: boolean;
}

export interface UsesOptions extends StepOptions {
  readonly with?: Inputs;
}

export interface FinishOptions extends StepOptions {
  /** Kills remaining processes, like the runner. Default: off, because it hides mistakes of a post step. */
  readonly orphanCleanup?: boolean;
  /** How many post steps run now. Default: all that are left. */
  readonly posts?: number;
}

export interface JobProcess {
  readonly pid: number;
  readonly command: string;
}

export interface Finished {
  /** In the order in which they ran: the last use first. */
  readonly posts: readonly StepResult[];
  /** Processes that were alive after the post steps, before the runner's own clean-up. */
  readonly leftoverProcesses: readonly JobProcess[];
}

/** What a use of the action keeps for its post step. */
interface Use {
  readonly inputs: Variables;
  readonly env: Variables;
  state: Variables;
}

export const createJob = (options: JobOptions): Job => new Job(options);

export class Job {
  readonly #options: JobOptions;
  readonly #action: ActionFile;
  readonly #folders: Folders;
  readonly #github: GithubContext;
  readonly #memory: JobMemory;
  readonly #trackingId = `github_${randomUUID()}`;
  readonly #uses: Use[] = [];
  readonly #outcomes: StepResult['outcome'][] = [];

  constructor(options: JobOptions) {
    this.#options = options;
    this.#action = readActionFile(options.actionPath);
    this.#folders = makeFolders(options.event ?? {});
    this.#github = { ...defaultGithubContext, ...options.githubContext };
    this.#memory = {
      temp: this.#folders.temp,
      masks: createMasks(options.secrets),
      debug: options.debug ?? false,
      exported: new Map(),
      paths: [],
      running: new Set(),
    };
  }

  /** The folder that contains all others. Every process of the job has it in its environment or arguments. */
  get root(): string {
    return this.#folders.root;
  }

  get temp(): string {
    return this.#folders.temp;
  }

  get home(): string {
    return this.#folders.home;
  }

  get workspace(): string {
    return this.#folders.workspace;
  }

  /** A step that uses the action. The caller decides whether to continue after a failure. */
  async uses(step: UsesOptions = {}): Promise<StepResult> {
    const given = step.with ?? {};
    const inputs = inputVariables(this.#action, given, this.#github);
    const use: Use = { inputs, env: step.env ?? {}, state: {} };
    // The runner registers the post step before main starts: it runs even if main is killed.
    this.#uses.push(use);
    const result = await this.#runNode(this.#action.main, use, {
      ...step,
      prologue: (log) => {
        remarkOnInputs(this.#action, given, log);
      },
    });
    use.state = result.state;
    this.#outcomes.push(result.outcome);
    return result;
  }

  /** A `run:` step without `shell:`: `bash -e FILE`, or sh if there is no bash. */
  async run(script: string, step: StepOptions = {}): Promise<StepResult> {
    const file = join(this.temp, `${randomUUID()}.sh`);
    writeFileSync(file, script);
    const shell = ['/bin/bash', '/usr/bin/bash', '/usr/local/bin/bash'].find((bash) => existsSync(bash));
    try {
      const result = await runStep(this.#memory, {
        ...step,
        process: { file: shell ?? '/bin/sh', args: ['-e', file], cwd: this.workspace },
        environment: this.#environment(step.env),
        announcesExitCode: true,
      });
      this.#outcomes.push(result.outcome);
      return result;
    } finally {
      rmSync(file, { force: true });
    }
  }

  /** The post steps, in reverse order of use, with the job's latest exported variables. */
  async finish({ orphanCleanup = false, posts: count, ...step }: FinishOptions = {}): Promise<Finished> {
    const { post, postIf } = this.#action;
    const posts: StepResult[] = [];
    for (const use of this.#uses.splice(count === undefined ? 0 : -count).reverse()) {
      if (post === undefined || !holds(postIf, this.#outcomes)) continue;
      const result = await this.#runNode(post, use, step);
      this.#outcomes.push(result.outcome);
      posts.push(result);
    }
    const leftoverProcesses = await this.#leftoverProcesses();
    if (orphanCleanup) killAll(leftoverProcesses);
    return { posts, leftoverProcesses };
  }

  /**
   * Live processes with the job's RUNNER_TRACKING_ID, or with its folder in their arguments. ssh-agent is found by its
   * arguments, because Linux hides its environment from everyone but root.
   */
  processes(): JobProcess[] {
    return runningProcesses()
      .filter(({ pid }) => pid !== process.pid)
      .filter(
        ({ command, environment }) =>
          environment.includes(this.#trackingId) || command.includes(this.#folders.root),
      )
      .map(({ pid, command }) => ({ pid, command }));
  }

  /** The files in `temp` and `home`, without the runner's own command files. */
  files(): FoundFile[] {
    return filesBelow([this.temp, this.home]);
  }

  /** Kills the job's remaining processes and removes its folders. */
  dispose(): void {
    killAll([...this.#memory.running].map((pid) => ({ pid })));
    endAll(() => this.processes());
    rmSync(this.#folders.root, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Processes that a post step has ended may take a moment to exit. */
  async #leftoverProcesses(): Promise<JobProcess[]> {
    const deadline = Date.now() + 500;
    let left = this.processes();
    while (left.length > 0 && Date.now() < deadline) {
      await sleep(20);
      left = this.processes();
    }
    return left;
  }

  #runNode(file: string, use: Use, step: StepOptions & Pick<Step, 'prologue'>): Promise<StepResult> {
    const state = Object.entries(use.state).map(([name, value]) => [`STATE_${name}`, value] as const);
    return runStep(this.#memory, {
      ...step,
      process: { file: this.#options.nodePath ?? programsNode, args: [file], cwd: this.workspace },
      environment: {
        ...this.#environment({ ...use.env, ...step.env }),
        ...use.inputs,
        ...Object.fromEntries(state),
      },
      announcesExitCode: false,
    });
  }

  /** In increasing precedence: the runner's own, the job's, GITHUB_ENV's, the step's. */
  #environment(step: Variables = {}): Record<string, string> {
    // GITHUB_ENV cannot replace variables of the runner (docs: default environment variables).
    const exported = [...this.#memory.exported].filter(([name]) => !/^(GITHUB|RUNNER)_/.test(name));
    const { PATH = process.env['PATH'] ?? '', ...rest } = {
      ...runnerVariables(this.#folders, this.#trackingId, this.#memory.debug),
      ...githubVariables(this.#github),
      ...this.#options.env,
      ...Object.fromEntries(exported),
      ...step,
    };
    return { ...rest, PATH: [...this.#memory.paths].reverse().concat(PATH).join(delimiter) };
  }
}
