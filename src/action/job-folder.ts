/** The one folder that a use of the action has: under RUNNER_TEMP, for this user alone. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

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
export function nameJobFolder(temp: string): JobFolder {
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

export async function makeJobFolder({ path }: JobFolder): Promise<void> {
  await mkdir(path, { mode: 0o700 });
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
  if (basename(path).startsWith(prefix)) await rm(path, { recursive: true, force: true });
}
