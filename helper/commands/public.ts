/** `public`: print the public keys of stored keys, and of keys in KMS. */
import { command } from '../command-line/command.ts';
import { publicOptions } from '../public/options.ts';

export const printPublic = command({
  name: 'public',
  summary: 'Print the public keys of stored keys and of keys in KMS, one line each',
  synopsis: 'REF … [OPTION …]',
  examples: [
    ['public /ci/deploy-key', 'as in authorized_keys'],
    ["public '/ci/deploy-key passphrase=/ci/passphrase'", 'of a key that has a passphrase'],
    ['public --json /ci/deploy-key:1 /ci/deploy-key', 'of two versions, for a program'],
    ['public kms:alias/deploy', 'of a key that stays in KMS'],
    ['public --allowed-signers --principal ci@example.com kms:alias/deploy', 'to verify signed commits'],
  ],
  options: publicOptions,
  run: async (line, running) => {
    // Loaded here, because other commands do not need it.
    const { printKeys } = await import('../public/print-keys.ts');
    return await printKeys(line, running);
  },
});
