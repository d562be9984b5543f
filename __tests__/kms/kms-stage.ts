/** Signers of keys in the local AWS's KMS, opened by the real AWS SDK over HTTP. */
import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { openConnection, type Connection } from '../../src/aws/connection.ts';
import type { Regions } from '../../src/aws/failover.ts';
import type { KmsPlace } from '../../src/kms/kms-client.ts';
import { openKmsSigner, type KmsSigner } from '../../src/kms/kms-signer.ts';
import { parseKeyReference, type KmsReference } from '../../src/keys/key-reference.ts';
import type { LocalAws, LocalAwsOptions, PolicyDocument } from '../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, startReadyWorld } from '../support/aws/world.ts';

export const place = { account: ACCOUNT, region: REGION };
export const login = allow(['kms:GetPublicKey', 'kms:Sign'], '*');

export interface KmsStage {
  readonly aws: LocalAws;
  readonly warnings: string[];
  readonly open: (reference: string, more?: Partial<Regions>, policy?: PolicyDocument) => Promise<KmsSigner>;
  /** The KMS of another connection. */
  readonly place: (policy?: PolicyDocument) => Omit<KmsPlace, 'region'>;
  /** The operations that were called. */
  readonly operations: () => string[];
  readonly close: () => Promise<void>;
}

export function kmsReference(text: string): KmsReference {
  return parseKeyReference(text) as KmsReference;
}

/** @param maxAttempts default 2 */
export async function openKmsStage(options: LocalAwsOptions = {}, maxAttempts = 2): Promise<KmsStage> {
  const { aws, stop } = await startReadyWorld(options);
  process.env['AWS_ENDPOINT_URL'] = aws.endpoint;
  const connections: Connection[] = [];
  const warnings: string[] = [];
  const placeFor = (policy = login): Omit<KmsPlace, 'region'> => {
    const connection = openConnection({ env: {}, maxAttempts });
    connections.push(connection);
    const user = { userArn: `arn:aws:iam::${ACCOUNT}:user/signer`, policies: [policy] };
    return { connection, credentials: { sessionToken: '', ...aws.iam.createAccessKey(user) } };
  };
  return {
    ...{ aws, warnings, place: placeFor },
    open: (reference, more = {}, policy = login) =>
      openKmsSigner(kmsReference(reference), placeFor(policy), {
        ...{ regions: [REGION], share: 5_000, signal: new AbortController().signal },
        warn: (message) => warnings.push(message),
        ...more,
      }),
    operations: () => aws.calls.map(({ operation }) => operation),
    close: async () => {
      for (const { requestHandler } of connections) requestHandler.destroy();
      delete process.env['AWS_ENDPOINT_URL'];
      await stop();
    },
  };
}

/** The stage of the tests in a file that calls useKmsStage. */
export let stage: KmsStage;

/** One for all tests of a file; each begins without calls and without faults. */
export function useKmsStage(): void {
  beforeAll(async () => {
    stage = await openKmsStage();
  });
  afterAll(() => stage.close());
  beforeEach(() => {
    stage.aws.forgetCalls();
    stage.aws.faults.clear();
  });
}
