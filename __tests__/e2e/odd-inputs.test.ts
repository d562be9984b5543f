/** Odd inputs that are right, through the built action: the key is in the agent, for the repositories that were meant. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { usualInputs } from '../support/bad-inputs/bad-input.ts';
import { oddInputs, type OddInput } from '../support/odd-inputs.ts';
import { inLanes } from '../support/in-lanes.ts';
import { createJob, type StepResult } from '../support/runner/job.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { actionPath, told } from './stage.ts';
import { rowsOf } from '../support/parts.ts';
import { everyNth } from '../support/sample.ts';

const [key, another] = await Promise.all([makeSshKey(), makeSshKey()]);

const rows = rowsOf(everyNth(oddInputs, 6));

interface Outcome {
  readonly main: StepResult;
  /** By fingerprint, as ssh-add lists them. */
  readonly listed: readonly string[];
  readonly routes: readonly string[];
  readonly left: readonly unknown[];
}

async function attempt({ given, env }: OddInput, { jobEnvironment }: ReadyWorld): Promise<Outcome> {
  const job = createJob({ actionPath, env: { ...jobEnvironment(), ...env } });
  const main = await job.uses({ with: { ...usualInputs, ...given } });
  const { log } = await job.run('ssh-add -l || true');
  const listed = log.match(/SHA256:\S+/g) ?? [];
  const files = main.paths.map((bin) => join(dirname(bin), 'routes')).filter((file) => existsSync(file));
  const routes = files.flatMap((file) => readFileSync(file, 'utf8').split('\n'));
  const { leftoverProcesses } = await job.finish();
  const left = [...leftoverProcesses, ...job.files()];
  job.dispose();
  return { main, listed, routes, left };
}

describe('an odd input that is right', () => {
  let worlds: ReadyWorld[];
  let outcomes: Outcome[];

  beforeAll(async () => {
    worlds = await Promise.all([1, 2, 3].map(() => startReadyWorld()));
    for (const { put, putSecret } of worlds) {
      put('/ci/key', key.privateKey, { labels: ['prod'] });
      put('/ci/another', another.privateKey);
      putSecret('ci/deploy', key.privateKey);
    }
    outcomes = await inLanes(rows, worlds, attempt);
  });
  afterAll(async () => {
    await Promise.all(worlds.map((world) => world.stop()));
  });

  it.each(rows.map((row, index) => [row.what, row, index] as const))('%s', (_, row, index) => {
    const outcome = outcomes[index];
    if (!outcome) throw new Error('the step did not run');
    const { main, listed, routes, left } = outcome;
    expect([told(main).text, main.outcome]).toEqual(['', 'success']);
    expect(routes.map((route) => route.split(' ').slice(2).join(' ')).slice(0, -1)).toEqual(row.routes);
    const fingerprints = JSON.parse(main.outputs['fingerprints'] ?? '[]') as string[];
    const wanted = row.given['keys']?.includes('/ci/another')
      ? [key.fingerprint, another.fingerprint]
      : [key.fingerprint];
    expect(new Set(fingerprints)).toEqual(new Set(wanted));
    expect(listed).toEqual(wanted);
    expect(left).toEqual([]);
  });
});
