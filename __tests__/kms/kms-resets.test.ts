/** Connections to KMS that end in the middle of a call: by RST before the answer, by RST in its middle, and by a close there. */
import { createPublicKey, verify } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Failure } from '../../src/errors.ts';
import type { KmsSigner } from '../../src/kms/kms-signer.ts';
import { WireReader } from '../../src/keys/wire.ts';
import { openKmsStage, place, type KmsStage } from './kms-stage.ts';

const [data, algorithm] = [Buffer.from('what is signed'), 'ssh-ed25519'] as const;
let stage: KmsStage;
let arn: string;
beforeAll(async () => {
  // Two tries of a call.
  stage = await openKmsStage();
  arn = stage.aws.signingKeys.create({ ...place, spec: 'ECC_NIST_EDWARDS25519' });
});
afterAll(() => stage.close());
beforeEach(() => {
  stage.aws.faults.clear();
  stage.aws.forgetCalls();
});

const sign = (signer: KmsSigner): Promise<Buffer> =>
  signer.sign(data, algorithm, AbortSignal.timeout(20_000));

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  const outcome = await work.catch((error: unknown) => error);
  return outcome instanceof Failure ? outcome.code : outcome;
}

function isValid(signature: Buffer): boolean {
  const { privateKey } = stage.aws.signingKeys.get(arn);
  if (!privateKey) throw new Error('no key');
  const reader = new WireReader(signature);
  reader.string();
  return verify(null, data, createPublicKey(privateKey), reader.string());
}

describe.each(['reset', 'torn', 'cut'] as const)('a connection with the fault "%s"', (fault) => {
  it('while the public key is read is opened again', async () => {
    stage.aws.faults.order({ operation: 'kms:GetPublicKey', fault, times: 1 });
    const signer = await stage.open(arn);
    expect(stage.operations()).toEqual(['kms:GetPublicKey', 'kms:GetPublicKey']);
    expect(isValid(await sign(signer))).toBe(true);
  });

  it('at each try to read the public key is NETWORK_UNREACHABLE', async () => {
    stage.aws.faults.order({ operation: 'kms:GetPublicKey', fault });
    expect(await codeOf(stage.open(arn))).toBe('NETWORK_UNREACHABLE');
    expect(stage.operations()).toHaveLength(2);
  });

  it('while KMS signs is opened again, and the signature is the right one', async () => {
    const signer = await stage.open(arn);
    stage.aws.faults.order({ operation: 'kms:Sign', fault, times: 1 });
    expect(isValid(await sign(signer))).toBe(true);
    expect(stage.operations()).toEqual(['kms:GetPublicKey', 'kms:Sign', 'kms:Sign']);
  });

  it('at each try to sign is NETWORK_UNREACHABLE, and the signer works afterwards', async () => {
    const signer = await stage.open(arn);
    stage.aws.faults.order({ operation: 'kms:Sign', fault });
    expect(await codeOf(sign(signer))).toBe('NETWORK_UNREACHABLE');
    stage.aws.faults.clear();
    expect(isValid(await sign(signer))).toBe(true);
  });

  it('in the middle of many signatures costs none of them', async () => {
    const signer = await stage.open(arn);
    stage.aws.faults.order({ operation: 'kms:Sign', fault, times: 1, skip: 5 });
    const signatures = await Promise.all(Array.from({ length: 20 }, () => sign(signer)));
    expect(signatures.every(isValid)).toBe(true);
    expect(stage.operations().filter((name) => name === 'kms:Sign')).toHaveLength(21);
  });
});
