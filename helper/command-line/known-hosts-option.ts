/** `--known-hosts FILE` of exec and rotate → known_hosts with the pinned keys. */
import { readGivenFile } from '../../src/process/read-given-file.ts';
import { invalid } from './parse.ts';

/** Bytes. */
const mostBytes = 16_777_216;

/**
 * @param file as the option names it
 * @throws INPUT_INVALID, KNOWN_HOSTS_INVALID
 */
export async function readKnownHosts(file: string | undefined, signal: AbortSignal): Promise<string> {
  // Loaded here: the pinned keys are large, and the help of a command does not need them.
  const { renderKnownHosts } = await import('../../src/ssh/known-hosts.ts');
  if (file === undefined) return renderKnownHosts('');
  const bytes = await readGivenFile(file, { signal, most: mostBytes }).catch((error: unknown) => {
    signal.throwIfAborted();
    const why = error instanceof Error ? error.message : '';
    throw invalid(`--known-hosts cannot be read: ${why}`, 'write the path of a file in known_hosts form');
  });
  return renderKnownHosts(bytes.toString('utf8'));
}
