/** The policy statements for keys in KMS. */
import { describe, expect, it } from '@jest/globals';
import { kmsStatement } from '../../src/aws/kms-statement.ts';
import { parseKeyReference, type KmsReference } from '../../src/keys/key-reference.ts';

const home = { partition: 'aws', region: 'eu-west-1', account: '111122223333' };
const id = '1234abcd-12ab-34cd-56ef-1234567890ab';
const statementFor = (text: string): object => kmsStatement(parseKeyReference(text) as KmsReference, home);
const common = { Effect: 'Allow', Action: ['kms:GetPublicKey', 'kms:Sign'] };

describe('the statement to sign', () => {
  it.each([
    [`kms:${id}`, `arn:aws:kms:eu-west-1:111122223333:key/${id}`],
    [`kms:mrk-${'1'.repeat(32)}`, `arn:aws:kms:eu-west-1:111122223333:key/mrk-${'1'.repeat(32)}`],
    [`arn:aws-cn:kms:cn-north-1:444455556666:key/${id}`, `arn:aws-cn:kms:cn-north-1:444455556666:key/${id}`],
  ])('with %s names the key', (text, Resource) => {
    expect(statementFor(text)).toEqual({ ...common, Resource });
  });

  it.each([
    ['kms:alias/ci/deploy', 'arn:aws:kms:eu-west-1:111122223333:key/*'],
    ['arn:aws:kms:us-east-1:444455556666:alias/ci/deploy', 'arn:aws:kms:us-east-1:444455556666:key/*'],
  ])('with %s names every key, by this alias and by that of a rotation', (text, Resource) => {
    const aliases = ['alias/ci/deploy', 'alias/ci/deploy/previous'];
    const Condition = { StringEquals: { 'kms:RequestAlias': aliases } };
    expect(statementFor(text)).toEqual({ ...common, Resource, Condition });
  });

  it('may be for one permission', () => {
    const reference = parseKeyReference(`kms:${id}`) as KmsReference;
    expect(kmsStatement(reference, home, ['kms:GetPublicKey'])).toMatchObject({ Action: 'kms:GetPublicKey' });
  });
});
