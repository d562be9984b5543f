/** Every input in the ways in which people get it wrong: what they are told, and that nothing has happened by then. */
import { afterAll, beforeAll, describe, expect, it as everyIt } from '@jest/globals';
import { startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { usualInputs, type BadInput } from '../support/bad-inputs/bad-input.ts';
import { everyBadInput } from '../support/bad-inputs/every-bad-input.ts';
import { inLanes } from '../support/in-lanes.ts';
import { itInRest, rowsOf } from '../support/parts.ts';
import { createJob, type StepResult } from '../support/runner/job.ts';
import { firstOfEachKind } from '../support/sample.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { actionPath, told } from './stage.ts';

const key = await makeSshKey();
/** A kind is a code, and whether it is about a job's variables. action/bad-inputs.test.ts has every row without a process. */
const kindOf = ({ code, env = {} }: BadInput): string => JSON.stringify([code, Object.keys(env)]);

const rows = rowsOf(firstOfEachKind(everyBadInput(key), kindOf));

interface Outcome {
  readonly main: StepResult;
  /** Processes, files and calls: what there is when the step has failed. */
  readonly left: readonly unknown[];
}

async function attempt({ given, env }: BadInput, { aws, jobEnvironment }: ReadyWorld): Promise<Outcome> {
  const job = createJob({ actionPath, env: { ...jobEnvironment(), ...env } });
  const main = await job.uses({ with: { ...usualInputs, ...given } });
  const left = [...job.processes(), ...job.files(), ...aws.calls];
  aws.forgetCalls();
  job.dispose();
  return { main, left };
}

describe('a wrong input', () => {
  let worlds: ReadyWorld[];
  let outcomes: Outcome[];

  beforeAll(async () => {
    // Each lane has a world of its own: a call is the row's that made it.
    worlds = await Promise.all([1, 2, 3].map(() => startReadyWorld()));
    outcomes = await inLanes(rows, worlds, attempt);
  }, 900_000);
  afterAll(async () => {
    await Promise.all(worlds.map((world) => world.stop()));
  });

  everyIt.each(rows.map((row, index) => [row.what, row, index] as const))('%s', (_, row, index) => {
    const { main, left } = outcomes[index] ?? { left: [] };
    if (!main) throw new Error('the step did not run');
    const { code, text } = told(main);
    const [what = '', hint = '', ...more] = text.split('\n');
    expect([code, more]).toEqual([row.code, []]);
    expect(what).toContain(`ssm-ssh-agent: ${row.code}: ${row.names}`);
    expect(what).toContain(row.says);
    expect(hint).toMatch(/^hint: \S/);
    expect(hint).toContain(row.hint);
    expect([main.outcome, main.exitCode]).toEqual(['failure', 2]);
    expect([main.outputs, main.env, main.paths, main.summary, left]).toEqual([{}, {}, [], '', []]);
    for (const line of key.privateKey.split('\n').slice(1, -2))
      expect(main.raw).not.toContain(line.slice(0, 20));
  });

  itInRest('is shown by enough of them', () => {
    expect(rows.length).toBeGreaterThanOrEqual(200);
  });
});
