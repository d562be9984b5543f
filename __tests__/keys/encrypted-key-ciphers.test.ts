/** Keys that are encrypted here, without a program: each cipher of OpenSSH, and what is refused. */
import { createCipheriv, generateKeyPairSync, randomBytes, type CipherGCMTypes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import bcrypt from 'bcrypt-pbkdf';
import { Failure } from '../../src/errors.ts';
import { decryptKey } from '../../src/keys/encrypted-key.ts';
import { armorOpensshKey, readEnvelope, writeOpensshKey } from '../../src/keys/openssh-key.ts';
import { readPemKey } from '../../src/keys/pem-key.ts';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { string, uint32 } from '../../src/keys/wire.ts';

const passphrase = 'correct horse';
/** The base64 between the BEGIN and END lines. */
const bodyOf = (file: string): string => file.replace(/-----[^-]+-----|\s+/g, '');
const pair = generateKeyPairSync('ed25519');
const key = readPemKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'the key');
const plain = writeOpensshKey(key);
const { blob, section } = readEnvelope(Buffer.from(bodyOf(plain), 'base64'), 'the key');

interface Sealing {
  readonly cipher: string;
  readonly openssl?: readonly [name: string, key: number, iv: number];
  readonly kdf?: string;
  readonly rounds?: number;
  /** Damages the encrypted section and the tag behind it. */
  readonly damage?: (encrypted: Buffer, tag: Buffer) => readonly [encrypted: Buffer, tag: Buffer];
}

/** @source openssh-portable, PROTOCOL.key */
function sealed({ cipher, openssl, kdf = 'bcrypt', rounds = 1, damage }: Sealing): string {
  const [name, keyLength, ivLength] = openssl ?? ['aes-256-ctr', 32, 16];
  const salt = randomBytes(16);
  const derived = Buffer.alloc(keyLength + ivLength);
  const secret = Buffer.from(passphrase);
  bcrypt.pbkdf(secret, secret.length, salt, salt.length, derived, derived.length, Math.min(rounds, 4));
  const [secretKey, iv] = [derived.subarray(0, keyLength), derived.subarray(keyLength)];
  const padded = Buffer.concat([section, Buffer.alloc((16 - (section.length % 16)) % 16)]);
  let tag = Buffer.alloc(0);
  let encrypted;
  if (name.endsWith('-gcm')) {
    const gcm = createCipheriv(name as CipherGCMTypes, secretKey, iv);
    encrypted = Buffer.concat([gcm.update(padded), gcm.final()]);
    tag = gcm.getAuthTag();
  } else {
    const other = createCipheriv(name, secretKey, iv).setAutoPadding(false);
    encrypted = Buffer.concat([other.update(padded), other.final()]);
  }
  const [body, end] = damage?.(encrypted, tag) ?? [encrypted, tag];
  const head = [
    string(cipher),
    string(kdf),
    string(Buffer.concat([string(salt), uint32(rounds)])),
    uint32(1),
  ];
  const bytes = [Buffer.from('openssh-key-v1\0'), ...head, string(blob), string(body), end];
  return armorOpensshKey(Buffer.concat(bytes));
}

const ctr: Sealing = { cipher: 'aes256-ctr' };
const gcm: Sealing = { cipher: 'aes256-gcm@openssh.com', openssl: ['aes-256-gcm', 32, 12] };

async function failureOf(value: string, secret = passphrase): Promise<Failure> {
  const error: unknown = await decryptKey(value, secret, '/ci/key').then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure) return error;
  throw new Error(`no Failure: ${String(error)}`);
}

