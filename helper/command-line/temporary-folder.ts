/** What is ours alone in the system's temporary folder, its path short enough for a socket. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../src/errors.ts';
import { fitsSocket } from '../../src/ssh/agent.ts';

/**
 * A folder, 0700, as mkdtemp makes it. At once: a kill before the guard of exec is started would leave the folder.
 *
 * @param preferred a place instead of the system's temporary folder
 * @throws STATE_UNSAFE
 */
export function makeTemporaryFolder(purpose: string, preferred = tmpdir()): string {
  const prefix = `ssm-ssh-agent-${purpose}-`;
  // mkdtemp puts six characters behind. ssh's options take quotes and ${…} in a path for their own.
  const fits = (place: string): boolean =>
    fitsSocket(join(place, `${prefix}XXXXXX`, 'agent')) && !/["\n\r]|\$\{/.test(place);
  const place = [preferred, tmpdir()].find(fits) ?? '/tmp';
  try {
    return mkdtempSync(join(place, prefix));
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    throw new Failure('STATE_UNSAFE', `the temporary folder ${place} cannot hold a folder (${why})`, {
      hint: 'set TMPDIR to a folder that you may write to',
      cause: error,
    });
  }
}
