/** The one folder that a use of the action has: under RUNNER_TEMP, for this user alone. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { Failure } from '../errors.ts';

const prefix = 'ssm-ssh-agent-';

export interface JobFolder {
  readonly path: string;
  readonly socket: string;
  readonly knownHosts: string;
  /** The folder that goes on PATH. */
  readonly programs: string;
  /** The ssh command that git is given. */
  readonly ssh: string;
}

/** A name that nobody has yet, chosen before the folder is made: so that post knows it whenever main dies. */
export function nameJobFolder(temp = ''): JobFolder {
  // ssh's options take quotes and ${…} in a path for their own.
  if (!isAbsolute(temp) || /["\n\r]|\$\{/.test(temp)) {
    throw unusable(temp, 'is no path that ssh can be told', undefined);
  }
  return jobFolder(join(temp, prefix + randomBytes(4).toString('hex')));
}

export function jobFolder(path: string): JobFolder {
  const programs = join(path, 'bin');
  return {
    path,
    socket: join(path, 'agent'),
    knownHosts: join(path, 'known_hosts'),
    programs,
    ssh: join(programs, 'ssm-ssh'),
  };
}

/** @throws STATE_UNSAFE */
export async function makeJobFolder({ path }: JobFolder): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    throw unusable(dirname(path), 'cannot hold a folder', error);
  }
}

function unusable(temp: string, problem: string, cause: unknown): Failure {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new Failure('STATE_UNSAFE', `RUNNER_TEMP ${problem}: "${temp}"${why}`, {
    hint: "the Actions runner sets RUNNER_TEMP; it has to be a folder that the runner's user may write to",
    cause,
  });
}

export interface JobFiles {
  readonly knownHosts: string;
  readonly strictHostKeyChecking: string;
  /** The text of helper/ssm-ssh. */
  readonly ssh: string;
}

export async function fillJobFolder(folder: JobFolder, files: JobFiles): Promise<void> {
  const exclusively = { flag: 'wx', mode: 0o600 } as const;
  await mkdir(folder.programs, { mode: 0o700 });
  await writeFile(folder.knownHosts, files.knownHosts, exclusively);
  await writeFile(join(folder.path, 'strict'), `${files.strictHostKeyChecking}\n`, exclusively);
  await writeFile(folder.ssh, files.ssh, exclusively);
  await chmod(folder.ssh, 0o700);
}

/** Removes a folder of ours, whether or not it was ever made; any other path is left alone. */
export async function removeJobFolder({ path }: JobFolder): Promise<void> {
  if (!basename(path).startsWith(prefix)) return;
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    // RUNNER_TEMP itself is no folder: ours was never made.
    if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR') throw error;
  }
}
