/** Public keys of security keys, and their signatures. */
import { describe, expect, it } from '@jest/globals';
import { isSecurityKey, isSignedBySecurityKey, softwareType } from '../../src/keys/security-key.ts';
import { string, WireReader } from '../../src/keys/wire.ts';
import { memorySigner } from '../support/memory-signer.ts';
import { securityKey } from '../support/security-key.ts';

const data = Buffer.from('what is signed');
const kinds = (['ed25519', 'nistp256'] as const).map((kind) => ({ kind, key: securityKey(kind) }));

/** The fields of a signature: its type, the signature itself, the flags and the counter. */
function fieldsOf(signature: Buffer): {
  readonly type: Buffer;
  readonly raw: Buffer;
  readonly state: Buffer;
} {
  const reader = new WireReader(signature);
  return { type: reader.string(), raw: reader.string(), state: reader.rest };
}

describe.each(kinds)('a security key ($kind)', ({ kind, key }) => {
  it('is recognised by its public key', () => {
    expect(isSecurityKey(key.blob)).toBe(true);
  });

  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['a key in software', memorySigner(kind).publicKey.blob],
    ['a key without its application', key.blob.subarray(0, -string('ssh:').length)],
    ['a key that is cut off', key.blob.subarray(0, -1)],
    ['a key with more behind it', Buffer.concat([key.blob, Buffer.of(0)])],
    ['a type without a key', string('sk-ssh-ed25519@openssh.com')],
    [
      'a key without its point',
      Buffer.concat([string('sk-ssh-ed25519@openssh.com'), string(''), string('')]),
    ],
    ['a type that every object has', string('constructor')],
  ])('is not recognised in %s', (_, blob) => {
    expect(isSecurityKey(blob)).toBe(false);
    expect(isSignedBySecurityKey(blob, { data, signature: key.sign(data) })).toBe(false);
  });

  it('signs data, and the signature is right for these data and this key only', () => {
    const signature = key.sign(data);
    expect(isSignedBySecurityKey(key.blob, { data, signature })).toBe(true);
    expect(isSignedBySecurityKey(key.blob, { data: Buffer.from('other data'), signature })).toBe(false);
    expect(isSignedBySecurityKey(securityKey(kind).blob, { data, signature })).toBe(false);
  });

  it('signs for its application only', () => {
    const signature = key.sign(data);
    const elsewhere = Buffer.concat([key.blob.subarray(0, -string('ssh:').length), string('ssh:other')]);
    expect(isSecurityKey(elsewhere)).toBe(true);
    expect(isSignedBySecurityKey(elsewhere, { data, signature })).toBe(false);
  });

  const { type, raw, state } = fieldsOf(key.sign(data));
  const flipped = Buffer.from(raw);
  flipped.writeUInt8(flipped.readUInt8(20) ^ 1, 20);
  it.each<[string, readonly Buffer[]]>([
    ['of another type', [string('ssh-ed25519'), string(raw), state]],
    ['without flags and counter', [string(type), string(raw)]],
    ['with a byte missing at its end', [string(type), string(raw), state.subarray(1)]],
    ['with a byte more at its end', [string(type), string(raw), state, Buffer.of(0)]],
    ['with another counter', [string(type), string(raw), Buffer.from([1, 0, 0, 0, 8])]],
    ['with other flags', [string(type), string(raw), Buffer.from([0, 0, 0, 0, 7])]],
    ['with a changed bit', [string(type), string(flipped), state]],
    ['without a signature', [string(type), string(''), state]],
    ['cut off in its type', [string(type).subarray(0, 10)]],
    ['that is empty', []],
  ])('has made no signature %s', (_, parts) => {
    expect(isSignedBySecurityKey(key.blob, { data, signature: Buffer.concat(parts) })).toBe(false);
  });
});

describe('the type of a security key', () => {
  it.each([
    ['sk-ssh-ed25519@openssh.com', 'ssh-ed25519'],
    ['sk-ecdsa-sha2-nistp256@openssh.com', 'ecdsa-sha2-nistp256'],
    ['ssh-ed25519', undefined],
    ['sk-ssh-rsa@openssh.com', undefined],
    ['constructor', undefined],
    ['', undefined],
  ])('%j is that of %j in software', (type, software) => {
    expect(softwareType(type)).toBe(software);
  });
});
