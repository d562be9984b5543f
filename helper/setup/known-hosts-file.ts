/** The file of host keys that setup is told of. */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Failure } from '../../src/errors.ts';
import { quoteForShell } from '../../src/process/quote.ts';

/**
 * @returns the whole path, which is right in every folder
 * @throws INPUT_INVALID where it cannot be read, KNOWN_HOSTS_INVALID naming the line
 */
export async function readKnownHosts(file: string): Promise<string> {
  const path = resolve(file);
  // ssh takes the quote for the end of the path (ssh_config(5)).
  if (/["\r\n]/.test(path))
    throw new Failure('INPUT_INVALID', `--known-hosts has a quote or a line end in its path: ${path}`, {
      hint: 'rename the file',
    });
  await requireFile(path);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new Failure('INPUT_INVALID', `--known-hosts: ${path} cannot be read: ${why}`, {
      hint: `make it: ssh-keyscan HOST >${quoteForShell(path)}, and compare the keys with what the host publishes`,
      cause,
    });
  });
  // Loaded here: it has the pinned keys, which are large.
  const { renderKnownHosts } = await import('../../src/ssh/known-hosts.ts');
  try {
    renderKnownHosts(text);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(error.code, error.message.replace(/^known-hosts/, `--known-hosts ${path}`), {
      hint: error.hint,
      cause: error,
    });
  }
  return path;
}

/** ssh reads the file again for each connection: a pipe has its text only once, and may have no writer. */
async function requireFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found || found.isFile() || found.isDirectory()) return;
  throw new Failure('INPUT_INVALID', `--known-hosts: ${path} is not a file`, {
    hint: 'write the lines to a file: ssh reads it for each connection',
  });
}
