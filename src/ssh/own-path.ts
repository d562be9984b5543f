/** Whether a path leads where others cannot change what is there. helper/find-node.sh has the same rule in shell. */
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const [groupWrites, othersWrite, sticky] = [0o020, 0o002, 0o1000];
/** As many links as Linux follows. */
const longestChain = 40;
/** The group of macOS's administrators, who may become root. */
const admins = 80;

/**
 * Each folder, link and file on the way belongs to root or to this user, and no other may write there. In a folder with the
 * sticky bit, like /tmp, others may add something, and replace nothing.
 */
export function isProtected(path: string): boolean {
  try {
    const { uid } = userInfo();
    // Its owner is root wherever we are: in a namespace of users that is another number.
    const trusted = [0, uid, lstatSync('/').uid];
    return placesOn(path).every((place) => {
      const stats = lstatSync(place);
      return trusted.includes(stats.uid) && !othersChange(stats, uid);
    });
  } catch {
    // What cannot be looked at is nothing to rely on.
    return false;
  }
}

function othersChange(stats: Stats, uid: number): boolean {
  const { mode, gid } = stats;
  if (stats.isSymbolicLink() || (stats.isDirectory() && (mode & sticky) !== 0)) return false;
  if ((mode & othersWrite) !== 0) return true;
  if ((mode & groupWrites) === 0) return false;
  // Users have a group of their own, by their number, where umask 002 is usual.
  const own = stats.uid === uid && gid === uid && uid !== 0;
  return !own && !(process.platform === 'darwin' && gid === admins);
}

/** All that is passed on the way, links and where they lead. */
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
