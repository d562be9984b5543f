/** Where one row runs: a folder with disks of its own, which only the row's programs see. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Namespace, type Ended } from './namespace.ts';
import { mountOf, user, type LocalTrouble } from './troubles.ts';

/** Seconds: what a program is given, and the most that a row in trouble may take. */
export const timeout = 8;
export const limit = 30;

export interface Wanted {
  /** Names of folders that are disks. */
  readonly disks: readonly string[];
  readonly folders: readonly string[];
  readonly trouble: LocalTrouble;
  /** Lines of sh that mount more. */
  readonly mounts: (folder: string) => readonly string[];
}

export class Stand {
  readonly folder: string;
  readonly namespace: Namespace;
  /** The words in front of a program that runs as the row's user. */
  readonly as: readonly string[];
  readonly #disks: readonly string[];

  private constructor(folder: string, namespace: Namespace, { disks, trouble }: Wanted) {
    [this.folder, this.namespace, this.#disks] = [folder, namespace, disks];
    this.as =
      trouble.byUser === true ? ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups'] : [];
  }

  static async open(wanted: Wanted): Promise<Stand> {
    const { disks, folders, trouble, mounts } = wanted;
    const folder = mkdtempSync(join(tmpdir(), 'local-'));
    chmodSync(folder, 0o755);
    for (const name of [...disks, ...folders]) mkdirSync(join(folder, name));
    const paths = disks.map((name) => join(folder, name));
    const all = paths.map((path) => `'${path}'`).join(' ');
    const owner = trouble.byUser === true ? user : userInfo().uid;
    const lines = [...paths.map(mountOf), `chmod 700 ${all}`, `chown ${owner}:${owner} ${all}`];
    const namespace = await Namespace.open([...lines, ...mounts(folder)].join('\n'));
    return new Stand(folder, namespace, wanted);
  }

  async byRoot(script: string, env: Readonly<Record<string, string>>): Promise<Ended> {
    return await this.namespace.run(['bash', '-c', script], { cwd: this.folder, env });
  }

  /** What the disks have on them. */
  async files(): Promise<string[]> {
    const env = { PATH: process.env['PATH'] ?? '' };
    const { stdout } = await this.byRoot(`find ${this.#disks.join(' ')} -mindepth 1`, env);
    return stdout.split('\n').filter(Boolean);
  }

  close(): void {
    this.namespace.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** What was ended may take a moment. @returns what is still there after it */
export async function stillThere(find: () => string[]): Promise<string[]> {
  const until = Date.now() + 3000;
  while (find().length > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
  return find();
}
