/** Certificates of hosts: their bytes, their hosts and their times. kms/front/host-certificate.test.ts asks sshd. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { string, uint32 } from '../../src/keys/wire.ts';
import {
  invalidity,
  isCertificate,
  readHostCertificate,
  type HostCertificate,
} from '../../src/ssh/host-certificate.ts';

const type = 'ssh-ed25519-cert-v01@openssh.com';
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const point = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
const authority = Buffer.concat([string('ssh-ed25519'), string(point)]);

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** PROTOCOL.certkeys: the nonce, the key, the serial number, the kind, the key id, and so on. */
function certificate(name = type): Buffer {
  const unsigned = Buffer.concat([
    ...[string(name), string('nonce'), string(point), uint64(1n), uint32(2), string('id')],
    ...[string(string('git.test')), uint64(100n), uint64(200n), string(''), string(''), string('')],
    string(authority),
  ]);
  const signature = Buffer.concat([string('ssh-ed25519'), string(sign(null, unsigned, privateKey))]);
  return Buffer.concat([unsigned, string(signature)]);
}

describe('a certificate', () => {
  it.each([
    [string(type), true],
    [certificate(), true],
    [string('ssh-ed25519'), false],
    [string(`${type}x`), false],
    [Buffer.alloc(0), false],
    [string(type).subarray(0, -1), false],
  ])('is known by its type: %#', (blob, expected) => {
    expect(isCertificate(blob)).toBe(expected);
  });

  it('is read if its authority signed it', () => {
    expect(readHostCertificate(certificate())).toMatchObject({
      ...{ kind: 2, principals: ['git.test'], validFrom: 100n, validUntil: 200n },
      ...{ hasCriticalOptions: false, authority },
    });
  });

  it('is not read if a byte of it was changed, or is missing', () => {
    const [changed, whole] = [certificate(), certificate()];
    changed.write('j', changed.indexOf('git.test'));
    for (const blob of [changed, whole.subarray(0, -1), Buffer.concat([whole, Buffer.of(0)]), authority])
      expect(readHostCertificate(blob)).toBeUndefined();
    expect(readHostCertificate(Buffer.alloc(0))).toBeUndefined();
  });

  it('cannot be read from anything but bytes', () => {
    expect(() => readHostCertificate('no bytes' as unknown as Buffer)).toThrow(TypeError);
  });
});

describe('a certificate at a host', () => {
  const valid: HostCertificate = {
    ...{ certified: authority, authority, kind: 2, principals: ['other.test', '*.git.test', 'git.test'] },
    ...{ validFrom: 100n, validUntil: 200n, hasCriticalOptions: false },
  };
  const inTime = (host: string): { readonly host: string; readonly now: number } => ({ host, now: 150 });

  it.each([
    [100, undefined],
    [199, undefined],
    [99, 'is not valid yet'],
    [200, 'is no longer valid'],
  ])('in second %d: %s', (now, expected) => {
    expect(invalidity(valid, { host: 'git.test', now })).toBe(expected);
  });

  it.each([
    ['[git.test]:2222', undefined],
    ['GIT.test', undefined],
    ['a.b.git.test', undefined],
    ['evil.test', 'does not name evil.test'],
    ['x[git.test]:22', 'does not name x[git.test]:22'],
    ['[git.test]:22x', 'does not name [git.test]:22x'],
  ])('with the name %s: %s', (host, expected) => {
    expect(invalidity(valid, inTime(host))).toBe(expected);
  });

  it.each([
    [{ principals: [] }, 'does not name git.test'],
    [{ kind: 1 }, 'is not a certificate for a host'],
    [{ hasCriticalOptions: true }, 'has critical options'],
  ])('with %j: %s', (more, expected) => {
    expect(invalidity({ ...valid, ...more }, inTime('git.test'))).toBe(expected);
  });
});
