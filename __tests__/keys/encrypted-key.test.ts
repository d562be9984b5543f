import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decryptKey } from '../../src/keys/encrypted-key.ts';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { fingerprint } from '../../src/keys/public-key.ts';
import { Failure } from '../../src/errors.ts';
import { makeSshKey } from '../support/ssh-keys.ts';

/** The offset of the length of bcrypt's salt: after the name of the function, and the length of its options. */
const saltAt = (bytes: Buffer): number => bytes.indexOf('bcrypt') + 'bcrypt'.length + 4;

const passphrase = 'correct horse: bättery "staple"';

describe('an encrypted key', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'keys-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const open = async (value: string, secret = passphrase): Promise<string> =>
    fingerprint(parsePrivateKey(await decryptKey(value, secret, '/ci/key'), '/ci/key').publicKey);
  const failure = async (value: string, secret: string): Promise<string> =>
    await open(value, secret).catch((error: unknown) =>
      error instanceof Failure ? error.code : String(error),
    );

  const kinds = [
    { type: 'ed25519', rounds: 24 },
    { type: 'rsa' },
    { type: 'ecdsa', bits: 521 },
    { type: 'rsa', format: 'PEM' },
    { type: 'ecdsa', bits: 256, format: 'PEM' },
    { type: 'rsa', format: 'PKCS8' },
    { type: 'ecdsa', bits: 384, format: 'PKCS8' },
  ] as const;
  it.each(kinds)('is decrypted: %j', async (kind) => {
    const key = await makeSshKey({ ...kind, passphrase });
    expect(await open(key.privateKey)).toBe(key.fingerprint);
    expect(await open(key.privateKey.trimEnd().replaceAll('\n', '\r\n'), `${passphrase}\n`)).toBe(
      key.fingerprint,
    );
    expect(await open(Buffer.from(key.privateKey).toString('base64'))).toBe(key.fingerprint);
    for (const wrong of ['wrong', '', `${passphrase} `])
      expect(await failure(key.privateKey, wrong)).toBe('PASSPHRASE_WRONG');
    expect(() => parsePrivateKey(key.privateKey, '/ci/key')).toThrow('protected by a passphrase');
  });

  it.each([
    { type: 'rsa', format: 'PEM' },
    { type: 'rsa', format: 'PKCS8' },
  ] as const)(
    'is not decrypted by wrong passphrases, and never reported as unsupported: %j',
    async (kind) => {
      const { privateKey } = await makeSshKey({ ...kind, passphrase });
      const codes = new Set<string>();
      // About one wrong passphrase in 300 decrypts to something.
      for (let n = 0; n < (kind.format === 'PEM' ? 2000 : 600); n++)
        codes.add(await failure(privateKey, `wrong ${n}`));
      expect([...codes]).toEqual(['PASSPHRASE_WRONG']);
    },
  );

  it('is KEY_UNSUPPORTED in PEM with an unknown cipher', async () => {
    const { privateKey } = await makeSshKey({ type: 'rsa', format: 'PEM', passphrase });
    for (const cipher of ['FOO-256-CBC', 'IDEA-CBC'])
      expect(await failure(privateKey.replace(/DEK-Info: [^,]*/, `DEK-Info: ${cipher}`), passphrase)).toBe(
        'KEY_UNSUPPORTED',
      );
  });

  const ciphers = [
    'aes128-ctr',
    'aes192-ctr',
    'aes128-cbc',
    'aes256-cbc',
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
  ];
  it.each(ciphers)("is decrypted if ssh-keygen's cipher was %s", async (cipher) => {
    const file = join(folder, cipher);
    execFileSync('ssh-keygen', [
      '-q',
      '-t',
      'ed25519',
      '-Z',
      cipher,
      '-a',
      '4',
      '-N',
      passphrase,
      '-f',
      file,
    ]);
    const [, shown] = execFileSync('ssh-keygen', ['-lf', `${file}.pub`], { encoding: 'utf8' }).split(' ');
    expect(await open(readFileSync(file, 'utf8'))).toBe(shown);
    expect(await failure(readFileSync(file, 'utf8'), 'wrong')).toBe('PASSPHRASE_WRONG');
  });

  it('is KEY_UNSUPPORTED with an unknown cipher', async () => {
    const file = join(folder, 'chacha');
    const cipher = 'chacha20-poly1305@openssh.com';
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-Z', cipher, '-N', passphrase, '-f', file]);
    expect(await failure(readFileSync(file, 'utf8'), passphrase)).toBe('KEY_UNSUPPORTED');
  });

  it.each([
    [
      'KEY_MALFORMED',
      'the length of its section is not a multiple of the block size',
      (bytes: Buffer) => bytes.writeUInt32BE(130, saltAt(bytes) + 83),
    ],
    [
      'KEY_MALFORMED',
      'its salt is longer than the remaining bytes',
      (bytes: Buffer) => bytes.writeUInt32BE(99, saltAt(bytes)),
    ],
    [
      'KEY_UNSUPPORTED',
      'it needs too many rounds of bcrypt',
      (bytes: Buffer) => bytes.writeUInt32BE(0xffff_ffff, saltAt(bytes) + 20),
    ],
  ])('is %s if %s', async (code, _, damage) => {
    const file = join(folder, randomUUID());
    const options = ['-q', '-t', 'ed25519', '-Z', 'aes256-cbc', '-a', '1', '-N', passphrase, '-C', 'test'];
    execFileSync('ssh-keygen', [...options, '-f', file]);
    const bytes = Buffer.from(readFileSync(file, 'utf8').replace(/-----.*-----|\n/g, ''), 'base64');
    damage(bytes);
    const text = `-----BEGIN OPENSSH PRIVATE KEY-----\n${bytes.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
    expect(await failure(text, passphrase)).toBe(code);
  });

  it('is not needed for a plain key, and other text is returned unchanged', async () => {
    const key = await makeSshKey();
    expect(await open(key.privateKey)).toBe(key.fingerprint);
    for (const text of ['', 'no key', key.publicKey])
      expect(await decryptKey(text, passphrase, '/ci/key')).toBe(text);
  });
});
