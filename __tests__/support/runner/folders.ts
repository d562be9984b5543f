/** A job's folders in the runner's layout, and their files. */
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Folders {
  readonly root: string;
  readonly temp: string;
  readonly home: string;
  readonly workspace: string;
  readonly runnerWorkspace: string;
  readonly toolCache: string;
  readonly eventFile: string;
}

export interface FoundFile {
  readonly path: string;
  readonly kind: 'file' | 'socket' | 'symlink' | 'directory' | 'other';
  /** Permission bits: `0o600`. */
  readonly mode: number;
}

/** Short names, because a socket's path has at most 103 bytes on macOS, and its temporary folder takes 58. */
export function makeFolders(event: unknown): Folders {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'job-')));
  const runnerWorkspace = join(root, 'app');
  const folders = {
    root,
    temp: join(root, '_temp'),
    home: join(root, 'home'),
    workspace: join(runnerWorkspace, 'app'),
    runnerWorkspace,
    toolCache: join(root, '_tool'),
    eventFile: join(root, 'event.json'),
  };
  const { temp, home, workspace, toolCache } = folders;
  for (const folder of [temp, home, workspace, toolCache]) mkdirSync(folder, { recursive: true });
  writeFileSync(folders.eventFile, JSON.stringify(event));
  return folders;
}

/** Everything below the folders, including folders; without the runner's own folder for command files. */
export function filesBelow(folders: readonly string[]): FoundFile[] {
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name !== '_runner_file_commands')
      .sort()
      .flatMap((name) => {
        const path = join(folder, name);
        const stats = lstatSync(path);
        const found: FoundFile = { path, kind: kindOf(stats), mode: stats.mode & 0o7777 };
        return found.kind === 'directory' ? [found, ...filesBelow([path])] : [found];
      }),
  );
}

function kindOf(stats: ReturnType<typeof lstatSync>): FoundFile['kind'] {
  if (stats?.isFile()) return 'file';
  if (stats?.isSocket()) return 'socket';
  if (stats?.isSymbolicLink()) return 'symlink';
  return stats?.isDirectory() ? 'directory' : 'other';
}
