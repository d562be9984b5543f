/** Whether other users cannot change what a path leads to. helper/find-node.sh has the same rule in shell. */
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { userId } from '../process/account.ts';

const [groupWrites, othersWrite, sticky] = [0o020, 0o002, 0o1000];
/** Linux follows the same number of symbolic links. */
const longestChain = 40;
/** The group of macOS's administrators, who can become root. */
const admins = 80;

/**
 * Each folder, link and file on the path has to belong to root or to this user, and nobody else may write to it. In a
 * folder with the sticky bit, such as /tmp, others can only add files.
 */
export function isProtected(path: string): boolean {
  try {
    const uid = userId();
    // Root owns /. In a user namespace its number may not be 0.
    const trusted = [0, uid, lstatSync('/').uid];
    return placesOn(path).every((place) => {
      const stats = lstatSync(place);
      return trusted.includes(stats.uid) && !othersChange(stats, uid);
    });
  } catch {
    // If it cannot be inspected, it is not safe.
    return false;
  }
}

function othersChange(stats: Stats, uid: number): boolean {
  const { mode, gid } = stats;
  if (stats.isSymbolicLink() || (stats.isDirectory() && (mode & sticky) !== 0)) return false;
  if ((mode & othersWrite) !== 0) return true;
  if ((mode & groupWrites) === 0) return false;
  // With umask 002, users usually have a group of their own with the same number.
  const own = stats.uid === uid && gid === uid && uid !== 0;
  return !own && !(process.platform === 'darwin' && gid === admins);
}

/** All paths on the way, including links and their targets. */
function placesOn(path: string): string[] {
  const places = ['/'];
  let left = resolve(path).split('/').filter(Boolean);
  let place = '/';
  let links = 0;
  for (let name = left.shift(); name !== undefined; name = left.shift()) {
    if (name === '.' || name === '') continue;
    if (name === '..') {
      place = dirname(place);
      continue;
    }
    const next = join(place, name);
    places.push(next);
    if (!lstatSync(next).isSymbolicLink()) {
      place = next;
      continue;
    }
    if (++links > longestChain) throw new RangeError('too many links');
    const target = readlinkSync(next);
    if (target.startsWith('/')) place = '/';
    left = [...target.split('/'), ...left];
  }
  return places;
}
