/** What is ours alone in the system's temporary folder, its path short enough for a socket. */
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../src/errors.ts';
import { fitsSocket } from '../../src/ssh/agent.ts';
import { isProtected } from '../../src/ssh/own-path.ts';

/**
 * The path of a folder that is not there yet, in the system's temporary folder: whoever removes it makes it, so that a kill
 * at no moment leaves it.
 *
 * @param preferred a place instead of the system's temporary folder: a job's own, which the runner answers for
 * @throws STATE_UNSAFE
 */
export function nameTemporaryFolder(purpose: string, preferred?: string): string {
  const name = `ssm-ssh-agent-${purpose}-${randomBytes(6).toString('hex')}`;
  // ssh's options take quotes and ${…} in a path for their own.
  const fits = (place: string): boolean =>
    fitsSocket(join(place, name, 'agent')) && !/["\n\r]|\$\{/.test(place);
  return join(preferred !== undefined && fits(preferred) ? preferred : placeFor(fits), name);
}

/**
 * The path of a socket that has no folder around it, for an agent that is to leave nothing when it ends. It lets nobody else
 * in: ssh-agent makes it 0600, and turns other users away by their number.
 *
 * @throws STATE_UNSAFE
 */
export function nameTemporarySocket(purpose: string): string {
  const name = `ssm-ssh-agent-${purpose}-${randomBytes(8).toString('hex')}`;
  return join(
    placeFor((place) => fitsSocket(join(place, name))),
    name,
  );
}

/** The owner of a folder can put a socket of their own instead of ours, whatever the modes are: the key would go there. */
function placeFor(fits: (place: string) => boolean): string {
  const place = [tmpdir(), '/tmp'].find((candidate) => fits(candidate) && isProtected(candidate));
  if (place !== undefined) return place;
  throw new Failure('STATE_UNSAFE', `neither ${tmpdir()} nor /tmp is a temporary folder to rely on`, {
    hint: 'set TMPDIR to a short path that, like every folder above it, belongs to root or to you, and where nobody else may write (or the sticky bit is set)',
  });
}
