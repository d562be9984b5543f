/** The options of keygen and put. Apart from their code, because --help of every command loads this file. Pure. */
import type { KeyType } from '../../src/keys/generate-key.ts';
import type { Options } from '../command-line/parse.ts';

export const keyTypes = ['ed25519', 'ecdsa', 'rsa'] as const satisfies KeyType[];

export const storeOptions = {
  overwrite: {
    type: 'boolean',
    help: 'store a new version if the name exists; the old version stays readable',
  },
  secretsmanager: { type: 'boolean', help: 'NAME is a secret of Secrets Manager, not a parameter' },
  'kms-key-id': {
    ...({ type: 'string', value: 'KEY' } as const),
    help: "the KMS key that encrypts it: id, alias/NAME or ARN (default: the present version's, or the account's own)",
  },
  tier: {
    ...({ type: 'string', value: 'TIER' } as const),
    choices: ['standard', 'advanced', 'intelligent-tiering'],
    help: 'of a parameter: standard, advanced or intelligent-tiering (default: the last one)',
  },
  tag: {
    type: 'string',
    multiple: true,
    value: 'KEY=VALUE',
    help: 'a tag; write the option once for each tag',
  },
  description: { type: 'string', value: 'TEXT', help: 'what the key is for; not encrypted' },
} as const satisfies Options;

export const keygenOptions = {
  type: {
    ...({ type: 'string', value: 'TYPE' } as const),
    choices: keyTypes,
    help: 'ed25519, ecdsa or rsa (default ed25519)',
  },
  bits: {
    ...({ type: 'string', value: 'N' } as const),
    help: 'rsa: 2048 to 8192 (default 3072); ecdsa: 256, 384 or 521 (default 256)',
  },
  comment: {
    ...({ type: 'string', value: 'TEXT' } as const),
    help: 'stands at the end of the public key (default: the name and the date)',
  },
  ...storeOptions,
} as const satisfies Options;
