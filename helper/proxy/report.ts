/** What ssm-ssh learns of the way that its ssh took: a file, since ssh hands on nothing but its exit code. */
import { open, rm, writeFile } from 'node:fs/promises';
import type { Failure } from '../../src/errors.ts';

/** How it went, and what people are told of it. */
export interface Outcome {
  readonly refused: boolean;
  readonly failure?: Failure | undefined;
}

/** Says that there is a word to wait for. */
export async function beginReport(path: string): Promise<void> {
  await writeFile(path, 'open\n', { mode: 0o600 });
}

/** Into the file that is there; where there is nothing to say, it is taken away. */
export async function endReport(path: string, { refused, failure }: Outcome, program: string): Promise<void> {
  if (!refused) {
    await rm(path, { force: true });
    return;
  }
  const told = failure ? `${failure.render(program)}\n` : '';
  const file = await open(path, 'r+').catch(() => undefined);
  // One write: longer than the word before, and read at any time.
  await file?.writeFile(`refused\n${told}`);
  await file?.close();
}
