/** Writes the folder with the files of helper/ssm-ssh for jobs and exec. It holds no secrets. */
import { constants, mkdirSync, writeFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export const exclusively = { flag: 'wx', mode: 0o600 } as const;

const executable = { ...exclusively, mode: 0o700 };

export interface KeyFolder {
  readonly path: string;
  /** The socket of the agent that holds the keys. */
  readonly socket: string;
  readonly knownHosts: string;
  /** The folder to add to PATH. */
  readonly programs: string;
  /** The ssh command for git. */
  readonly ssh: string;
}

export function keyFolder(path: string, socket = join(path, 'agent')): KeyFolder {
  const programs = join(path, 'bin');
  return { path, socket, knownHosts: join(path, 'known_hosts'), programs, ssh: join(programs, 'ssm-ssh') };
}

/** The folder of an ssh command of ours, with or without `sh` and quotes; undefined if the command is not ours. */
export function folderOfCommand(text: string): string | undefined {
  const quoted = text.replace(/^sh /, '');
  const command = /^'.*'$/.test(quoted) ? quoted.slice(1, -1).replaceAll(`'\\''`, `'`) : quoted;
  const path = dirname(dirname(command));
  return command === keyFolder(path).ssh ? path : undefined;
}

/** The public files of a key in the agent, as lines of `.pub` files. */
export interface Identity {
  readonly publicKey: string;
  readonly certificate?: string | undefined;
}

export interface KeyFiles {
  readonly knownHosts: string;
  readonly strictHostKeyChecking: string;
  /** From renderRoutes. */
  readonly routes: string;
  /** From renderSigningLines, for `explain` and `doctor`. */
  readonly signing: string;
  /** In the order of the routes. */
  readonly identities: readonly Identity[];
  /** The previous state: the name of an earlier folder beside this one, and SSH_AUTH_SOCK; empty if there is none. */
  readonly before: {
    readonly folder: string;
    /** undefined: this use has no agent, and SSH_AUTH_SOCK is not changed. */
    readonly agent: string | undefined;
  };
  /** The scripts by their names in helper/; at least ssm-ssh and ssm-ssh-job.sh. */
  readonly programs: Programs;
}

export type Programs = Readonly<Record<string, string>>;

/**
 * The folder has to exist, with access only for this user. Writes at once: two dozen small files take a quarter of the
 * time that they take by the thread pool.
 */
export function fillKeyFolder(folder: KeyFolder, files: KeyFiles): void {
  mkdirSync(folder.programs, { mode: 0o700 });
  mkdirSync(join(folder.path, 'keys'), { mode: 0o700 });
  const texts: Record<string, string> = {
    [folder.knownHosts]: files.knownHosts,
    [join(folder.path, 'strict')]: `${files.strictHostKeyChecking}\n`,
    [join(folder.path, 'routes')]: files.routes,
    [join(folder.path, 'before')]: `${files.before.folder}\n`,
    [join(folder.path, 'agent-before')]:
      `${files.before.agent === undefined ? '' : files.before.agent || 'none'}\n`,
  };
  if (files.signing) texts[join(folder.path, 'signing')] = files.signing;
  for (const [number, { publicKey, certificate }] of files.identities.entries()) {
    texts[publicKeyFile(folder, number)] = `${publicKey}\n`;
    if (certificate) texts[certificateFile(folder, number)] = `${certificate}\n`;
  }
  for (const [path, text] of Object.entries(texts)) writeFileSync(path, text, exclusively);
  for (const [name, text] of Object.entries(files.programs))
    writeFileSync(join(folder.programs, name), text, executable);
}

/**
 * Whether its programs can be started by name. On a disk that is mounted noexec they cannot, whatever their mode is.
 *
 * @source access(2), EACCES; mount(8), noexec
 */
export async function canStart({ ssh }: Pick<KeyFolder, 'ssh'>): Promise<boolean> {
  return await access(ssh, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** @param number index of the key, in the order written */
export function publicKeyFile({ path }: Pick<KeyFolder, 'path'>, number: number): string {
  return join(path, 'keys', `${number}.pub`);
}

export function certificateFile({ path }: Pick<KeyFolder, 'path'>, number: number): string {
  return join(path, 'keys', `${number}-cert.pub`);
}
