import { expect, it } from '@jest/globals';
import { run } from '../../src/process/run.ts';

it('tells a program that was killed from one that exits with 1, as git config does without a value', async () => {
  const options = { env: {}, signal: AbortSignal.timeout(20_000) };
  expect((await run(['/bin/sh', '-c', 'exit 1'], options)).exitCode).toBe(1);
  expect((await run(['/bin/sh', '-c', 'kill -KILL $$'], options)).exitCode).toBe(137);
});
