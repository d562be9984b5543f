/** The host keys that a command's connections are held to: the pinned ones, and those of a file. */
import { readFile } from 'node:fs/promises';
import { renderKnownHosts } from '../../src/ssh/known-hosts.ts';
import { invalid } from './parse.ts';

/**
 * @param file as `--known-hosts` names it
 * @throws INPUT_INVALID, KNOWN_HOSTS_INVALID
 */
export async function readKnownHosts(file: string | undefined): Promise<string> {
  if (file === undefined) return renderKnownHosts('');
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : '';
    throw invalid(`--known-hosts cannot be read: ${why}`, 'write the path of a file in known_hosts form');
  });
  return renderKnownHosts(text);
}
