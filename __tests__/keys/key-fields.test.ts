/** Keys with public and private numbers that do not match: OpenSSH refuses to read them, but an agent does not. */
import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { readOpensshKey, writeOpensshKey, type OpensshKey } from '../../src/keys/openssh-key.ts';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { failureOf, leakOf } from '../support/failure-of.ts';
import { publicHalf } from '../support/keygen.ts';
import { makeSshKey, type SshKeyOptions } from '../support/ssh-keys.ts';
import { bodyOf } from '../support/stored-forms.ts';

const kinds = [
  { type: 'ed25519' },
  { type: 'ecdsa', bits: 256 },
  { type: 'ecdsa', bits: 521 },
  { type: 'rsa' },
] as const satisfies SshKeyOptions[];

const read = (file: string): OpensshKey => readOpensshKey(Buffer.from(bodyOf(file), 'base64'), '/ci/key');

/** The file with one field replaced. */
const written = (key: OpensshKey, at: number, field: Buffer): string =>
  writeOpensshKey({ ...key, fields: key.fields.with(at, field) });

describe.each(kinds)('a key of %j', (kind) => {
  it('is accepted with its own numbers, and refused with one of another key', async () => {
    const [one, other] = (await Promise.all([makeSshKey(kind), makeSshKey(kind)])).map(({ privateKey }) =>
      read(privateKey),
    );
    if (!one || !other) throw new Error('there are two');
    expect(publicHalf(writeOpensshKey(one))).toContain(one.publicKey.type);
    for (const [at, field] of one.fields.entries()) {
      const strange = other.fields[at] ?? Buffer.alloc(0);
      if (strange.equals(field)) continue; // The curve's name, the public exponent.
      const file = written(one, at, strange);
      const failure = failureOf(() => read(file));
      expect([at, failure.code]).toEqual([at, 'KEY_MALFORMED']);
      expect(leakOf(failure, bodyOf(file))).toBeUndefined();
    }
  });

  it('is refused with the public key of another one', async () => {
    const [one, other] = (await Promise.all([makeSshKey(kind), makeSshKey(kind)])).map(({ privateKey }) =>
      read(privateKey),
    );
    if (!one || !other) throw new Error('there are two');
    const file = writeOpensshKey({ ...one, publicKey: other.publicKey });
    expect(failureOf(() => read(file)).code).toBe('KEY_MALFORMED');
    expect(() => publicHalf(file)).toThrow();
  });

  it.each([
    ['empty', () => Buffer.alloc(0)],
    ['zero', () => Buffer.alloc(1)],
    ['negative', (field: Buffer) => Buffer.concat([Buffer.of(0xff), field])],
    ['shorter by a byte', (field: Buffer) => field.subarray(0, -1)],
    ['longer by a byte', (field: Buffer) => Buffer.concat([field, Buffer.of(1)])],
  ])('with a field that is %s is a Failure, and no other error', async (_, change) => {
    const key = read((await makeSshKey(kind)).privateKey);
    for (const [at, field] of key.fields.entries()) {
      const { code } = failureOf(() => read(written(key, at, change(field))));
      expect(['KEY_MALFORMED', 'KEY_UNSUPPORTED']).toContain(code);
    }
  });
});

describe('an RSA key that is too short for OpenSSH', () => {
  it.each(['pkcs1', 'pkcs8'] as const)('is KEY_UNSUPPORTED, with its length (%s)', (type) => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1016 });
    const file = privateKey.export({ type, format: 'pem' }).toString();
    const failure = failureOf(() => parsePrivateKey(file, '/ci/key'));
    expect(failure.code).toBe('KEY_UNSUPPORTED');
    expect(failure.message).toBe(
      'the private key in /ci/key is an RSA key of 1016 bits: OpenSSH accepts none below 1024',
    );
    expect(failure.hint).toContain('ssh-keygen -t ed25519');
  });
});
