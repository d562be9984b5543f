/** Makes the folder of one use of the action: under RUNNER_TEMP, for this user alone. A socket whose path is too long is elsewhere. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { Failure, isFull } from '../errors.ts';
import { jobRoleFile } from '../host/job-role.ts';
import { fitsSocket } from '../ssh/agent.ts';
import { exclusively, fillKeyFolder, folderOfCommand, type KeyFiles } from '../ssh/key-folder.ts';
import { isProtected } from '../ssh/own-path.ts';
import {
  ec2FolderOf,
  isJobFolder,
  jobFolder,
  prefix,
  shelteredFile,
  shelterOf,
  type JobFolder,
} from './job-folder.ts';

/** A new name, chosen before the folder is made: post must know the name, whenever main is killed. */
export function nameJobFolder(temp = ''): JobFolder {
  // In a path, ssh's options interpret quotes, ${…} and backslashes.
  if (!isAbsolute(temp) || /["\n\r]|\$\{|\\[\\']/.test(temp)) {
    throw unusable(temp, 'is a path that ssh cannot use in its options', undefined);
  }
  const folder = jobFolder(join(temp, prefix + randomBytes(4).toString('hex')));
  if (fits(folder)) return folder;
  // In a container RUNNER_TEMP may belong to another user. Everybody may write to the system's temporary folder.
  const places = [tmpdir(), '/tmp'].filter(isProtected);
  const shelters = places.map((place) => join(place, basename(folder.path), 'agent'));
  return jobFolder(
    folder.path,
    shelters.find((socket) => fits(jobFolder(folder.path, socket))),
  );
}

/** Whoever is at an EC2 host after another user of the job has the longest path. */
function fits(folder: JobFolder): boolean {
  return [folder.socket, ec2FolderOf(process.getuid?.() ?? 0, folder).socket].every(fitsSocket);
}

/**
 * Removes what it made if it fails.
 *
 * @throws STATE_UNSAFE
 */
export async function makeJobFolder(folder: JobFolder, trackingId = ''): Promise<void> {
  const { path, owner } = folder;
  const made: string[] = [];
  const make = async (one: string): Promise<void> => {
    await mkdir(one, { mode: 0o700 });
    made.push(one);
  };
  try {
    await make(path);
    await writeFile(owner, trackingId, exclusively);
    const shelter = shelterOf(folder);
    if (shelter === undefined) return;
    await make(shelter);
    await writeFile(join(shelter, shelteredFile), path, exclusively);
    await writeFile(join(path, 'socket'), `${folder.socket}\n`, exclusively);
  } catch (error) {
    for (const one of made) await rm(one, { recursive: true, force: true });
    throw isFull(error) ? error : unusable(dirname(path), 'cannot hold a folder', error);
  }
}

function unusable(temp: string, problem: string, cause: unknown): Failure {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new Failure('STATE_UNSAFE', `RUNNER_TEMP ${problem}: "${temp}"${why}`, {
    hint: "the Actions runner sets RUNNER_TEMP; it has to be a folder that the runner's user may write to",
    cause,
  });
}

export interface JobFiles extends Omit<KeyFiles, 'before'> {
  /** Empty: there are none. */
  readonly allowedSigners: string;
  /** The values that SSH_AUTH_SOCK, if an agent replaces it, and GIT_SSH_COMMAND had before. */
  readonly before: { readonly agent: string | undefined; readonly command: string };
  readonly installation: Installation;
  /** The first Region of the input aws-region; empty: there is none. */
  readonly region: string;
  /** The text that renderJobRole makes; empty: there is no role. */
  readonly role: string;
}

/** What later steps need to start the programs of this action. */
export interface Installation {
  /** The folder that contains helper/ and dist/. */
  readonly path: string;
  /** The Node that runs the action. */
  readonly node: string;
}

/** @throws STATE_UNSAFE */
export function fillJobFolder(folder: JobFolder, files: JobFiles): void {
  const { installation, region, role, before } = files;
  const { agent, command } = before;
  try {
    fillKeyFolder(folder, { ...files, before: { folder: earlierUse(folder, command), agent } });
    if (files.allowedSigners) writeFileSync(folder.allowedSigners, files.allowedSigners, exclusively);
    if (role) writeFileSync(join(folder.path, jobRoleFile), role, exclusively);
    const noted = [installation.path, installation.node, region].map((line) => `${line}\n`);
    writeFileSync(join(folder.path, 'installation'), noted.join(''), exclusively);
  } catch (error) {
    throw isFull(error) ? error : unusable(dirname(folder.path), 'cannot hold the files of the job', error);
  }
}

/** The name of the folder of the previous use in this job. Not its path: in a container RUNNER_TEMP has another path. */
function earlierUse(folder: JobFolder, command: string): string {
  const path = folderOfCommand(command);
  const ours = path !== undefined && isJobFolder(basename(path)) && dirname(path) === dirname(folder.path);
  return ours ? basename(path) : '';
}
