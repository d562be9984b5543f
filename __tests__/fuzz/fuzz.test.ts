/** A sample of `npm run fuzz`. A failure prints the input, made shorter, and the seed. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect } from '@jest/globals';
import { it, itInRest } from '../support/parts.ts';
import { campaign } from './campaign.ts';
import { growthProblems } from './growth.ts';
import { asyncTargets, targets } from './targets.ts';

/** Another one in each run. */
const seed = Date.now() % 1_000_000;

describe('a parser that gets hostile input', () => {
  it.each(targets.map((target) => [target.name, target] as const))(
    'returns, or refuses in one line without a secret: %s',
    async (_, target) => {
      const { found } = await campaign(target, { cases: 100, seed, search: false });
      expect([seed, found]).toEqual([seed, []]);
    },
  );

  itInRest.each(asyncTargets.map((target) => [target.name, target] as const))(
    'reads what a service or a file says, whatever that is: %s',
    async (_, target) => {
      const { found } = await campaign(target, { cases: 40, seed, search: false });
      expect([seed, found]).toEqual([seed, []]);
    },
  );

  itInRest.each(targets.map((target) => [target.name, target] as const))(
    'takes linear time for parts that come back thousands of times: %s',
    (_, target) => {
      expect(growthProblems(target, { every: 40, from: seed }).found).toEqual([]);
    },
  );

  itInRest('is searched by the code that inputs reach', () => {
    const run = join(import.meta.dirname, 'run.ts');
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--no-warnings', run, 'all', '400', String(seed), '--short'],
      { encoding: 'utf8' },
    );
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`seed ${seed}, 0 wrong`);
  });
});
