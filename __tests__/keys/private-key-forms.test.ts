/** The forms of a stored private key, with keys that are made here: what is repaired, what is masked, what is refused. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { checkKey } from '../../src/keys/checked-key.ts';
import { armorOpensshKey, writeOpensshKey } from '../../src/keys/openssh-key.ts';
import { readPemKey } from '../../src/keys/pem-key.ts';
import { linesToMask, parsePrivateKey, storedBlock } from '../../src/keys/private-key.ts';
import { failureOf } from '../support/failure-of.ts';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const [pkcs8, sec1] = (['pkcs8', 'sec1'] as const).map((type) =>
  ec.export({ type, format: 'pem' }).toString(),
) as [string, string];
const ed25519 = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const pkcs1 = rsa.export({ type: 'pkcs1', format: 'pem' }).toString();
const openssh = writeOpensshKey(readPemKey(ed25519, 'deploy@acme'));
const all = { openssh, pkcs8, sec1, ed25519, pkcs1 };
/** The base64 between the BEGIN and END lines. */
const bodyOf = (file: string): string => file.replace(/-----[^-]+-----|\s+/g, '');
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const fieldsOf = (stored: string): readonly Buffer[] => parsePrivateKey(stored, '/ci/key').fields;
const failureFor = (stored: string): ReturnType<typeof failureOf> =>
  failureOf(() => parsePrivateKey(stored, '/ci/key'));

describe.each(Object.entries(all))('a key (%s)', (_, text) => {
  const fields = fieldsOf(text);

  it.each<[string, (file: string) => string]>([
    ['behind a byte order mark and spaces', (file) => `\uFEFF  \n${file}`],
    ['in quotes with spaces inside', (file) => `" ${file} "`],
    ['in single quotes with spaces inside', (file) => `'\n${file}\n'`],
    ['with literal line ends', (file) => file.replaceAll('\n', '\\n')],
    ['with literal CRLF', (file) => file.replaceAll('\n', '\\r\\n')],
    ['with literal line ends that are escaped twice', (file) => file.replaceAll('\n', '\\\\n')],
    ['with literal CRs that are escaped twice', (file) => file.replaceAll('\n', '\\\\r')],
    ['with two line ends each', (file) => file.replaceAll('\n', '\n\n\n')],
    ['in base64', base64],
    ['in base64 with a byte order mark inside', (file) => base64(`\uFEFF\n${file}`)],
    ['in wrapped base64', (file) => base64(file).replace(/.{60}/g, '$&\n\n')],
    ['in base64 with literal line ends', (file) => base64(file).replace(/.{60}/g, '$&\\n')],
    ['without BEGIN and END', bodyOf],
    ['without BEGIN and END, wrapped with spaces', (file) => bodyOf(file).replace(/.{64}/g, '$&  \r\n  ')],
    ['behind a text that is quoted', (file) => `"the key"\n${file}`],
    ['before a text that is quoted', (file) => `${file}\n'the key'`],
    ['with headers', (file) => file.replace('KEY-----\n', 'KEY-----\n  Comment: me\nX-Other: 2 \n\n')],
  ])('is the same key %s', (_, store) => {
    expect(fieldsOf(store(text))).toEqual(fields);
  });

  it.each([64, 70, 76])('is masked in lines of %i characters, however it is stored', (width) => {
    const lines = (bodyOf(text).match(new RegExp(`.{1,${width}}`, 'g')) ?? []).filter(
      ({ length }) => length >= 8,
    );
    for (const stored of [text, base64(text), text.replaceAll('\n', ' '), JSON.stringify({ key: text })])
      expect(linesToMask(stored)).toEqual(expect.arrayContaining(lines));
  });

  it('is not read with another character in its text', () => {
    const body = bodyOf(text);
    for (const damaged of [`*${body}`, `${body.slice(0, 8)}.${body.slice(8)}`, `${body}*`]) {
      const stored = text.replace(/(KEY-----\n)[^-]*/, `$1${damaged}\n`);
      expect(failureFor(stored).code).toBe('KEY_MALFORMED');
    }
  });
});

describe('the block of a stored key', () => {
  const block = storedBlock(pkcs1.replace('KEY-----\n', 'KEY-----\n  Proc-Type: 4,X\nDEK-Info: Y \n\n'));

  it('has its label, its headers and its text', () => {
    expect(block).toEqual({
      label: 'RSA PRIVATE KEY',
      headers: 'Proc-Type: 4,X\nDEK-Info: Y',
      body: bodyOf(pkcs1),
    });
  });

  it('is none without a key, and none with two', () => {
    for (const text of ['', 'no key', openssh + pkcs8]) expect(storedBlock(text)).toBeUndefined();
  });
});

describe('the lines to mask', () => {
  it.each([
    ['AAAABBBB\r\rCCCCDDDD', ['AAAABBBB', 'CCCCDDDD']],
    ['AAAABBBB\\\\n\\\\nCCCCDDDD', ['AAAABBBB', 'CCCCDDDD']],
    ['AAAABBBB\\\\rCCCCDDDD', ['AAAABBBB', 'CCCCDDDD']],
    ['-----BEGIN A KEY-----AAAABBBB-----END A KEY-----CCCCDDDD', ['AAAABBBB', 'CCCCDDDD']],
    ['AAAABBB', []],
  ])('of %j are %j', (text, lines) => {
    expect(linesToMask(text)).toEqual(lines);
  });
});

