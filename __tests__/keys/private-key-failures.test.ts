/** Values that are not usable private keys → the code, the description, the hint. */
import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { string, uint32 } from '../../src/keys/wire.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { failureOf, leakOf, told } from '../support/failure-of.ts';
import { certify, exported } from '../support/keygen.ts';
import { bodyOf } from '../support/stored-forms.ts';

const [plain, rsa] = await Promise.all([makeSshKey(), makeSshKey({ type: 'rsa' })]);
const newCertificate =
  'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=test';
const certificate = execFileSync('openssl', newCertificate.split(' '), { encoding: 'utf8', stdio: 'pipe' });

function pkcs8(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function failureFor(stored: string): ReturnType<typeof failureOf> {
  return failureOf(() => parsePrivateKey(stored, '/ci/key'));
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('an empty value', () => {
  it.each(['', ' ', '\n', '\r\n \t', '\uFEFF', '""', "''", '" "', '\\n'])('(%j) is KEY_EMPTY', (stored) => {
    expect(failureFor(stored)).toMatchObject({ code: 'KEY_EMPTY', message: '/ci/key is empty' });
  });
});

describe('what is not a private key', () => {
  it.each([
    ['a public key', plain.publicKey],
    ['a public key', rsa.publicKey],
    ['a public key', `${rsa.publicKey} someone@example.com\n`],
    ['a public key', `"${plain.publicKey}"`],
    ['a public key', base64(`${plain.publicKey}\n`)],
    ['a public key', `restrict,pty ${plain.publicKey}`],
    ['a public key', exported(rsa.publicKey, 'RFC4716')],
    ['a public key', exported(rsa.publicKey, 'PKCS8')],
    ['a public key', exported(rsa.publicKey, 'PEM')],
    ['a public key', exported(rsa.publicKey, 'PEM').replaceAll('\n', '\\n')],
    ['an X.509 certificate', certificate],
    ['an X.509 certificate', base64(certificate)],
    ['an SSH certificate', certify(plain.publicKey, rsa.privateKey)],
    ['JSON', '{}'],
    ['JSON', '{"username":"git","password":"hunter2hunter2"}'],
    ['JSON', '{\n  "user": "git"\n}\n'],
    ['something else', 'hello'],
    ['something else', 'ssh-ed25519'],
    ['something else', 'ghp_0123456789abcdefghijABCDEFGHIJ012345'],
    ['something else', '/ci/deploy-key'],
    ['something else', 'A'.repeat(64)],
    ['something else', '<html><body>502 Bad Gateway</body></html>'],
  ])('is described as %s (%#)', (word, stored) => {
    const failure = failureFor(stored);
    expect(failure).toMatchObject({
      code: 'KEY_NOT_PRIVATE',
      message: `/ci/key holds ${word}, not a private key`,
    });
    expect(leakOf(failure, stored.replace(/-{4,}[^-]*-{4,}/g, ''))).toBeUndefined();
  });
});

describe('a value that was not decrypted', () => {
  it.each(['AQICAHh', 'AQECAHg', 'AYADe', 'AgV4'])('is KEY_NOT_DECRYPTED (%s…)', (start) => {
    const stored = start + 'b3Jk/+Zz'.repeat(20) + 'AA==';
    for (const written of [stored, `${stored}\n`, `"${stored}"`, stored.replace(/.{76}/g, '$&\n')]) {
      expect(failureFor(written)).toMatchObject({ code: 'KEY_NOT_DECRYPTED' });
    }
  });
});

describe('an encrypted key', () => {
  it.each([
    { type: 'ed25519' },
    { type: 'rsa' },
    { type: 'rsa', format: 'PEM' },
    { type: 'ecdsa', format: 'PEM' },
    { type: 'rsa', format: 'PKCS8' },
    { type: 'ed25519', format: 'PKCS8' },
  ] as const)('is KEY_ENCRYPTED in every format (%j)', async (options) => {
    const { privateKey } = await makeSshKey({ ...options, passphrase: 'open sesame' });
    const forms = [
      privateKey,
      privateKey.trimEnd().replaceAll('\n', '\r\n'),
      privateKey.replaceAll('\n', '\\n'),
      privateKey.replaceAll('\n', ' '),
      base64(privateKey),
      privateKey.replaceAll(/^/gm, '  '),
    ];
    for (const stored of forms) {
      const failure = failureFor(stored);
      expect(failure).toMatchObject({
        code: 'KEY_ENCRYPTED',
        message: 'the private key in /ci/key is protected by a passphrase',
      });
      expect(failure.hint).toContain('ssh-keygen -p');
      expect(leakOf(failure, bodyOf(privateKey))).toBeUndefined();
    }
  });
});

describe('a key that OpenSSH cannot use', () => {
  const keyOf = ({ privateKey }: { privateKey: KeyObject }): string => pkcs8(privateKey);
  const openssh = (...types: string[]): string => {
    const blobs = types.flatMap((type) => string(string(type)));
    const head = ['none', 'none', ''].map((field) => string(field));
    const bytes = Buffer.concat([
      Buffer.from('openssh-key-v1\0'),
      ...head,
      uint32(types.length),
      ...blobs,
      string(''),
    ]);
    return `-----BEGIN OPENSSH PRIVATE KEY-----\n${bytes.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
  };

  it.each([
    ['secp256k1', keyOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }))],
    ['type ec', keyOf(generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' }))],
    ['Ed448', keyOf(generateKeyPairSync('ed448'))],
    ['X25519', keyOf(generateKeyPairSync('x25519'))],
    ['rsa-pss', keyOf(generateKeyPairSync('rsa-pss', { modulusLength: 1024 }))],
    ['type dsa', keyOf(generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }))],
    ['a DSA key', '-----BEGIN DSA PRIVATE KEY-----\nMIIBuwIBAAKBgQ==\n-----END DSA PRIVATE KEY-----\n'],
    ['ssh-dss', openssh('ssh-dss')],
    ['hardware token', openssh('sk-ssh-ed25519@openssh.com')],
    ['hardware token', openssh('sk-ecdsa-sha2-nistp256@openssh.com')],
    ['more than one key', openssh('ssh-ed25519', 'ssh-ed25519')],
    ['type constructor', openssh('constructor')],
    ['an unknown type', openssh('ssh\nrsa')],
    ["PuTTY's format", 'PuTTY-User-Key-File-2: ssh-rsa\r\nEncryption: none\r\nComment: me\r\n'],
    ["PuTTY's format", 'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: aes256-cbc\n'],
    ["PuTTY's format", base64('PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n')],
    [
      'not in a format',
      '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBF\n-----END PGP PRIVATE KEY BLOCK-----\n',
    ],
    [
      'not in a format',
      '---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/56wAA\n---- END SSH2 ENCRYPTED PRIVATE KEY ----',
    ],
  ])('is KEY_UNSUPPORTED, with its kind: %s', (kind, stored) => {
    const failure = failureFor(stored);
    expect(failure.code).toBe('KEY_UNSUPPORTED');
    expect(failure.message).toContain(kind);
    expect(failure.message).toContain('/ci/key');
    expect(failure.hint).toMatch(
      stored.includes('PuTTY') || kind.includes('PuTTY') ? /puttygen/ : /ssh-keygen/,
    );
  });
});

describe('a damaged key', () => {
  const body = bodyOf(plain.privateKey);
  const [begin, end] = ['-----BEGIN OPENSSH PRIVATE KEY-----', '-----END OPENSSH PRIVATE KEY-----'];

  it.each([
    ['no END line', plain.privateKey.replace(end, '')],
    ['no body', `${begin}\n${end}\n`],
    ['the END line of another format', plain.privateKey.replace(end, '-----END RSA PRIVATE KEY-----')],
    ['the armor of another format', plain.privateKey.replaceAll('OPENSSH ', 'RSA ')],
    [
      'a PEM body in OpenSSH armor',
      `${begin}\n${bodyOf(pkcs8(generateKeyPairSync('ed25519').privateKey))}\n${end}\n`,
    ],
    ['a first line lost', plain.privateKey.replace(/\n.{70}\n/, '\n')],
    ['a middle line lost', rsa.privateKey.replace(/^((?:.*\n){9}).*\n/, '$1')],
    ['a last line lost', plain.privateKey.replace(/\n.*\n-----END/, '\n-----END')],
    ['asterisks for its text', `${begin}\n***\n${end}\n`],
    ['dots in its text', plain.privateKey.replace(body.slice(40, 60), '...')],
    ['two check numbers that differ', damagedCheck(plain.privateKey)],
  ])('with %s is KEY_MALFORMED', (_, stored) => {
    const failure = failureFor(stored);
    expect(failure).toMatchObject({
      code: 'KEY_MALFORMED',
      message: 'the private key in /ci/key is damaged or cut off',
    });
    expect(leakOf(failure, bodyOf(stored) + body)).toBeUndefined();
  });

  it('is reported with the command that stores it again', () => {
    expect(told(failureFor(`${begin}\n`))).toContain('aws ssm put-parameter --overwrite --type SecureString');
  });
});

/** Two different check numbers, as after a decryption with the wrong passphrase. */
function damagedCheck(file: string): string {
  const bytes = Buffer.from(bodyOf(file), 'base64');
  const section = bytes.lastIndexOf('ssh-ed25519') - 4 - 8;
  bytes.writeUInt8(bytes.readUInt8(section) ^ 1, section);
  return file.replace(/(KEY-----\n)[^-]*/, `$1${bytes.toString('base64')}\n`);
}
