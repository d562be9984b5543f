/** `rotate`: replace a stored key, or a key in KMS, by a new one, so that the name always reads a key that the host accepts. */
import { command } from '../command-line/command.ts';
import { rotateOptions } from '../rotate/options.ts';

export const rotate = command({
  name: 'rotate',
  summary: 'Replace a key by a new one, without a moment of failure',
  synopsis: 'NAME [OPTION …]',
  examples: [
    [
      'rotate /ci/deploy-key --github-repo acme/lib --token /rotate/github-token',
      'register, prove and store a new key; the old one works, too',
    ],
    [
      'rotate /ci/deploy-key --github-repo acme/lib --token /rotate/github-token --finish',
      'remove the old public key, when no job uses it any more',
    ],
    [
      'rotate kms:alias/deploy --github-repo acme/lib --token /rotate/github-token',
      'make a new KMS key, register and prove it, and move the alias to it',
    ],
    ['rotate /ci/deploy-key', 'make a new key, and print the public key to register by hand'],
    [
      'rotate /ci/deploy-key --registered --test git@github.com:acme/lib.git',
      'go on after you have registered it',
    ],
  ],
  options: rotateOptions,
  run: async (line, running) => {
    // Loaded here, because other commands do not need it.
    const { runRotate } = await import('../rotate/run-rotate.ts');
    return await runRotate(line, running);
  },
});
