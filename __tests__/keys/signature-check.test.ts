/** Signatures in wire form, and the public keys that verify them. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { keyObjectOf } from '../../src/keys/key-object.ts';
import { verifiedAlgorithm } from '../../src/keys/signature-check.ts';
import { algorithmsOf, hashes, writeSignature } from '../../src/keys/signature.ts';
import { readSpki } from '../../src/keys/spki.ts';
import { joinFields, mpint, string, WireReader } from '../../src/keys/wire.ts';
import { memorySigner, type SignerType } from '../support/memory-signer.ts';

const forever = new AbortController().signal;
const data = Buffer.from('what is signed');
const signers = new Map(
  (['ed25519', 'rsa', 'nistp256', 'nistp384', 'nistp521'] as const).map((type) => [type, memorySigner(type)]),
);
const signerOf = (type: SignerType): ReturnType<typeof memorySigner> => {
  const signer = signers.get(type);
  if (!signer) throw new Error(type);
  return signer;
};

/** The numbers of an ECDSA signature, made anew until they are as wanted. */
function numbersLike(isWanted: (r: Buffer) => boolean): { readonly r: Buffer; readonly s: Buffer } {
  const { privateKey } = pair;
  for (;;) {
    const reader = new WireReader(writeSignature('ecdsa-sha2-nistp256', sign('sha256', data, privateKey)));
    reader.string();
    const numbers = new WireReader(reader.string());
    const [r, s] = [numbers.string(), numbers.string()];
    if (isWanted(r)) return { r, s };
  }
}
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pairBlob = readSpki(pair.publicKey.export({ type: 'spki', format: 'der' }))?.blob ?? Buffer.alloc(0);
const inEcdsa = (...fields: readonly Buffer[]): Buffer =>
  Buffer.concat([string('ecdsa-sha2-nistp256'), string(joinFields(fields))]);

describe('a signature', () => {
  it.each([...signers.keys()])(
    'by each algorithm of a key (%s) is right for these data only',
    async (type) => {
      const signer = signerOf(type);
      const { algorithms } = signer;
      for (const algorithm of algorithms) {
        const signature = await signer.sign(data, algorithm, forever);
        expect(verifiedAlgorithm(signer.publicKey.blob, { data, signature })).toBe(algorithm);
        expect(
          verifiedAlgorithm(signer.publicKey.blob, { data: Buffer.from('x'), signature }),
        ).toBeUndefined();
        const more = Buffer.concat([signature, Buffer.of(0)]);
        expect(verifiedAlgorithm(signer.publicKey.blob, { data, signature: more })).toBeUndefined();
        expect(
          verifiedAlgorithm(signer.publicKey.blob, { data, signature: signature.subarray(0, -1) }),
        ).toBeUndefined();
      }
    },
  );

  it.each(['ssh-rsa', 'rsa-sha2-256', 'ssh-ed25519', ''])(
    'has the name of its own algorithm, not %j',
    async (name) => {
      const signer = signerOf('rsa');
      const reader = new WireReader(await signer.sign(data, 'rsa-sha2-512', forever));
      reader.string();
      const signature = Buffer.concat([string(name), reader.rest]);
      expect(verifiedAlgorithm(signer.publicKey.blob, { data, signature })).toBeUndefined();
    },
  );

  it('is not right for a key that is damaged', async () => {
    const signer = signerOf('ed25519');
    const signature = await signer.sign(data, 'ssh-ed25519', forever);
    expect(verifiedAlgorithm(signer.publicKey.blob.subarray(0, -1), { data, signature })).toBeUndefined();
    expect(verifiedAlgorithm(Buffer.alloc(0), { data, signature })).toBeUndefined();
  });

  it('of RSA may lack the zeros at its start', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const { blob = Buffer.alloc(0) } = readSpki(publicKey.export({ type: 'spki', format: 'der' })) ?? {};
    for (let count = 0; ; count++) {
      const text = Buffer.from(`text ${String(count)}`);
      const raw = sign('sha512', text, privateKey);
      if (raw[0] !== 0) continue;
      const signature = Buffer.concat([string('rsa-sha2-512'), string(raw.subarray(1))]);
      expect(verifiedAlgorithm(blob, { data: text, signature })).toBe('rsa-sha2-512');
      return;
    }
  });

  it('of ECDSA has two numbers', () => {
    const { r, s } = numbersLike(() => true);
    expect(verifiedAlgorithm(pairBlob, { data, signature: inEcdsa(r, s) })).toBe('ecdsa-sha2-nistp256');
    expect(verifiedAlgorithm(pairBlob, { data, signature: inEcdsa(r) })).toBeUndefined();
    expect(verifiedAlgorithm(pairBlob, { data, signature: inEcdsa(r, s, s) })).toBeUndefined();
  });

  it.each([0x80, 0x81, 0xff])('of ECDSA has no negative number (%i)', (first) => {
    const { r, s } = numbersLike((number) => number[0] === 0 && number[1] === first);
    expect(verifiedAlgorithm(pairBlob, { data, signature: inEcdsa(r, s) })).toBe('ecdsa-sha2-nistp256');
    expect(verifiedAlgorithm(pairBlob, { data, signature: inEcdsa(r.subarray(1), s) })).toBeUndefined();
  });

  it('of ECDSA has no number that is longer than the curve', () => {
    const { r, s } = numbersLike((number) => number.length === 32);
    const long = Buffer.concat([Buffer.of(0, 0), r]);
    expect(verifiedAlgorithm(pairBlob, { data, signature: inEcdsa(long, s) })).toBeUndefined();
  });
});

