/** The options of rotate. Apart from its code, because --help of every command loads this file. Pure. */
import type { Options } from '../command-line/parse.ts';
import { keyTypes } from '../store/options.ts';

export const rotateOptions = {
  'github-repo': {
    type: 'string',
    value: 'OWNER/REPO',
    help: 'the repository on GitHub whose deploy key it is',
  },
  'gitlab-project': { type: 'string', value: 'ID', help: 'the project on GitLab: its number, or GROUP/NAME' },
  'api-url': {
    ...({ type: 'string', value: 'URL' } as const),
    help: 'the API of your own server: https://HOST/api/v3 for GitHub, https://HOST/api/v4 for GitLab',
  },
  token: {
    ...({ type: 'string', value: 'REF' } as const),
    help: 'where the token for the API is stored: a token, or the JSON of a GitHub App',
  },
  registered: { type: 'boolean', help: 'you have registered the new public key yourself' },
  test: {
    ...({ type: 'string', value: 'URL' } as const),
    help: 'the ssh address of a repository that the key opens (default: the one of --github-repo or --gitlab-project)',
  },
  type: {
    ...({ type: 'string', value: 'TYPE' } as const),
    choices: keyTypes,
    help: 'ed25519, ecdsa or rsa (default: the type of the old key)',
  },
  'known-hosts': { type: 'string', value: 'FILE', help: 'host keys beside the pinned ones' },
  finish: { type: 'boolean', help: 'remove the old public key from the host: the last step' },
  abort: { type: 'boolean', help: 'go back to the old key, and remove the new one' },
} as const satisfies Options;
