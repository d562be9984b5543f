/** `put`: check a private key, repair its text, store it, and print its public half. */
import { command } from '../command-line/command.ts';
import { storeOptions } from '../store/options.ts';

export const put = command({
  name: 'put',
  summary: 'Check a private key, store it, and print its public key',
  synopsis: 'NAME [FILE] [OPTION …]',
  examples: [
    ['put /ci/deploy-key ~/.ssh/id_ed25519', 'from a file'],
    ['put /ci/deploy-key', 'from standard input: a pipe, or what you paste'],
    ['put kms:alias/deploy FILE', 'into a new KMS key, so that the host keeps the public key it knows'],
    ['put /ci/deploy-key FILE --overwrite', 'a new version of a key that exists'],
  ],
  options: storeOptions,
  run: async (line, running) => {
    // Loaded here, because other commands do not need it.
    const { putKey } = await import('../store/put-key.ts');
    return await putKey(line, running);
  },
});
