/** A folder or socket of our own in the system's temporary folder, with a path that is short enough for a socket. */
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../src/errors.ts';
import { fitsSocket } from '../../src/ssh/agent.ts';
import { isProtected } from '../../src/ssh/own-path.ts';

/**
 * The path of a folder that does not exist yet, in the system's temporary folder. The program that removes it also makes it,
 * so that a kill never leaves it behind.
 *
 * @param preferred used instead of the system's temporary folder: the job's own, which the runner protects
 * @throws STATE_UNSAFE
 */
export function nameTemporaryFolder(purpose: string, preferred?: string): string {
  const name = `ssm-ssh-agent-${purpose}-${randomBytes(6).toString('hex')}`;
  // ssh reads quotes and ${…} in a path of an option.
  const fits = (place: string): boolean =>
    fitsSocket(join(place, name, 'control')) && !/["\n\r]|\$\{/.test(place);
  return join(preferred !== undefined && fits(preferred) ? preferred : placeFor(fits), name);
}

/**
 * The path of a socket without a folder of its own, for an agent that leaves nothing behind. No other user can use it:
 * ssh-agent makes it 0600, and refuses other users by their uid.
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

/** The owner of a folder can replace our socket, whatever its mode is, and would get the key. */
function placeFor(fits: (place: string) => boolean): string {
  const place = [tmpdir(), '/tmp'].find((candidate) => fits(candidate) && isProtected(candidate));
  if (place !== undefined) return place;
  throw new Failure('STATE_UNSAFE', `neither ${tmpdir()} nor /tmp is a temporary folder to rely on`, {
    hint: 'set TMPDIR to a short path that, like every folder above it, belongs to root or to you, and where nobody else may write (or the sticky bit is set)',
  });
}
