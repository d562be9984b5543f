/** The folder of one use of the action: its files, its name, and its end. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../errors.ts';
import { quoteForShell } from '../process/quote.ts';
import { removeFolder } from '../process/remove-folder.ts';
import { keyFolder, type KeyFolder } from '../ssh/key-folder.ts';

export const prefix = 'ssm-ssh-agent-';

/** Whether nameJobFolder made this name. */
export function isJobFolder(name: string): boolean {
  return name.startsWith(prefix) && /^[0-9a-f]{8}$/.test(name.slice(prefix.length));
}

/** The socket is in the folder. If its path is too long, it is in a folder of the same name in /tmp, the shelter. */
export interface JobFolder extends KeyFolder {
  /** A file with the RUNNER_TRACKING_ID of the job that made the folder. */
  readonly owner: string;
  /** For git-signing. */
  readonly allowedSigners: string;
  /** The socket of OpenSSH's agent if ours, which has the keys in KMS, stands in front of it. */
  readonly back: string;
  /** Where ours tells our own programs what it signed. */
  readonly control: string;
  /** A file with a record of each token: where it is stored, not the token. */
  readonly tokens: string;
  /** The program that git signs with. */
  readonly sign: string;
  /** What ssm-ssh stores for EC2 hosts: an agent for keys that live one minute, and the known host keys. */
  readonly ec2: Ec2Folder;
}

/** Beside the agent's socket: it holds a socket, too. It is made when it is first needed. */
export interface Ec2Folder {
  readonly path: string;
  readonly socket: string;
  readonly knownHosts: string;
}

export function jobFolder(path: string, socket?: string): JobFolder {
  const folder = keyFolder(path, socket);
  return {
    ...folder,
    owner: join(path, 'job'),
    allowedSigners: join(path, 'allowed_signers'),
    tokens: join(path, 'tokens'),
    back: join(dirname(folder.socket), 'back'),
    control: join(dirname(folder.socket), 'control'),
    sign: join(folder.programs, 'ssm-ssh-sign'),
    ec2: ec2Folder(join(dirname(folder.socket), 'ec2')),
  };
}

function ec2Folder(path: string): Ec2Folder {
  return { path, socket: join(path, 'agent'), knownHosts: join(path, 'known_hosts') };
}

/** Where a user of the job has it if `ec2` is another user's, as after a step with sudo (helper/ssm-ssh-ec2.sh). */
export function ec2FolderOf(uid: number, { ec2 }: Pick<JobFolder, 'ec2'>): Ec2Folder {
  return ec2Folder(`${ec2.path}-${uid}`);
}

/** The folders of all users of the job that may exist. */
export async function ec2FoldersIn(folder: Pick<JobFolder, 'ec2'>): Promise<Ec2Folder[]> {
  const names = await readdir(dirname(folder.ec2.path)).catch(() => []);
  const users = names.flatMap((name) => (/^ec2-\d+$/.test(name) ? [Number(name.slice('ec2-'.length))] : []));
  return [folder.ec2, ...users.map((uid) => ec2FolderOf(uid, folder))];
}

/** The job folders in RUNNER_TEMP that a command line names: agents, tunnels to EC2 hosts and credential caches name one. */
export function jobFoldersIn(command: string, temp: string): string[] {
  const names = command.split(`${temp}/`).slice(1);
  return names.flatMap((text) => {
    const [name] = /^[\w-]+/.exec(text) ?? [''];
    return isJobFolder(name) ? [join(temp, name)] : [];
  });
}

/** The folders of earlier uses in the job, latest first. @param path of a later one */
export async function usesBefore(path: string): Promise<string[]> {
  const uses: string[] = [];
  for (let use: string | undefined = path; use !== undefined && !uses.includes(use);) {
    uses.push(use);
    const name = (await readFile(join(use, 'before'), 'utf8').catch(() => '')).trim();
    use = isJobFolder(name) ? join(dirname(path), name) : undefined;
  }
  return uses.slice(1);
}

/** A file in the shelter with the path of its job folder. */
export const shelteredFile = 'for';

/** @returns undefined if the socket is in the folder itself */
export function shelterOf({ path, socket }: JobFolder): string | undefined {
  const shelter = dirname(socket);
  return shelter === path ? undefined : shelter;
}

/** Removes a job folder and its shelter, if they exist. Any other path is left alone. */
export async function removeJobFolder(folder: JobFolder): Promise<void> {
  const paths = [folder.path, shelterOf(folder) ?? []].flat().filter((path) => isJobFolder(basename(path)));
  const removed = await Promise.allSettled(paths.map(removeFolder));
  for (const [index, result] of removed.entries()) {
    if (result.status === 'fulfilled') continue;
    const { code, message } = result.reason as NodeJS.ErrnoException;
    const path = paths[index] ?? '';
    // RUNNER_TEMP is not a folder, so the job folder was never made.
    if (code === 'ENOTDIR') continue;
    throw new Failure('STATE_UNSAFE', `${path} cannot be removed (${message})`, {
      hint: `a step with sudo may have made a part of it: run sudo rm -rf ${quoteForShell(path)}, it has no keys in it`,
      cause: result.reason,
    });
  }
}
