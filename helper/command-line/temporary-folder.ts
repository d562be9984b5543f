/** A folder of ours alone in the system's temporary folder, short enough for a socket. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../src/errors.ts';
import { fitsSocket } from '../../src/ssh/agent.ts';

/**
 * 0700, as mkdtemp makes it.
 *
 * @throws STATE_UNSAFE
 */
export async function makeTemporaryFolder(purpose: string): Promise<string> {
  const prefix = `ssm-ssh-agent-${purpose}-`;
  // mkdtemp puts six characters behind. ssh's options take quotes and ${…} in a path for their own.
  const fits = (place: string): boolean =>
    fitsSocket(join(place, `${prefix}XXXXXX`, 'agent')) && !/["\n\r]|\$\{/.test(place);
  const place = fits(tmpdir()) ? tmpdir() : '/tmp';
  try {
    return await mkdtemp(join(place, prefix));
  } catch (error) {
    const why = error instanceof Error ? error.message : '';
    throw new Failure('STATE_UNSAFE', `the temporary folder ${place} cannot hold a folder (${why})`, {
      hint: 'set TMPDIR to a folder that you may write to',
      cause: error,
    });
  }
}