describe('the algorithms of a type', () => {
  it.each([
    ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256'], ['sha512', 'sha256']],
    ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256'], ['sha256']],
    ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384'], ['sha384']],
    ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521'], ['sha512']],
    ['ssh-ed25519', ['ssh-ed25519'], [undefined]],
    ['ssh-dss', [], []],
    ['constructor', [], []],
  ])('%s are %j, with the hashes %j', (type, algorithms, hashed) => {
    expect(algorithmsOf(type)).toEqual(algorithms);
    expect(algorithmsOf(type).map((algorithm) => hashes[algorithm])).toEqual(hashed);
  });
});

describe('a public key', () => {
  const rsa = (bits: number): Buffer => {
    const n = Buffer.alloc(Math.ceil(bits / 8), 0xff);
    n.writeUInt8(0xff >> (n.length * 8 - bits));
    return Buffer.concat([string('ssh-rsa'), mpint(Buffer.of(1, 0, 1)), mpint(n)]);
  };

  it.each([...signers])('(%s) is one for Node if it is whole', (_, { publicKey: { blob } }) => {
    expect(keyObjectOf(blob)?.type).toBe('public');
    expect(keyObjectOf(Buffer.concat([blob, Buffer.of(0)]))).toBeUndefined();
    expect(keyObjectOf(blob.subarray(0, -1))).toBeUndefined();
  });

  it.each([
    [1023, undefined],
    [1024, 1024],
    [2048, 2048],
    [16_384, 16_384],
    [16_385, undefined],
  ])('of RSA with %i bits is %j', (bits, length) => {
    expect(keyObjectOf(rsa(bits))?.asymmetricKeyDetails?.modulusLength).toBe(length);
  });

  const point = Buffer.from(pairBlob.subarray(-65));
  const ecdsa = (curve: string, bytes: Buffer, type = 'ecdsa-sha2-nistp256'): Buffer =>
    Buffer.concat([string(type), string(curve), string(bytes)]);
  const compressed = Buffer.concat([Buffer.of(2 + ((point[64] ?? 0) & 1)), point.subarray(1, 33)]);
  it.each<[string, Buffer, boolean]>([
    ['its own curve', ecdsa('nistp256', point), true],
    ['the name of another curve', ecdsa('nistp384', point), false],
    ['no name of its curve', ecdsa('', point), false],
    ['another type', ecdsa('nistp256', point, 'ecdsa-sha2-nistp384'), false],
    ['an unknown type', ecdsa('nistp256', point, 'ecdsa-sha2-nistp224'), false],
    ['a compressed point', ecdsa('nistp256', compressed), false],
    ['another first byte', ecdsa('nistp256', Buffer.concat([Buffer.of(6), point.subarray(1)])), false],
    ['a byte more', ecdsa('nistp256', Buffer.concat([point, Buffer.of(0)])), false],
    ['a point that is not on the curve', ecdsa('nistp256', Buffer.alloc(65, 4)), false],
  ])('of ECDSA with %s is one: %#', (_, blob, isOne) => {
    expect(keyObjectOf(blob) !== undefined).toBe(isOne);
  });
});

describe('the DER of an ECDSA signature', () => {
  const int = (...bytes: number[]): Buffer => Buffer.from([2, bytes.length, ...bytes]);
  const long = (length: number): Buffer => Buffer.concat([Buffer.of(2, length), Buffer.alloc(length, 1)]);
  const sequence = (...parts: readonly Buffer[]): Buffer => {
    const content = Buffer.concat(parts);
    return Buffer.concat([Buffer.of(0x30, content.length), content]);
  };
  const write = (der: Buffer): Buffer => writeSignature('ecdsa-sha2-nistp256', der);

  it('becomes two numbers of SSH', () => {
    expect(write(sequence(int(0, 0x80), int(0x7f)))).toEqual(inEcdsa(Buffer.of(0, 0x80), Buffer.of(0x7f)));
    const content = Buffer.concat([long(64), long(64)]);
    const numbers = inEcdsa(Buffer.alloc(64, 1), Buffer.alloc(64, 1));
    expect(write(Buffer.concat([Buffer.of(0x30, 0x81, content.length), content]))).toEqual(numbers);
  });

  it.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'an element of another kind'],
    ['a tag alone', Buffer.of(0x30), 'an element of another kind'],
    ['a number alone', int(1), 'an element of another kind'],
    ['a number without its length', sequence(Buffer.of(2)), 'an element of another kind'],
    ['one number', sequence(int(1)), 'an element of another kind'],
    ['a negative number', sequence(int(0x80), int(1)), 'not two natural numbers'],
    ['a negative second number', sequence(int(1), int(0xff)), 'not two natural numbers'],
    ['an empty number', sequence(int(), int(1)), 'not two natural numbers'],
    ['three numbers', sequence(int(1), int(1), int(1)), 'not two natural numbers'],
    ['more behind it', Buffer.concat([sequence(int(1), int(1)), Buffer.of(0)]), 'not two natural numbers'],
    [
      'more inside and behind it',
      Buffer.concat([sequence(int(1), int(1), Buffer.of(0)), Buffer.of(0)]),
      'not two natural numbers',
    ],
    ['a number that is cut off', sequence(int(1), Buffer.of(2, 2, 1)), 'longer than the remaining bytes'],
    ['cut off', sequence(int(1), int(1)).subarray(0, -1), 'longer than the remaining bytes'],
    [
      'a length that is not definite',
      Buffer.concat([Buffer.of(0x30, 0x80), long(62), long(62)]),
      'an element of another kind',
    ],
    [
      'a length of two bytes',
      Buffer.concat([Buffer.of(0x30, 0x82), long(63), long(63)]),
      'an element of another kind',
    ],
  ])('is refused if it is %s', (_, der, message) => {
    expect(() => write(der)).toThrow(RangeError);
    expect(() => write(der)).toThrow(message);
  });
});
