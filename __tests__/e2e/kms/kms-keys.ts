/** Keys in the local KMS for the tests of hosts, with the lines that hosts register. */
import { createPublicKey } from 'node:crypto';
import { authorizedKeysLine } from '../../../src/keys/public-key.ts';
import { readSpki } from '../../../src/keys/spki.ts';
import { ACCOUNT, allow, REGION, type ReadyWorld } from '../../support/aws/world.ts';

export const place = { account: ACCOUNT, region: REGION };

/** What a role needs to sign. */
export const maySign = allow(['kms:GetPublicKey', 'kms:Sign'], `arn:aws:kms:${REGION}:${ACCOUNT}:key/*`);

export interface KmsKey {
  readonly arn: string;
  /** `TYPE BASE64 COMMENT` */
  readonly publicKey: string;
}

/** @param alias without `alias/` */
export function makeKmsKey(
  { aws: { signingKeys } }: Pick<ReadyWorld, 'aws'>,
  alias: string,
  spec = 'ECC_NIST_EDWARDS25519',
): KmsKey {
  const arn = signingKeys.create({ ...place, spec, alias: `alias/${alias}` });
  const { privateKey } = signingKeys.get(arn);
  if (!privateKey) throw new Error('the key has no material');
  const publicKey = readSpki(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
  if (!publicKey) throw new Error('not a key of SSH');
  return { arn, publicKey: authorizedKeysLine({ ...publicKey, comment: alias }) };
}

/** The operations of KMS so far, in order. */
export function kmsCalls({ aws }: Pick<ReadyWorld, 'aws'>): string[] {
  return aws.calls.flatMap(({ operation }) => (operation.startsWith('kms:') ? [operation] : []));
}
