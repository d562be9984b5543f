/** Runs main and post of the action in a job, and measures both. */
import { REGION, ROLE_ARN } from '../__tests__/support/aws/world.ts';
import { createJob } from '../__tests__/support/runner/job.ts';
import { done } from './chain.ts';
import type { Sample, Stopwatch } from './measure.ts';
import type { Network } from './networks.ts';

export interface Used {
  readonly main: Sample;
  readonly post: Sample;
}

export interface Use {
  readonly network: Network;
  /** The input `keys`. */
  readonly keys: string;
  /** The folder of action.yml. */
  readonly action: string;
  readonly watch: Stopwatch;
}

export async function useAction({ network, keys, action, watch }: Use): Promise<Used> {
  const job = createJob({ actionPath: action, nodePath: watch.path, env: network.environment });
  try {
    const inputs = { keys, 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
    done(await job.uses({ with: inputs }));
    const main = watch.read();
    const { posts, leftoverProcesses } = await job.finish();
    for (const post of posts) done(post);
    if (leftoverProcesses.length > 0) throw new Error('post left processes');
    return { main, post: watch.read() };
  } finally {
    job.dispose();
  }
}

/** Main with an input that it refuses. @throws if main does not refuse it */
export async function refuse({ network, keys, action, watch }: Use): Promise<Sample> {
  const job = createJob({ actionPath: action, nodePath: watch.path, env: network.environment });
  try {
    const { exitCode, raw } = await job.uses({ with: { keys } });
    if (exitCode !== 2) throw new Error(`the input was not refused:\n${raw}`);
    return watch.read();
  } finally {
    job.dispose();
  }
}
