/** Public keys as KMS has them, and signatures in SSH's form, checked with Node's crypto and ssh-keygen. */
import { createPublicKey, generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { memorySigner } from '../../src/keys/memory-signer.ts';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { generateKey, parseKeyKind } from '../../src/keys/generate-key.ts';
import { algorithmsOf, hashes, writeSignature } from '../../src/keys/signature.ts';
import type { SignatureAlgorithm } from '../../src/keys/signer.ts';
import { readSpki } from '../../src/keys/spki.ts';
import { WireReader } from '../../src/keys/wire.ts';
import { makeSshKey, type SshKeyOptions } from '../support/ssh-keys.ts';
import { signMessage, verifyMessage } from '../support/sshsig.ts';

const kinds: readonly SshKeyOptions[] = [
  { type: 'ed25519' },
  { type: 'rsa', format: 'PEM' },
  { type: 'ecdsa', format: 'PEM' },
  { type: 'ecdsa', bits: 384, format: 'PEM' },
  { type: 'ecdsa', bits: 521, format: 'PEM' },
];
const keys = await Promise.all(kinds.map(makeSshKey));
const forever = new AbortController().signal;

/** The key as Node has it. Only Node reads Ed25519 in PKCS#8, and only OpenSSH reads its own format. */
function spkiOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

describe('a SubjectPublicKeyInfo', () => {
  it.each(keys.slice(1).map((key) => [key.publicKey.split(' ')[0], key] as const))(
    'of %s is the key that ssh-keygen writes',
    (type, { privateKey, publicKey }) => {
      const key = readSpki(spkiOf(createPublicKey(privateKey)));
      expect([key?.type, key?.blob.toString('base64')]).toEqual([type, publicKey.split(' ')[1]]);
    },
  );

  it('of Ed25519 is the key that ssh-keygen writes', () => {
    const blob = keys[0]?.publicKey.split(' ')[1] ?? '';
    const x = Buffer.from(blob, 'base64').subarray(-32).toString('base64url');
    const der = spkiOf(createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }));
    expect(readSpki(der)).toEqual({ type: 'ssh-ed25519', blob: Buffer.from(blob, 'base64') });
  });

  it('of a type that SSH does not have is none', () => {
    const others = [
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('x25519'),
      generateKeyPairSync('ed448'),
    ];
    for (const { publicKey } of others) expect(readSpki(spkiOf(publicKey))).toBeUndefined();
    expect(readSpki(Buffer.from('nothing'))).toBeUndefined();
  });
});

describe('a key in memory', () => {
  const cases = keys.flatMap(({ privateKey, publicKey }) =>
    algorithmsOf(publicKey.split(' ')[0] ?? '').map((algorithm) => [algorithm, privateKey] as const),
  );

  it('has each algorithm but SHA-1', () => {
    expect(cases.map(([algorithm]) => algorithm).sort()).toEqual(Object.keys(hashes).sort());
    expect([algorithmsOf('ssh-dss'), algorithmsOf('constructor')]).toEqual([[], []]);
  });

  it.each(cases)('signs by %s what ssh-keygen verifies', async (algorithm, text) => {
    const signer = memorySigner(parsePrivateKey(text, '/k'));
    const signature = await signMessage(signer, 'a commit', algorithm);
    expect(await verifyMessage(signer, 'a commit', signature)).toMatch(/^Good "git" signature/);
    expect(await verifyMessage(signer, 'another', signature)).not.toContain('Good');
  });

  it.each(['ed25519', 'ecdsa', 'rsa'])('of type %s may be made for one use', async (type) => {
    const signer = memorySigner(await generateKey(parseKeyKind(type), 'new'));
    const [algorithm = 'ssh-ed25519'] = signer.algorithms;
    const signature = await signMessage(signer, 'text', algorithm);
    expect(await verifyMessage(signer, 'text', signature)).toMatch(/^Good "git" signature/);
  });

  it('refuses the algorithms of other keys, and SHA-1', async () => {
    const signer = memorySigner(parsePrivateKey(keys[1]?.privateKey ?? '', '/k'));
    for (const algorithm of ['ssh-ed25519', 'ssh-rsa'])
      await expect(signer.sign(Buffer.of(1), algorithm as SignatureAlgorithm, forever)).rejects.toMatchObject(
        {
          code: 'SIGNATURE_REFUSED',
          message: expect.stringContaining(`does not sign by ${algorithm}`),
        },
      );
  });

  it('does not sign for a caller that has left', async () => {
    const signer = memorySigner(parsePrivateKey(keys[0]?.privateKey ?? '', '/k'));
    const reason = new Error('left');
    const work = signer.sign(Buffer.of(1), 'ssh-ed25519', AbortSignal.abort(reason));
    await expect(work).rejects.toBe(reason);
  });
});