describe('a value that is no private key', () => {
  const ssh2 = '---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----';
  const spki = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----';
  it.each([
    ['an SSH certificate', 'ssh-ed25519-cert-v01@openssh.com AAAA'],
    ['something else', 'see ssh-ed25519-cert-v01@openssh.com there'],
    ['a public key', `x ssh-rsa AAAA`],
    ['a public key', ssh2],
    ['a public key', spki],
    ['a public key', spki.replaceAll('PUBLIC', 'RSA PUBLIC')],
    ['a public key', base64('ssh-ed25519 AAAA')],
    ['an X.509 certificate', '-----BEGIN TRUSTED CERTIFICATE-----\nAAAA'],
    ['JSON', '{"a": 1}'],
    ['something else', 'a {'],
    ['something else', `x AQICAH${'A'.repeat(40)}`],
    ['something else', `AQICAH${'A'.repeat(40)}!`],
    ['something else', base64('a sentence with ssh-rsa AAAA in it')],
    ['something else', 'MAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
  ])('is %s: %j', (word, stored) => {
    const { code, message, hint } = failureFor(stored);
    expect([code, message, hint]).toEqual([
      'KEY_NOT_PRIVATE',
      `/ci/key holds ${word}, not a private key`,
      'store the private key: the file without .pub, which begins with -----BEGIN OPENSSH PRIVATE KEY-----',
    ]);
  });

  it.each<[string, string, string, string]>([
    ['', 'KEY_EMPTY', '/ci/key is empty', 'store the private key there, as a SecureString'],
    [
      `AQICAH${'A'.repeat(40)}`,
      'KEY_NOT_DECRYPTED',
      '/ci/key holds encrypted bytes instead of a key',
      'store the key itself as a SecureString; an encrypted value was copied into it',
    ],
    [
      openssh + pkcs8,
      'KEY_MALFORMED',
      '/ci/key holds more than one private key',
      'store each key in a separate parameter',
    ],
    [
      'PuTTY-User-Key-File-3: x',
      'KEY_UNSUPPORTED',
      "/ci/key holds a key in PuTTY's format",
      'convert it: puttygen KEY.ppk -O private-openssh -o FILE',
    ],
  ])('is refused with a hint (%#)', (stored, ...expected) => {
    const { code, message, hint } = failureFor(stored);
    expect([code, message, hint]).toEqual(expected);
  });

  it.each(['Proc-Type: 4,ENCRYPTED', 'DEK-Info: AES-256-CBC,00'])(
    'is encrypted with the header %s',
    (header) => {
      const stored = (line: string): string => pkcs1.replace('KEY-----\n', `KEY-----\n${line}\n\n`);
      expect(failureFor(stored(header)).code).toBe('KEY_ENCRYPTED');
      expect(failureFor(stored(` ${header}`)).code).toBe('KEY_ENCRYPTED');
      expect(fieldsOf(stored(`X-${header}`))).toEqual(fieldsOf(pkcs1));
    },
  );
});

describe('a key that is to be stored', () => {
  it.each([
    ['PKCS#1', pkcs1],
    ['SEC 1', sec1],
    ['PKCS#8', pkcs8],
    ['its own format', openssh],
  ])('keeps its format: %s', (_, text) => {
    const { text: repaired, publicKey } = checkKey(`\uFEFF${text.replaceAll('\n', '\r\n ')}`, 'FILE');
    expect([repaired, publicKey?.comment]).toEqual([text, '']);
  });

  it('is written in the format of OpenSSH if it is an Ed25519 key in PKCS#8, or has no BEGIN line', () => {
    const { text } = checkKey(ed25519, 'FILE');
    expect(text).toBe(openssh);
    expect(checkKey(bodyOf(ed25519), 'FILE').text).toBe(openssh);
    expect(checkKey(bodyOf(openssh), 'FILE').text).toBe(openssh);
  });

  it.each<[string, string, string]>([
    ['', 'FILE is empty', 'ssm-ssh-agent put NAME FILE'],
    [openssh.slice(0, 99), 'the private key in FILE is damaged or cut off', 'ssh-keygen -y -f FILE'],
    [`AQICAH${'A'.repeat(40)}`, 'FILE holds encrypted bytes instead of a key', '--with-decryption'],
    [`ghp_${'a1B2'.repeat(9)}`, 'FILE holds a token, not a private key', 'docs/https.md'],
    ['PuTTY-User-Key-File-3: x', "FILE holds a key in PuTTY's format", 'puttygen'],
    [
      armorOpensshKey(Buffer.from('openssh-key-v1\0')),
      'the private key in FILE is damaged or cut off',
      'from its BEGIN line to its END line',
    ],
  ])('is refused with a hint for a file (%#)', (value, message, hint) => {
    const failure = failureOf(() => checkKey(value, 'FILE'));
    expect([failure.message, failure.hint]).toEqual([message, expect.stringContaining(hint)]);
  });
});
