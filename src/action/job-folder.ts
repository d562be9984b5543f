/** The one folder that a use of the action has: under RUNNER_TEMP, for this user alone; its socket elsewhere if it must. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { Failure } from '../errors.ts';
import { fitsSocket } from '../ssh/agent.ts';

const prefix = 'ssm-ssh-agent-';
const exclusively = { flag: 'wx', mode: 0o600 } as const;

/** Whether a name in RUNNER_TEMP is one that nameJobFolder gave. */
export function isJobFolder(name: string): boolean {
  return /^ssm-ssh-agent-[0-9a-f]{8}$/.test(name);
}

export interface JobFolder {
  readonly path: string;
  /** In the folder, or, where that path is too long for a socket, in a shelter: a folder of the same name in /tmp. */
  readonly socket: string;
  /** A file with the RUNNER_TRACKING_ID of the job that made the folder. */
  readonly owner: string;
  readonly knownHosts: string;
  /** For git's signing, where that is asked for. */
  readonly allowedSigners: string;
  /** The folder that goes on PATH. */
  readonly programs: string;
  /** The ssh command that git is given. */
  readonly ssh: string;
  /** The signing program that git is given, where that is asked for. */
  readonly sign: string;
}

/** A name that nobody has yet, chosen before the folder is made: so that post knows it whenever main dies. */
export function nameJobFolder(temp = ''): JobFolder {
  // ssh's options take quotes and ${…} in a path for their own.
  if (!isAbsolute(temp) || /["\n\r]|\$\{/.test(temp)) {
    throw unusable(temp, 'is no path that ssh can be told', undefined);
  }
  const folder = jobFolder(join(temp, prefix + randomBytes(4).toString('hex')));
  if (fitsSocket(folder.socket)) return folder;
  const shelters = [tmpdir(), '/tmp'].map((place) => join(place, basename(folder.path), 'agent'));
  return jobFolder(folder.path, shelters.find(fitsSocket));
}

export function jobFolder(path: string, socket = join(path, 'agent')): JobFolder {
  const programs = join(path, 'bin');
  return {
    path,
    socket,
    owner: join(path, 'job'),
    allowedSigners: join(path, 'allowed_signers'),
    knownHosts: join(path, 'known_hosts'),
    programs,
    ssh: join(programs, 'ssm-ssh'),
    sign: join(programs, 'ssm-ssh-sign'),
  };
}

/** @throws STATE_UNSAFE */
export async function makeJobFolder(folder: JobFolder, trackingId = ''): Promise<void> {
  const { path, owner } = folder;
  try {
    await mkdir(path, { mode: 0o700 });
    await writeFile(owner, trackingId, exclusively);
    const shelter = shelterOf(folder);
    if (shelter === undefined) return;
    await mkdir(shelter, { mode: 0o700 });
    await writeFile(join(shelter, shelteredFile), path, exclusively);
    await writeFile(join(path, 'socket'), `${folder.socket}\n`, exclusively);
  } catch (error) {
    throw unusable(dirname(path), 'cannot hold a folder', error);
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

/** What ssh is told of a key that the agent holds: lines as in `.pub` files. */
export interface Identity {
  readonly publicKey: string;
  readonly certificate?: string | undefined;
}

export interface JobFiles {
  readonly knownHosts: string;
  readonly strictHostKeyChecking: string;
  /** As renderRoutes makes it. */
  readonly routes: string;
  /** In the order of the routes' numbers. */
  readonly identities: readonly Identity[];
  /** Empty: none. */
  readonly allowedSigners: string;
  /** SSH_AUTH_SOCK and GIT_SSH_COMMAND as they were. */
  readonly before: { readonly agent: string; readonly command: string };
  /** The text of helper/ssm-ssh. */
  readonly ssh: string;
  /** The text of helper/ssm-ssh-sign; empty: none. */
  readonly sign: string;
}

/** What helper/ssm-ssh finds beside itself. */
export async function fillJobFolder(folder: JobFolder, files: JobFiles): Promise<void> {
  await mkdir(folder.programs, { mode: 0o700 });
  await mkdir(join(folder.path, 'keys'), { mode: 0o700 });
  const texts: Record<string, string> = {
    [folder.knownHosts]: files.knownHosts,
    [join(folder.path, 'strict')]: `${files.strictHostKeyChecking}\n`,
    [join(folder.path, 'routes')]: files.routes,
    [join(folder.path, 'before')]: `${earlierUse(folder, files.before.command)}\n`,
    [join(folder.path, 'agent-before')]: `${files.before.agent || 'none'}\n`,
    [folder.ssh]: files.ssh,
    ...(files.allowedSigners && { [folder.allowedSigners]: files.allowedSigners }),
    ...(files.sign && { [folder.sign]: files.sign }),
  };
  for (const [number, { publicKey, certificate }] of files.identities.entries()) {
    const path = publicKeyFile(folder, number);
    texts[path] = `${publicKey}\n`;
    if (certificate) texts[certificateFile(folder, number)] = `${certificate}\n`;
  }
  await Promise.all(Object.entries(texts).map(([path, text]) => writeFile(path, text, exclusively)));
  await chmod(folder.ssh, 0o700);
  if (files.sign) await chmod(folder.sign, 0o700);
}

/** @param number of the key, in the order written */
export function publicKeyFile({ path }: JobFolder, number: number): string {
  return join(path, 'keys', `${number}.pub`);
}

export function certificateFile({ path }: JobFolder, number: number): string {
  return join(path, 'keys', `${number}-cert.pub`);
}

/** The folder of the use before this one in the same job, by its name alone: a container sees RUNNER_TEMP elsewhere. */
function earlierUse(folder: JobFolder, quoted: string): string {
  const command = /^'.*'$/.test(quoted) ? quoted.slice(1, -1).replaceAll(`'\\''`, `'`) : quoted;
  const path = dirname(dirname(command));
  const ours = command === jobFolder(path).ssh && isJobFolder(basename(path));
  return ours && dirname(path) === dirname(folder.path) ? basename(path) : '';
}

/** Removes a folder of ours and its shelter, whether or not they were ever made; any other path is left alone. */
export async function removeJobFolder(folder: JobFolder): Promise<void> {
  for (const path of [folder.path, shelterOf(folder) ?? []].flat()) {
    if (!isJobFolder(basename(path))) continue;
    try {
      await rm(path, { recursive: true, force: true });
    } catch (error) {
      // RUNNER_TEMP itself is no folder: ours was never made.
      if ((error as NodeJS.ErrnoException).code !== 'ENOTDIR') throw error;
    }
  }
}
