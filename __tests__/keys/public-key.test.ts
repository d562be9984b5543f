/** Fingerprints and public key lines are those of ssh-keygen. */
import { describe, expect, it } from '@jest/globals';
import { authorizedKeysLine, fingerprint } from '../../src/keys/public-key.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { fingerprintOfLine } from '../support/keygen.ts';

describe.each([{ type: 'ed25519' }, { type: 'rsa' }, { type: 'ecdsa', bits: 521 }] as const)(
  'a public key (%j)',
  (options) => {
    it.each(['', 'a comment with spaces'])(
      'has the line and fingerprint of ssh-keygen (comment %j)',
      async (comment) => {
        const { publicKey } = await makeSshKey({ ...options, comment });
        const [type = '', base64 = ''] = publicKey.split(' ');
        const key = { type, blob: Buffer.from(base64, 'base64'), comment };
        expect(authorizedKeysLine(key)).toBe(publicKey);
        expect(fingerprint(key)).toBe(fingerprintOfLine(publicKey));
      },
    );
  },
);