describe('the signature of ECDSA', () => {
  const der = (...numbers: readonly Buffer[]): Buffer => {
    const body = Buffer.concat(numbers.map((number) => Buffer.concat([Buffer.of(2, number.length), number])));
    const length = body.length < 128 ? [body.length] : [0x81, body.length];
    return Buffer.concat([Buffer.of(0x30, ...length), body]);
  };

  it('has its numbers without needless zeros, and with the one for the sign', () => {
    const signature = writeSignature('ecdsa-sha2-nistp256', der(Buffer.of(0, 0x80, 1), Buffer.of(0x7f)));
    const reader = new WireReader(signature);
    expect(reader.string().toString()).toBe('ecdsa-sha2-nistp256');
    expect(reader.string().toString('hex')).toBe('00000003008001000000017f');
    expect(reader.rest.length).toBe(0);
  });

  it('of 521 bits has a length of two bytes in DER', () => {
    const number = Buffer.concat([Buffer.of(1), Buffer.alloc(65, 0xff)]);
    const reader = new WireReader(writeSignature('ecdsa-sha2-nistp521', der(number, number)));
    reader.string();
    expect(reader.string().length).toBe(2 * (4 + 66));
  });

  it.each([
    ['', 'nothing'],
    ['30', 'no length'],
    ['3006020101020101ff', 'more behind it'],
    ['300602010102', 'cut off'],
    ['3106020101020101', 'no sequence'],
    ['3006030101020101', 'no integer'],
    ['3006020181020101', 'a negative number'],
    ['300502000201 01'.replace(' ', ''), 'an empty number'],
    ['3009020101020101020101', 'three numbers'],
    ['308006020101020101', 'no definite length'],
  ])('%s is refused: %s', (hex) => {
    expect(() => writeSignature('ecdsa-sha2-nistp256', Buffer.from(hex, 'hex'))).toThrow(RangeError);
  });

  it('of any bytes is a signature or a RangeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), fc.boolean(), (bytes, isSequence) => {
        const text = Buffer.from([...(isSequence ? [0x30, bytes.length] : []), ...bytes]);
        try {
          return writeSignature('ecdsa-sha2-nistp256', text).length > 0;
        } catch (error) {
          return error instanceof RangeError;
        }
      }),
    );
  });

  it('is the one that Node makes, whatever the first bits of its numbers', async () => {
    const signer = memorySigner(await generateKey(parseKeyKind('ecdsa'), 'new'));
    const { blob } = signer.publicKey;
    const point = blob.subarray(-64);
    const [x, y] = [point.subarray(0, 32), point.subarray(32)].map((half) => half.toString('base64url'));
    const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' }, format: 'jwk' });
    for (let count = 0; count < 300; count++) {
      const data = Buffer.from(String(count));
      const reader = new WireReader(await signer.sign(data, 'ecdsa-sha2-nistp256', forever));
      reader.string();
      const numbers = new WireReader(reader.string());
      const [r, s] = [numbers.string(), numbers.string()];
      expect(verify('sha256', data, key, der(r, s))).toBe(true);
    }
  });
});
