/** Signatures by keys in KMS, verified by ssh-keygen and Node, and the calls that they cost. */
import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { hashes } from '../../src/keys/signature.ts';
import type { SignatureAlgorithm } from '../../src/keys/signer.ts';
import { WireReader } from '../../src/keys/wire.ts';
import { signMessage, verifyMessage } from '../support/sshsig.ts';
import { place, stage, useKmsStage } from './kms-stage.ts';

const forever = new AbortController().signal;
useKmsStage();

const specs = [
  ['ECC_NIST_EDWARDS25519', 'ssh-ed25519', ['ssh-ed25519']],
  ['ECC_NIST_P256', 'ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ECC_NIST_P384', 'ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ECC_NIST_P521', 'ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['RSA_2048', 'ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
  ['RSA_3072', 'ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
] as const;

describe.each(specs)('a key %s', (spec, type, algorithms) => {
  it('signs what ssh-keygen verifies', async () => {
    stage.aws.signingKeys.create({ ...place, spec, alias: `alias/${spec}` });
    const signer = await stage.open(`kms:alias/${spec}`);
    expect([signer.publicKey.type, signer.publicKey.comment]).toEqual([type, `kms:alias/${spec}`]);
    expect(signer.algorithms).toEqual(algorithms);
    for (const algorithm of algorithms) {
      const signature = await signMessage(signer, 'a commit', algorithm);
      expect(await verifyMessage(signer, 'a commit', signature)).toMatch(/^Good "git" signature/);
    }
    expect(stage.aws.calls.map(({ parameters }) => parameters['MessageType'])).toEqual([
      undefined,
      ...algorithms.map(() => 'RAW'),
    ]);
  });
});

describe('data of more than 4,096 bytes', () => {
  const data = Buffer.alloc(4097, 'x');

  it.each([
    ['RSA_2048', 'rsa-sha2-256'],
    ['RSA_2048', 'rsa-sha2-512'],
    ['ECC_NIST_P384', 'ecdsa-sha2-nistp384'],
  ] as const)('is signed as a digest by %s, %s', async (spec, algorithm) => {
    const arn = stage.aws.signingKeys.create({ ...place, spec });
    const signer = await stage.open(arn);
    const reader = new WireReader(await signer.sign(data, algorithm, forever));
    expect(reader.string().toString()).toBe(algorithm);
    expect(stage.aws.calls.at(-1)?.parameters).toMatchObject({ MessageType: 'DIGEST' });
    const { privateKey } = stage.aws.signingKeys.get(arn);
    if (!privateKey) throw new Error('no key');
    const key = createPublicKey(privateKey);
    const signature = reader.string();
    expect(
      verify(hashes[algorithm], data, { key, dsaEncoding: 'ieee-p1363' }, rawOf(signature, algorithm)),
    ).toBe(true);
  });

  it('is refused by an Ed25519 key before it is sent', async () => {
    const signer = await stage.open(
      stage.aws.signingKeys.create({ ...place, spec: 'ECC_NIST_EDWARDS25519' }),
    );
    await signer.sign(data.subarray(1), 'ssh-ed25519', forever);
    stage.aws.forgetCalls();
    await expect(signer.sign(data, 'ssh-ed25519', forever)).rejects.toMatchObject({
      code: 'SIGNATURE_REFUSED',
      message: expect.stringMatching(/^KMS signs at most 4096 bytes by Ed25519, and 4097 were asked for/),
    });
    expect(stage.operations()).toEqual([]);
  });
});

/** Two numbers of equal length (IEEE P1363), as Node verifies them. */
function rawOf(signature: Buffer, algorithm: SignatureAlgorithm): Buffer {
  if (!algorithm.startsWith('ecdsa')) return signature;
  const reader = new WireReader(signature);
  const numbers = [reader.string(), reader.string()];
  return Buffer.concat(numbers.map((number) => Buffer.concat([Buffer.alloc(48), number]).subarray(-48)));
}

describe('a signer', () => {
  it.each(['ssh-ed25519', 'ssh-rsa', 'rsa-sha2-256'])('of P-256 does not sign by %s', async (algorithm) => {
    const signer = await stage.open(stage.aws.signingKeys.create(place));
    stage.aws.forgetCalls();
    await expect(signer.sign(Buffer.of(1), algorithm as SignatureAlgorithm, forever)).rejects.toMatchObject({
      code: 'SIGNATURE_REFUSED',
    });
    expect(stage.operations()).toEqual([]);
  });

  it('asks KMS by the name it was given, and has one connection', async () => {
    const arn = stage.aws.signingKeys.create({ ...place, alias: 'alias/one-connection' });
    const before = stage.aws.connections();
    const signer = await stage.open('kms:alias/one-connection');
    for (let count = 0; count < 5; count++)
      await signer.sign(Buffer.of(count), 'ecdsa-sha2-nistp256', forever);
    expect(stage.aws.connections() - before).toBe(1);
    expect(stage.operations()).toEqual(['kms:GetPublicKey', ...Array.from({ length: 5 }, () => 'kms:Sign')]);
    expect(new Set(stage.aws.calls.map(({ parameters }) => parameters['KeyId']))).toEqual(
      new Set(['alias/one-connection']),
    );
    expect([signer.keyArn, signer.region]).toEqual([arn, 'eu-west-1']);
  });

  it('has no account in its comment', async () => {
    const arn = stage.aws.signingKeys.create(place);
    const alias = `arn:aws:kms:eu-west-1:${place.account}:alias/one-connection`;
    expect((await stage.open(arn)).publicKey.comment).toBe(`kms:${arn.replace(/.*\//, '')}`);
    expect((await stage.open(alias)).publicKey.comment).toBe('kms:alias/one-connection');
  });

  it('refuses when its alias has moved, and a new one does not', async () => {
    stage.aws.signingKeys.create({ ...place, alias: 'alias/moving' });
    const signer = await stage.open('kms:alias/moving');
    await signer.sign(Buffer.of(1), 'ecdsa-sha2-nistp256', forever);
    const other = stage.aws.signingKeys.create(place);
    stage.aws.signingKeys.setAlias(place, 'alias/moving', other);
    await expect(signer.sign(Buffer.of(1), 'ecdsa-sha2-nistp256', forever)).rejects.toMatchObject({
      code: 'SIGNATURE_REFUSED',
      message: `kms:alias/moving is another KMS key now (${other}): the signature is not used, because hosts know the key before`,
      hint: expect.stringContaining('load the key again'),
    });
    const next = await stage.open('kms:alias/moving');
    await next.sign(Buffer.of(1), 'ecdsa-sha2-nistp256', forever);
    expect(next.publicKey.blob.equals(signer.publicKey.blob)).toBe(false);
  });

  it('goes on with the old key while a rotation has its alias for old keys, and not longer', async () => {
    const old = stage.aws.signingKeys.create({ ...place, alias: 'alias/rotating' });
    const [next, third] = [stage.aws.signingKeys.create(place), stage.aws.signingKeys.create(place)];
    const sign = (): Promise<Buffer> => signer.sign(Buffer.of(1), 'ecdsa-sha2-nistp256', forever);
    const callsOfSign = async (): Promise<number> => {
      stage.aws.forgetCalls();
      await sign();
      return stage.operations().filter((operation) => operation === 'kms:Sign').length;
    };
    const signer = await stage.open('kms:alias/rotating');
    stage.aws.signingKeys.setAlias(place, 'alias/rotating/previous', old);
    stage.aws.signingKeys.setAlias(place, 'alias/rotating', next);
    // The first signature finds out.
    expect([await callsOfSign(), await callsOfSign()]).toEqual([2, 1]);
    stage.aws.signingKeys.setAlias(place, 'alias/rotating/previous', third);
    await expect(sign()).rejects.toMatchObject({ code: 'SIGNATURE_REFUSED' });
    stage.aws.signingKeys.setAlias(place, 'alias/rotating/previous', old);
    await sign();
    stage.aws.signingKeys.removeAlias(place, 'alias/rotating/previous');
    await expect(sign()).rejects.toMatchObject({ message: expect.stringContaining('another KMS key now') });
    stage.aws.signingKeys.setAlias(place, 'alias/rotating', old);
    expect(await callsOfSign()).toBe(1);
  });

  it('signs for many at once', async () => {
    const signer = await stage.open(stage.aws.signingKeys.create(place));
    const signatures = Array.from({ length: 50 }, (_, count) =>
      signMessage(signer, `commit ${count}`, 'ecdsa-sha2-nistp256'),
    );
    for (const [count, signature] of (await Promise.all(signatures)).entries())
      if (count % 10 === 0)
        expect(await verifyMessage(signer, `commit ${count}`, signature)).toMatch(/^Good/);
  });
});

describe('several Regions', () => {
  const regions = ['eu-central-1', 'eu-west-1'];
  const throttled = { operation: 'kms:*', region: 'eu-central-1', fault: 'throttling' } as const;

  it('are asked in turn, and the one that answers signs', async () => {
    stage.aws.signingKeys.create({ ...place, alias: 'alias/regional' });
    stage.aws.faults.order(throttled);
    const signer = await stage.open('kms:alias/regional', { regions });
    await signer.sign(Buffer.of(1), 'ecdsa-sha2-nistp256', forever);
    expect(signer.region).toBe('eu-west-1');
    expect(stage.warnings.at(-1)).toMatch(
      /^kms in eu-central-1 limits the rate of calls, .*: trying eu-west-1$/,
    );
    expect(stage.aws.calls.map(({ operation, region }) => `${operation} ${region ?? ''}`)).toEqual([
      ...['kms:GetPublicKey eu-central-1', 'kms:GetPublicKey eu-central-1'],
      ...['kms:GetPublicKey eu-west-1', 'kms:Sign eu-west-1'],
    ]);
  });

  it('are not asked for an ARN, nor where the first has no such key', async () => {
    const arn = stage.aws.signingKeys.create(place);
    await stage.open(arn, { regions });
    await expect(stage.open('kms:alias/regional', { regions })).rejects.toMatchObject({
      code: 'KEY_NOT_FOUND',
    });
    expect(stage.aws.calls.map(({ region }) => region)).toEqual(['eu-west-1', 'eu-central-1']);
  });
});
