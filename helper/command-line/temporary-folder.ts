/** What is ours alone in the system's temporary folder, its path short enough for a socket. */
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fitsSocket } from '../../src/ssh/agent.ts';

/**
 * The path of a folder that is not there yet, in the system's temporary folder: whoever removes it makes it, so that a kill
 * at no moment leaves it.
 *
 * @param preferred a place instead of the system's temporary folder
 */
export function nameTemporaryFolder(purpose: string, preferred = tmpdir()): string {
  const name = `ssm-ssh-agent-${purpose}-${randomBytes(6).toString('hex')}`;
  // ssh's options take quotes and ${…} in a path for their own.
  const fits = (place: string): boolean =>
    fitsSocket(join(place, name, 'agent')) && !/["\n\r]|\$\{/.test(place);
  return join([preferred, tmpdir()].find(fits) ?? '/tmp', name);
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
