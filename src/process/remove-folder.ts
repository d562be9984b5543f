/** Removes a folder with everything in it, also while other processes write there. */
import { rm } from 'node:fs/promises';

/**
 * If a file arrives after the folder was listed, its removal fails (ENOTEMPTY). So it is tried again, for about a second: a
 * process that writes steadily needs more than one pause.
 */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
}
