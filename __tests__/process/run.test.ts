import { spawnSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { run } from '../../src/process/run.ts';

const killsItself = 'kill -KILL $$';

it('tells a program that was killed from one that exits with 1, as git config does without a value', async () => {
  const options = { env: {}, signal: AbortSignal.timeout(20_000) };
  expect((await run(['/bin/sh', '-c', 'exit 1'], options)).exitCode).toBe(1);
  const { exitCode } = await run(['/bin/sh', '-c', killsItself], options);
  // As a shell tells it.
  expect(exitCode).toBe(spawnSync('/bin/sh', ['-c', `sh -c '${killsItself}'; exit $?`]).status);
  expect(exitCode).toBe(137);
});
