/** Generated keys, read by the real `ssh-keygen`. */
import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fingerprintOf, makeSshKey } from '../../support/ssh-keys.ts';
import type { SshKey, SshKeyOptions } from '../../support/ssh-keys.ts';

/** The public key that `ssh-keygen -y` computes, without its comment. */
function publicHalf({ privateKey }: SshKey, passphrase: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ssh-keys-test-'));
  try {
    const file = join(folder, 'key');
    writeFileSync(file, privateKey, { mode: 0o600 });
    const args = ['-y', '-P', passphrase, '-f', file];
    return execFileSync('ssh-keygen', args, { encoding: 'utf8', stdio: 'pipe' })
      .trim()
      .split(' ')
      .slice(0, 2)
      .join(' ');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const shapes: [SshKeyOptions, string, string][] = [
  [{}, 'BEGIN OPENSSH PRIVATE KEY', 'ssh-ed25519'],
  [{ type: 'rsa' }, 'BEGIN OPENSSH PRIVATE KEY', 'ssh-rsa'],
  [{ type: 'rsa', format: 'PEM' }, 'BEGIN RSA PRIVATE KEY', 'ssh-rsa'],
  [{ type: 'rsa', format: 'PKCS8', bits: 3072 }, 'BEGIN PRIVATE KEY', 'ssh-rsa'],
  [{ type: 'ecdsa' }, 'BEGIN OPENSSH PRIVATE KEY', 'ecdsa-sha2-nistp256'],
  [{ type: 'ecdsa', bits: 384, format: 'PEM' }, 'BEGIN EC PRIVATE KEY', 'ecdsa-sha2-nistp384'],
  [{ type: 'ecdsa', bits: 521, format: 'PKCS8' }, 'BEGIN PRIVATE KEY', 'ecdsa-sha2-nistp521'],
  [{ passphrase: 'open sesame' }, 'BEGIN OPENSSH PRIVATE KEY', 'ssh-ed25519'],
  [{ type: 'rsa', format: 'PKCS8', passphrase: 'open sesame' }, 'BEGIN ENCRYPTED PRIVATE KEY', 'ssh-rsa'],
];

describe('a key', () => {
  test.each(shapes)('%j is read by ssh-keygen', async (options, header, type) => {
    const key = await makeSshKey({ ...options, comment: 'me@here' });
    expect(key.privateKey).toContain(header);
    expect(key.publicKey).toMatch(new RegExp(`^${type} \\S+ me@here$`));
    expect(`${publicHalf(key, options.passphrase ?? '')} me@here`).toBe(key.publicKey);
    if (options.passphrase !== undefined)
      expect(() => publicHalf(key, 'wrong')).toThrow('incorrect passphrase');
  });

  test('has the fingerprint that ssh-keygen -l prints', async () => {
    const { publicKey, fingerprint } = await makeSshKey();
    const printed = execFileSync('ssh-keygen', ['-l', '-f', '-'], { input: publicKey, encoding: 'utf8' });
    expect(printed.split(' ')[1]).toBe(fingerprint);
    expect(fingerprintOf(publicKey)).toBe(fingerprint);
  });

  test.each([{}, { passphrase: 'open sesame' }])('of Ed25519 in PKCS#8 is read by Node: %j', async (lock) => {
    const { privateKey, publicKey } = await makeSshKey({ format: 'PKCS8', ...lock });
    const read = createPublicKey(createPrivateKey({ key: privateKey, ...lock }));
    const point = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64').subarray(-32);
    expect(read.export({ format: 'jwk' }).x).toBe(point.toString('base64url'));
  });
});
