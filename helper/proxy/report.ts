/** The result of a connection for ssm-ssh. It is passed in a file, because ssh only passes on its exit code. */
import { open, rm, writeFile } from 'node:fs/promises';
import type { Failure } from '../../src/errors.ts';

/** The result, and a failure to print. */
export interface Outcome {
  readonly refused: boolean;
  readonly failure?: Failure | undefined;
}

/**
 * Tells ssm-ssh that a result will follow.
 *
 * @returns false if the file cannot be written: a connection is worth more than the explanation of its failure
 */
export async function beginReport(path: string): Promise<boolean> {
  return await writeFile(path, 'open\n', { mode: 0o600 }).then(
    () => true,
    () => false,
  );
}

/** Writes the result into the existing file, or removes the file if there is nothing to report. */
export async function endReport(path: string, { refused, failure }: Outcome, program: string): Promise<void> {
  if (!refused) {
    await rm(path, { force: true });
    return;
  }
  const told = failure ? `${failure.render(program)}\n` : '';
  const file = await open(path, 'r+').catch(() => undefined);
  // One write, because the file is read at any time. The text is longer than the first one and so replaces it.
  await file?.writeFile(`refused\n${told}`);
  await file?.close();
}