describe('an encrypted key of OpenSSH', () => {
  it.each<Sealing>([
    { cipher: 'aes128-ctr', openssl: ['aes-128-ctr', 16, 16] },
    { cipher: 'aes192-ctr', openssl: ['aes-192-ctr', 24, 16] },
    { cipher: 'aes256-ctr', openssl: ['aes-256-ctr', 32, 16] },
    { cipher: 'aes128-cbc', openssl: ['aes-128-cbc', 16, 16] },
    { cipher: 'aes256-cbc', openssl: ['aes-256-cbc', 32, 16] },
    { cipher: 'aes128-gcm@openssh.com', openssl: ['aes-128-gcm', 16, 12] },
    { cipher: 'aes256-gcm@openssh.com', openssl: ['aes-256-gcm', 32, 12] },
  ])('is the same key after decryption: $cipher', async (sealing) => {
    const opened = await decryptKey(sealed(sealing), passphrase, '/ci/key');
    expect(parsePrivateKey(opened, '').fields).toEqual(key.fields);
  });

  it.each(['\n', '\r\n'])('is opened by a passphrase with %j at its end', async (end) => {
    const opened = await decryptKey(sealed(ctr), passphrase + end, '/ci/key');
    expect(parsePrivateKey(opened, '').fields).toEqual(key.fields);
  });

  it.each<[string, string, Sealing]>([
    ['another one', 'wrong', ctr],
    ['another one with GCM', 'wrong', gcm],
    ['an empty one', '', ctr],
    ['the same one with a line end inside', `${passphrase.slice(0, 7)}\n${passphrase.slice(7)}`, ctr],
    ['the same one with two line ends', `${passphrase}\n\n`, ctr],
    ['the same one with a space', `${passphrase} `, ctr],
  ])('is not opened by %s', async (_, secret, sealing) => {
    const { code, message, hint } = await failureOf(sealed(sealing), secret);
    expect([code, message, hint]).toEqual([
      'PASSPHRASE_WRONG',
      'the passphrase does not open the private key in /ci/key',
      'check which parameter or secret passphrase= names, and that it holds only the passphrase',
    ]);
  });

  it('is not opened if its check numbers or its tag were changed', async () => {
    const first: Sealing['damage'] = (encrypted, tag) => {
      encrypted.writeUInt8(encrypted.readUInt8() ^ 1);
      return [encrypted, tag];
    };
    expect((await failureOf(sealed({ ...ctr, damage: first }))).code).toBe('PASSPHRASE_WRONG');
    expect((await failureOf(sealed({ ...gcm, damage: first }))).code).toBe('PASSPHRASE_WRONG');
    const shortTag: Sealing['damage'] = (encrypted, tag) => [encrypted, tag.subarray(0, 12)];
    expect((await failureOf(sealed({ ...gcm, damage: shortTag }))).code).toBe('PASSPHRASE_WRONG');
  });

  it.each<[Sealing, string]>([
    [{ cipher: '3des-cbc' }, 'has the cipher 3des-cbc'],
    [{ cipher: 'c'.repeat(40) }, `has the cipher ${'c'.repeat(40)}`],
    [{ cipher: 'c'.repeat(41) }, 'has an unknown cipher'],
    [{ cipher: 'a b' }, 'has an unknown cipher'],
    [{ cipher: '' }, 'has an unknown cipher'],
    [{ cipher: 'aes256-ctr', kdf: 'scrypt' }, 'has the cipher aes256-ctr'],
    [{ ...ctr, rounds: 2001 }, 'asks for 2001 rounds of bcrypt'],
    [{ ...ctr, rounds: 0xffff_ffff }, 'asks for 4294967295 rounds of bcrypt'],
  ])('is not supported: %j %s', async (sealing, problem) => {
    const { code, message } = await failureOf(sealed(sealing));
    expect([code, message]).toEqual(['KEY_UNSUPPORTED', `the private key in /ci/key ${problem}`]);
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['behind its name', (bytes) => bytes.subarray(0, 15)],
    ['in its section', (bytes) => bytes.subarray(0, -40)],
  ])('is malformed if it is cut off %s', async (_, cut) => {
    const bytes = cut(Buffer.from(bodyOf(sealed(ctr)), 'base64'));
    const { code, message } = await failureOf(armorOpensshKey(bytes));
    expect([code, message]).toEqual(['KEY_MALFORMED', 'the private key in /ci/key is damaged or cut off']);
  });

  it('needs no passphrase if its cipher is none', async () => {
    const opened = await decryptKey(plain, passphrase, '/ci/key');
    expect(parsePrivateKey(opened, '').fields).toEqual(key.fields);
  });
});

describe('an encrypted key in PEM', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const [pkcs8, pkcs1] = (['pkcs8', 'pkcs1'] as const).map((type) =>
    rsa.export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString(),
  ) as [string, string];

  it.each([pkcs8, pkcs1])('is opened by its passphrase, and by no other (%#)', async (text) => {
    const opened = await decryptKey(text, passphrase, '/ci/key');
    expect(opened).toBe(rsa.export({ type: 'pkcs8', format: 'pem' }));
    expect((await failureOf(text, '')).code).toBe('PASSPHRASE_WRONG');
  });

  it('is not supported with a cipher that OpenSSL does not know', async () => {
    const { code, message } = await failureOf(pkcs1.replace(/DEK-Info: [^,]*/, 'DEK-Info: FOO-256-CBC'));
    expect([code, message]).toEqual(['KEY_UNSUPPORTED', 'the private key in /ci/key has an unknown cipher']);
  });
});

describe('a value that is not encrypted', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  it.each([
    '',
    'no key',
    ec.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ec.export({ type: 'sec1', format: 'pem' }).toString(),
    `${plain}${plain}`,
    '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
    '-----BEGIN RSA PRIVATE KEY-----\n-----END RSA PRIVATE KEY-----\n',
  ])('is returned unchanged (%#)', async (text) => {
    expect(await decryptKey(text, passphrase, '/ci/key')).toBe(text);
  });
});
