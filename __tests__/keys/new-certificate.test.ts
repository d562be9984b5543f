import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { parseTerms } from '../../src/keys/certificate-options.ts';
import { generateKey } from '../../src/keys/generate-key.ts';
import { memorySigner } from '../../src/keys/memory-signer.ts';
import { newCertificate, type NewCertificate } from '../../src/keys/new-certificate.ts';
import { listCertificate } from '../support/keygen.ts';

const now = Date.UTC(2030, 0, 1, 12, 0, 0, 999);
const second = Math.floor(now / 1000);
const { signal } = new AbortController();
const terms = parseTerms(
  new Map([
    ['principals', 'deploy,web'],
    ['valid', '15m'],
    ['force-command', 'uptime'],
    ['source-address', '10.0.0.0/8,::1'],
    ['extensions', 'permit-pty,login@github.com=octocat'],
  ]),
  (name) => `${name}=`,
  'user',
);

describe('a new certificate', () => {
  const make = async (more: { until?: number; serial?: bigint } = {}): Promise<NewCertificate> => {
    const [key, authority] = await Promise.all([
      generateKey({ type: 'ed25519', bits: 256 }, ''),
      generateKey({ type: 'ecdsa', bits: 256 }, ''),
    ]);
    const order = { kind: 'user', publicKey: key.publicKey, keyId: 'host:build-1' } as const;
    return await newCertificate(
      { ...order, terms, authority: memorySigner(authority), ...more },
      { now, randomBytes, signal },
    );
  };

  it('is valid five minutes before it is made, for as long as it was asked for', async () => {
    const { certificate, contents } = await make();
    expect([certificate.validFrom, certificate.validUntil]).toEqual([second - 300, second + 900]);
    expect(contents).toMatchObject({ principals: ['deploy', 'web'], keyId: 'host:build-1' });
    expect(listCertificate(certificate.line)).toMatch(
      /Key ID: "host:build-1"[^]*deploy\s+web[^]*force-command uptime\s+source-address 10\.0\.0\.0\/8,::1\s+Extensions:\s+login@github\.com UNKNOWN OPTION.*\s+permit-pty/,
    );
  });

  it('ends with the lifetime of its key', async () => {
    const { certificate } = await make({ until: now + 60_000 });
    expect(certificate.validUntil).toBe(second + 60);
  });

  it('has a random serial number, or the one that was asked for', async () => {
    const serials = await Promise.all([make(), make(), make({ serial: 0n })]);
    const [one = 0n, other = 0n, given] = serials.map(({ contents }) => contents.serial);
    expect([one === other, one > 0n, one < 2n ** 63n, given]).toEqual([false, true, true, 0n]);
  });
});
