/** Files in the agent's folder. They are written atomically, because other processes read them at any time. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The temporary file's name begins with a dot, which the shell's patterns do not match. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const fresh = join(dirname(path), `.${randomUUID()}`);
  try {
    await writeFile(fresh, text, { flag: 'wx', mode: 0o600 });
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

/** Number of compiled configurations that are kept. The oldest is removed. */
const mostKept = 16;

/** Keeps a compiled configuration for the shell. */
export async function keepCompiled(text: string, state: string): Promise<void> {
  const folder = join(state, 'compiled');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeWhole(join(folder, randomUUID()), text);
  const names = await readdir(folder);
  const paths = names.filter((name) => !name.startsWith('.')).map((name) => join(folder, name));
  if (paths.length <= mostKept) return;
  const dated = await Promise.all(
    paths.map(async (path) => ({
      path,
      at: await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    })),
  );
  dated.sort((a, b) => a.at - b.at);
  for (const { path } of dated.slice(0, -mostKept)) await rm(path, { force: true });
}
