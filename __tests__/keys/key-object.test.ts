/** Public keys that are longer than OpenSSL's own buffer: it leaves an error behind, which fails the next key that is read. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { keyObjectOf } from '../../src/keys/key-object.ts';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { parsePublicKeyLine } from '../../src/keys/public-key-line.ts';
import { mpint, string } from '../../src/keys/wire.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const long = Buffer.concat([string('ssh-rsa'), mpint(Buffer.of(1, 0, 1)), mpint(Buffer.alloc(2049, 0xff))]);

describe('an RSA key of more than 16,384 bits', () => {
  it('that a host shows does not change how the next private key is read', () => {
    expect(keyObjectOf(long)).toBeUndefined();
    expect(parsePrivateKey(pem, '/ci/key').publicKey.type).toBe('ssh-rsa');
  });

  it('that is to be signed does not change how the key of the authority is read', () => {
    expect(parsePublicKeyLine(`ssh-rsa ${long.toString('base64')}`, 'key.pub').type).toBe('ssh-rsa');
    expect(parsePrivateKey(pem, '/ci/key').publicKey.type).toBe('ssh-rsa');
  });
});
