/** Whether every user of the host can use what setup --system writes. */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { quoteForShell } from '../../src/process/quote.ts';

const [readByOthers, enteredByOthers] = [0o004, 0o001];

/**
 * By its mode, for users who are neither its owner nor in its group.
 *
 * @param path absolute
 * @returns the file, or the folder above it, that they cannot read or enter; undefined where they can
 */
export async function closedToOthers(path: string): Promise<string | undefined> {
  for (let place = dirname(path); ; place = dirname(place)) {
    if (!(await allows(place, enteredByOthers))) return place;
    if (place === dirname(place)) break;
  }
  return (await isReadByOthers(path)) ? undefined : path;
}

export interface Used {
  /** The file of git's system configuration. */
  readonly file: string;
  readonly installation: string;
  readonly node: string;
  readonly knownHosts: string | undefined;
}

/**
 * A file that was there keeps its mode, and root may have a umask that keeps what it installs from others.
 *
 * @returns what other users cannot read, and what to do, one warning per line
 */
export async function closedWarnings({ file, installation, node, knownHosts }: Used): Promise<string[]> {
  const warnings: string[] = [];
  if (!(await isReadByOthers(file)))
    warnings.push(
      `other users cannot read ${file}, and every git of theirs fails: chmod 644 ${quoteForShell(file)}`,
    );
  const programs = [join(installation, 'helper/ssm-ssh'), join(installation, 'dist/programs/index.js'), node];
  for (const path of programs) {
    const closed = await closedToOthers(path);
    if (closed === undefined) continue;
    const what = path === node ? 'Node' : 'ssm-ssh-agent';
    warnings.push(`other users cannot read ${closed}: for them, install ${what} where all may read it`);
    break;
  }
  const closed = knownHosts === undefined ? undefined : await closedToOthers(knownHosts);
  if (closed !== undefined)
    warnings.push(
      `other users cannot read ${closed}, and their ssh knows no host of ${knownHosts ?? ''}: ` +
        'put the file in /etc/ssh, with mode 644',
    );
  return warnings;
}

/** Whatever the folders above it are. */
async function isReadByOthers(path: string): Promise<boolean> {
  return await allows(path, readByOthers);
}

async function allows(path: string, bit: number): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  // No mode can help if it is not there.
  return there === undefined || (there.mode & bit) !== 0;
}
