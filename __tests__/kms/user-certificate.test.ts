import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseKeyLine } from '../../src/keys/key-line.ts';
import { generateKey } from '../../src/keys/generate-key.ts';
import type { CertificateTerms } from '../../src/keys/certificate-options.ts';
import type { PublicKey } from '../../src/keys/public-key.ts';
import { userCertificate, type Keeping } from '../../src/kms/user-certificate.ts';
import type { CertificateRenewal } from '../../src/kms/certificate-renewal.ts';
import type { KmsSigner } from '../../src/kms/kms-signer.ts';
import { startFakeClock, type FakeClock } from '../support/fake-clock.ts';
import { listCertificate } from '../support/keygen.ts';
import { openKmsStage, place, type KmsStage } from './kms-stage.ts';

const minute = 60_000;
const start = Date.UTC(2030, 0, 1);
const { signal } = new AbortController();
const line =
  'new:ed25519 ca=kms:alias/ca principals=deploy,web valid=15m extensions=login@github.com=octo-bot force-command=/opt/deploy%20--now';

describe('the certificate of a line with ca=', () => {
  let stage: KmsStage;
  let authority: KmsSigner;
  let publicKey: PublicKey;
  let terms: CertificateTerms;

  beforeAll(async () => {
    stage = await openKmsStage();
    stage.aws.signingKeys.create({ ...place, spec: 'ECC_NIST_EDWARDS25519', alias: 'alias/ca' });
    authority = await stage.open('kms:alias/ca');
    ({ publicKey } = await generateKey({ type: 'ed25519', bits: 256 }, ''));
    const options = parseKeyLine(line).signing?.certificate;
    if (!options) throw new Error('the line has no certificate');
    terms = options;
  });
  afterAll(async () => {
    await stage.close();
  });

  const keep = (clock: FakeClock, more: Keeping & { readonly until?: number } = {}): CertificateRenewal => {
    const { until, ...keeping } = more;
    const order = { publicKey, authority, terms, keyId: 'github:acme/app:run 1:attempt 1', until };
    return userCertificate(order, { clock, ...keeping });
  };

  it('says what the line asks for, and is signed in KMS when it is first needed', async () => {
    stage.aws.forgetCalls();
    const renewal = keep(startFakeClock(start));
    expect(stage.operations()).toEqual([]);
    const certificate = await renewal.current(signal);
    expect(stage.operations()).toEqual(['kms:Sign']);
    expect(certificate).toMatchObject({ validFrom: start / 1000 - 300, validUntil: start / 1000 + 900 });
    const listed = listCertificate(certificate?.line ?? '');
    expect(listed).toMatch(/Key ID: "github:acme\/app:run 1:attempt 1"[^]*Principals: \n\s+deploy\n\s+web\n/);
    expect(listed).toMatch(/force-command \/opt\/deploy --now\n\s+Extensions: \n\s+login@github\.com /);
    renewal.close();
  });

  it('is renewed in KMS before it ends, and tells who shows it', async () => {
    const clock = startFakeClock(start);
    const ends: number[] = [];
    const renewal = keep(clock, {
      onMade: ({ validUntil }) => ends.push((validUntil * 1000 - start) / minute),
    });
    stage.aws.forgetCalls();
    await renewal.current(signal);
    clock.jump(9 * minute);
    const real = async (): Promise<void> => {
      await new Promise((done) => setTimeout(done, 20));
    };
    // This clock stands still during the call to KMS, which may take ten seconds of it.
    for (let left = 30; left > 0 && stage.operations().length < 2; left--) {
      await clock.pass(2_000);
      await real();
    }
    for (let left = 500; left > 0 && ends.length < 2; left--) await real();
    expect(ends[0]).toBe(15);
    expect(ends[1]).toBeGreaterThanOrEqual(24);
    renewal.close();
  });

  it('that another process made serves at once, and ends with its key', async () => {
    const clock = startFakeClock(start);
    const until = start + 5 * minute;
    const first = await keep(clock, { until }).current(signal);
    expect(first?.validUntil).toBe(until / 1000);
    stage.aws.forgetCalls();
    const renewal = keep(clock, { until, ...(first && { first }) });
    expect(await renewal.current(signal)).toBe(first);
    await clock.pass(5 * minute);
    expect([await renewal.current(signal), stage.operations()]).toEqual([undefined, []]);
  });
});
