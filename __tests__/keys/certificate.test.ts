import { beforeAll, describe, expect, it } from '@jest/globals';
import { parseCertificate } from '../../src/keys/certificate.ts';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { failureOf } from '../support/failure-of.ts';
import { certify } from '../support/keygen.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';

const kinds = [
  { type: 'ed25519' },
  { type: 'ecdsa', bits: 256 },
  { type: 'ecdsa', bits: 384 },
  { type: 'ecdsa', bits: 521 },
  { type: 'rsa' },
] as const;

/** A certificate of OpenSSH's ends with its signature. */
function withMore(text: string): string {
  const [type = '', base64 = ''] = text.split(' ');
  return `${type} ${Buffer.concat([Buffer.from(base64, 'base64'), Buffer.of(0)]).toString('base64')}`;
}

describe('a certificate', () => {
  let authority: SshKey;
  let key: SshKey;
  let line: string;

  beforeAll(async () => {
    [authority, key] = await Promise.all([makeSshKey(), makeSshKey()]);
    line = certify(key.publicKey, authority.privateKey, ['-n', 'deploy']).trim();
  });

  const parse = (value: string, of: SshKey = key): ReturnType<typeof parseCertificate> => {
    const { publicKey } = parsePrivateKey(of.privateKey, '/ci/key');
    return parseCertificate(value, '/ci/cert', { publicKey, resource: '/ci/key' });
  };

  it.each(kinds)('is accepted for a key of type %j', async (options) => {
    const other = await makeSshKey(options);
    const certificate = certify(other.publicKey, authority.privateKey, [
      '-V',
      '20300101000000Z:20310101000000Z',
    ]);
    const [type, base64 = ''] = certificate.split(' ');
    expect(parse(certificate, other)).toEqual({
      line: certificate.trim(),
      type,
      blob: Buffer.from(base64, 'base64'),
      validFrom: Date.UTC(2030, 0, 1) / 1000,
      validUntil: Date.UTC(2031, 0, 1) / 1000,
    });
  });

  it.each<[string, (text: string) => string]>([
    ['unchanged', (text) => text],
    ['in quotes', (text) => `"${text}"`],
    ['with a line feed', (text) => `${text}\n`],
    ['with CRLF and a byte order mark', (text) => `\uFEFF${text}\r\n`],
    ['with a literal \\n', (text) => `${text}\\n`],
    ['in base64', (text) => Buffer.from(`${text}\n`).toString('base64')],
    ['in wrapped base64', (text) => Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\n')],
  ])('is accepted %s', (_, store) => {
    expect(parse(store(line)).line).toBe(line);
  });

  it.each<[string, string, (text: string) => string, RegExp]>([
    ['empty', 'KEY_EMPTY', () => ' \n', /^\/ci\/cert is empty$/],
    ['a public key', 'KEY_MALFORMED', () => key.publicKey, /is not an SSH certificate/],
    ['a private key', 'KEY_MALFORMED', () => key.privateKey, /is not an SSH certificate/],
    ['cut off', 'KEY_MALFORMED', (text) => text.split(' ').slice(0, 2).join(' ').slice(0, -40), /cut off/],
    ['with more behind it', 'KEY_MALFORMED', (text) => withMore(text), /damaged/],
    ['without its base64', 'KEY_MALFORMED', (text) => text.split(' ')[0] ?? '', /cut off/],
    ['not in base64', 'KEY_MALFORMED', (text) => text.replace(' AAAA', ' AA*A'), /cut off/],
    ['of an unknown type', 'KEY_UNSUPPORTED', (text) => text.replace('ed25519', 'dss'), /cannot load/],
    ['of two types', 'KEY_MALFORMED', (text) => text.replace('ssh-ed25519', 'ssh-rsa'), /cut off/],
  ])('that is %s is %s', (...[, code, change, message]) => {
    const failure = failureOf(() => parse(change(line)));
    expect([failure.code, failure.hint]).toEqual([code, expect.stringContaining('ssh-keygen -s')]);
    expect(failure.message).toMatch(message);
  });

  it('of a host is KEY_UNSUPPORTED', () => {
    const host = certify(key.publicKey, authority.privateKey, ['-h', '-n', 'host.test']);
    expect(failureOf(() => parse(host))).toMatchObject({
      code: 'KEY_UNSUPPORTED',
      message: 'the certificate in /ci/cert is for a host, not for a user',
    });
  });

  it('of another key is KEY_MALFORMED, with the fingerprints of both', () => {
    const other = certify(authority.publicKey, authority.privateKey);
    expect(failureOf(() => parse(other))).toMatchObject({
      code: 'KEY_MALFORMED',
      message: `the certificate in /ci/cert is for the key ${authority.fingerprint}, but /ci/key holds ${key.fingerprint}`,
    });
  });
});
