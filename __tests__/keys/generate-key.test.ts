import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKey, parseKeyKind, type KeyKind } from '../../src/keys/generate-key.ts';
import { writeOpensshKey } from '../../src/keys/openssh-key.ts';
import { authorizedKeysLine, fingerprint } from '../../src/keys/public-key.ts';
import { failureOf } from '../support/failure-of.ts';

describe('a new key', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'generated-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const keygen = (...args: readonly string[]): string =>
    execFileSync('ssh-keygen', args, { encoding: 'utf8' }).trim();

  it.each<[string, KeyKind]>([
    ['ED25519', { type: 'ed25519', bits: 256 }],
    ['ECDSA', { type: 'ecdsa', bits: 256 }],
    ['ECDSA', { type: 'ecdsa', bits: 384 }],
    ['ECDSA', { type: 'ecdsa', bits: 521 }],
    ['RSA', { type: 'rsa', bits: 2048 }],
  ])('of type %s is what ssh-keygen reads: %j', async (name, kind) => {
    const key = await generateKey(kind, 'deploy@acme 2026-11-29');
    const file = join(folder, `${kind.type}-${kind.bits}`);
    writeFileSync(file, writeOpensshKey(key), { mode: 0o600 });
    expect(keygen('-y', '-f', file)).toBe(authorizedKeysLine(key.publicKey));
    expect(keygen('-l', '-f', file)).toBe(
      `${kind.bits} ${fingerprint(key.publicKey)} deploy@acme 2026-11-29 (${name})`,
    );
  });

  it('is another one each time', async () => {
    const kind = { type: 'ed25519', bits: 256 } as const;
    const [one, other] = await Promise.all([generateKey(kind, 'x'), generateKey(kind, 'x')]);
    expect(one.publicKey.blob.equals(other.publicKey.blob)).toBe(false);
  });

  it.each([
    [[], { type: 'ed25519', bits: 256 }],
    [['rsa'], { type: 'rsa', bits: 3072 }],
    [['rsa', '8192'], { type: 'rsa', bits: 8192 }],
    [['ecdsa'], { type: 'ecdsa', bits: 256 }],
    [['ecdsa', '521'], { type: 'ecdsa', bits: 521 }],
    [['ed25519', '256'], { type: 'ed25519', bits: 256 }],
  ] as const)('is asked for by %j: %j', (words, kind) => {
    expect(parseKeyKind(...words)).toEqual(kind);
  });

  it.each([
    [['dsa'], '--type cannot be "dsa"'],
    [['ed25519', '512'], 'an Ed25519 key always has 256 bits'],
    [['ecdsa', '255'], 'an ECDSA key cannot have "255" bits'],
    [['rsa', '1024'], 'keygen makes no RSA key of "1024" bits'],
    [['rsa', '16384'], 'keygen makes no RSA key of "16384" bits'],
    [['rsa', '4096 '], 'keygen makes no RSA key'],
  ] as const)('is refused for %j', (words, message) => {
    const told = failureOf(() => parseKeyKind(...words));
    expect([told.code, told.message]).toEqual(['INPUT_INVALID', expect.stringContaining(message)]);
  });
});
