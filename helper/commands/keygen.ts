/** `keygen`: make a key in memory, store it, and print its public half. */
import { command } from '../command-line/command.ts';
import { keygenOptions } from '../store/options.ts';

export const keygen = command({
  name: 'keygen',
  summary: 'Make a key, store it or keep it in KMS, and print the public key',
  synopsis: 'NAME [OPTION …]',
  examples: [
    ['keygen /ci/deploy-key', 'an Ed25519 key in a SecureString parameter'],
    ['keygen /ci/azure-key --type rsa --bits 4096', 'an RSA key, for Azure DevOps'],
    ['keygen kms:alias/deploy', 'a key in KMS, which signs there and can be read by nobody'],
    ['keygen --secretsmanager ci/deploy:private_key', 'in the member private_key of a JSON secret'],
  ],
  options: keygenOptions,
  run: async (line, running) => {
    // Loaded here, because other commands do not need it.
    const { makeKey } = await import('../store/make-key.ts');
    return await makeKey(line, running);
  },
});
