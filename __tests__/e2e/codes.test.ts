/** Each code of the catalogue that the action can raise, provoked through the built action: none has only a unit test. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect } from '@jest/globals';
import { catalogue, Failure } from '../../src/errors.ts';
import { startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { usualInputs } from '../support/bad-inputs/bad-input.ts';
import { createJob, type Job } from '../support/runner/job.ts';
import {
  key,
  ofLaterSteps,
  ofOtherPrograms,
  programs,
  removeSituations,
  situations,
  type ActionCode,
} from './code-situations.ts';
import { actionPath, told } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

let world: ReadyWorld;
let job: Job | undefined;

beforeEach(async () => {
  world = await startReadyWorld();
  world.put('/ci/key', key.privateKey);
});
afterEach(async () => {
  job?.dispose();
  await world.stop();
});
afterAll(removeSituations);

describe('the code', () => {
  it.each(Object.keys(situations) as ActionCode[])(
    '%s comes with a hint, and leaves nothing behind',
    async (code) => {
      const { given, more, env = world.jobEnvironment(), ...place } = situations[code](world);
      job = createJob({ actionPath, ...place, env: { ...env, ...more } });
      const main = await job.uses({ with: { ...usualInputs, ...given } });
      const [what, hint, ...rest] = told(main).text.split('\n');
      expect([told(main).code, rest]).toEqual([code, []]);
      expect(what).toMatch(new RegExp(`^ssm-ssh-agent: ${code}: \\S`));
      expect(hint).toMatch(/^hint: \S/);
      expect(main.exitCode).toBe(new Failure(code, '', { hint: '' }).exitCode);
      expect([main.outputs, main.env, main.paths, main.summary]).toEqual([{}, {}, [], '']);
      expect([job.processes(), job.files()]).toEqual([[], []]);
      const { posts } = await job.finish();
      expect(posts.map(({ outcome, annotations }) => [outcome, annotations])).toEqual([['success', []]]);
    },
  );

  it('SSH_NOT_FOUND is told by ssm-ssh where a later step has no OpenSSH', async () => {
    job = createJob({ actionPath, env: world.jobEnvironment() });
    expect(told(await job.uses({ with: usualInputs })).text).toBe('');
    // One pipe: the runner reads a step's two outputs in no order.
    const connect = `PATH=${programs()} "$GIT_SSH_COMMAND" git@github.com || echo "exit $?"`;
    const { log } = await job.run(`exec 2>&1\n${connect}`);
    expect(log).toMatch(/^ssm-ssh: SSH_NOT_FOUND: \S.*\nhint: \S.*\nexit 255\n$/);
    const { leftoverProcesses } = await job.finish();
    expect([leftoverProcesses, job.files()]).toEqual([[], []]);
  });

  it('is one of these, or of another program and nowhere in what the action runs', () => {
    const here = [...Object.keys(situations), ...ofLaterSteps];
    expect([...here, ...ofOtherPrograms].sort()).toEqual(Object.keys(catalogue).sort());
    const root = join(actionPath, 'src');
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && file !== 'errors.ts' && !file.startsWith('ec2/'),
    );
    const text = files.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
    expect(ofOtherPrograms.filter((code) => text.includes(`'${code}'`))).toEqual([]);
  });
});
