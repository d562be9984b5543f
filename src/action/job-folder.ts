/** The one folder that a use of the action has: under RUNNER_TEMP, for this user alone; its socket elsewhere if it must. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { Failure, isFull } from '../errors.ts';
import { jobRoleFile } from '../host/job-role.ts';
import { fitsSocket } from '../ssh/agent.ts';
import { isProtected } from '../ssh/own-path.ts';
import {
  exclusively,
  fillKeyFolder,
  folderOfCommand,
  keyFolder,
  type KeyFiles,
  type KeyFolder,
} from '../ssh/key-folder.ts';

const prefix = 'ssm-ssh-agent-';

/** Whether a name in RUNNER_TEMP is one that nameJobFolder gave. */
export function isJobFolder(name: string): boolean {
  return /^ssm-ssh-agent-[0-9a-f]{8}$/.test(name);
}

/** Its socket is in the folder, or, where that path is too long for one, in a shelter: a folder of the same name in /tmp. */
export interface JobFolder extends KeyFolder {
  /** A file with the RUNNER_TRACKING_ID of the job that made the folder. */
  readonly owner: string;
  /** For git's signing, where that is asked for. */
  readonly allowedSigners: string;
  /** A file that says which tokens were made, and where they are kept. */
  readonly tokens: string;
  /** The signing program that git is given. */
  readonly sign: string;
  /** What ssm-ssh keeps for EC2 hosts: an agent for the keys of a minute, and the host keys that it has met. */
  readonly ec2: Ec2Folder;
}

/** Beside the agent's socket, since there is one in it as well. Made when it is first needed. */
export interface Ec2Folder {
  readonly path: string;
  readonly socket: string;
  readonly knownHosts: string;
}

/** A name that nobody has yet, chosen before the folder is made: so that post knows it whenever main dies. */
export function nameJobFolder(temp = ''): JobFolder {
  // ssh's options take quotes, ${…} and a backslash that quotes in a path for their own.
  if (!isAbsolute(temp) || /["\n\r]|\$\{|\\[\\']/.test(temp)) {
    throw unusable(temp, 'is no path that ssh can be told', undefined);
  }
  const folder = jobFolder(join(temp, prefix + randomBytes(4).toString('hex')));
  if (fits(folder)) return folder;
  // RUNNER_TEMP is the runner's, which may be another user's in a container; the system's temporary folder may be anybody's.
  const places = [tmpdir(), '/tmp'].filter(isProtected);
  const shelters = places.map((place) => join(place, basename(folder.path), 'agent'));
  return jobFolder(
    folder.path,
    shelters.find((socket) => fits(jobFolder(folder.path, socket))),
  );
}

function fits({ socket, ec2 }: JobFolder): boolean {
  return [socket, ec2.socket].every(fitsSocket);
}

export function jobFolder(path: string, socket?: string): JobFolder {
  const folder = keyFolder(path, socket);
  return {
    ...folder,
    owner: join(path, 'job'),
    allowedSigners: join(path, 'allowed_signers'),
    tokens: join(path, 'tokens'),
    sign: join(folder.programs, 'ssm-ssh-sign'),
    ec2: ec2Folder(join(dirname(folder.socket), 'ec2')),
  };
}

function ec2Folder(path: string): Ec2Folder {
  return { path, socket: join(path, 'agent'), knownHosts: join(path, 'known_hosts') };
}

/** The job folders in RUNNER_TEMP that a command line names: those of agents, of EC2 hosts' tunnels, and of caches. */
export function jobFoldersIn(command: string, temp: string): string[] {
  const names = command.split(`${temp}/`).slice(1);
  return names.flatMap((text) => {
    const [name] = /^[\w-]+/.exec(text) ?? [''];
    return isJobFolder(name) ? [join(temp, name)] : [];
  });
}

/**
 * Leaves nothing where it fails.
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

/** In a shelter: whose it is. */
export const shelteredFile = 'for';

/** undefined where the socket is in the folder itself. */
function shelterOf({ path, socket }: JobFolder): string | undefined {
  const shelter = dirname(socket);
  return shelter === path ? undefined : shelter;
}

function unusable(temp: string, problem: string, cause: unknown): Failure {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new Failure('STATE_UNSAFE', `RUNNER_TEMP ${problem}: "${temp}"${why}`, {
    hint: "the Actions runner sets RUNNER_TEMP; it has to be a folder that the runner's user may write to",
    cause,
  });
}

export interface JobFiles extends Omit<KeyFiles, 'before'> {
  /** Empty: none. */
  readonly allowedSigners: string;
  /** SSH_AUTH_SOCK, unless there is no agent to replace it, and GIT_SSH_COMMAND as they were. */
  readonly before: { readonly agent: string | undefined; readonly command: string };
  readonly installation: Installation;
  /** The input aws-region, the first; empty: none. */
  readonly region: string;
  /** As renderJobRole makes it; empty: none. */
  readonly role: string;
}

/** By what later steps can start the programs of this action. */
export interface Installation {
  /** The folder that has helper/ and dist/ in it. */
  readonly path: string;
  /** The Node that runs the action. */
  readonly node: string;
}

/** @throws STATE_UNSAFE */
export async function fillJobFolder(folder: JobFolder, files: JobFiles): Promise<void> {
  const { installation, region, role, before } = files;
  const { agent, command } = before;
  try {
    await fillKeyFolder(folder, { ...files, before: { folder: earlierUse(folder, command), agent } });
    if (files.allowedSigners) await writeFile(folder.allowedSigners, files.allowedSigners, exclusively);
    if (role) await writeFile(join(folder.path, jobRoleFile), role, exclusively);
    const noted = [installation.path, installation.node, region].map((line) => `${line}\n`);
    await writeFile(join(folder.path, 'installation'), noted.join(''), exclusively);
  } catch (error) {
    throw isFull(error) ? error : unusable(dirname(folder.path), 'cannot hold the files of the job', error);
  }
}

/** The folder of the use before this one in the same job, by its name alone: a container sees RUNNER_TEMP elsewhere. */
function earlierUse(folder: JobFolder, command: string): string {
  const path = folderOfCommand(command);
  const ours = path !== undefined && isJobFolder(basename(path)) && dirname(path) === dirname(folder.path);
  return ours ? basename(path) : '';
}

/** Removes a folder of ours and its shelter, whether or not they were ever made; any other path is left alone. */
export async function removeJobFolder(folder: JobFolder): Promise<void> {
  const paths = [folder.path, shelterOf(folder) ?? []].flat().filter((path) => isJobFolder(basename(path)));
  const removed = await Promise.allSettled(paths.map((path) => rm(path, { recursive: true, force: true })));
  for (const [index, result] of removed.entries()) {
    if (result.status === 'fulfilled') continue;
    const { code, message } = result.reason as NodeJS.ErrnoException;
    // RUNNER_TEMP itself is no folder: ours was never made.
    if (code === 'ENOTDIR') continue;
    throw new Failure('STATE_UNSAFE', `${paths[index] ?? ''} cannot be removed (${message})`, {
      hint: 'remove it by hand, as its owner or root: it has no keys in it',
      cause: result.reason,
    });
  }
}
