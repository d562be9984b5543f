/** What is ours alone in the system's temporary folder, its path short enough for a socket. */
import { randomBytes } from 'node:crypto';
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

/**
 * The path of a socket that has no folder around it, for an agent that is to leave nothing when it ends. It lets nobody else
 * in: ssh-agent makes it 0600, and turns other users away by their number.
 */
export function nameTemporarySocket(purpose: string): string {
  const name = `ssm-ssh-agent-${purpose}-${randomBytes(8).toString('hex')}`;
  const path = join(tmpdir(), name);
  return fitsSocket(path) ? path : join('/tmp', name);
}
