/** The statements for keys in KMS, evaluated like IAM. */
import { describe, expect, it } from '@jest/globals';
import type { Purpose } from '../../src/aws/key-policy.ts';
import { checkKmsPurpose, kmsKeyStatements } from '../../src/aws/kms-policy.ts';
import { documentOf } from '../../src/aws/statement.ts';
import { kmsReferencesOf, parseKeyLine } from '../../src/keys/key-line.ts';
import { parsePolicy } from '../support/aws/iam/policy-document.ts';
import { decide } from '../support/aws/iam/policy.ts';
import { failureOf } from '../support/failure-of.ts';

const home = { partition: 'aws', region: 'eu-west-1', account: '111122223333' };
const id = '1234abcd-12ab-34cd-56ef-1234567890ab';
const keyArn = `arn:aws:kms:eu-west-1:111122223333:key/${id}`;
const otherId = '99999999-12ab-34cd-56ef-1234567890ab';

const referencesIn = (...lines: string[]) => kmsReferencesOf(lines.map(parseKeyLine));

/** A function that says whether the policy allows an action. */
function policyFor(lines: readonly string[], purpose: Purpose) {
  const statements = kmsKeyStatements(referencesIn(...lines), purpose, home);
  const identity = [parsePolicy(JSON.stringify(documentOf(statements)), 'permission')];
  return (action: string, resource: string, alias?: string): boolean => {
    const context = alias === undefined ? {} : { 'kms:RequestAlias': alias };
    return decide({ identity }, { action, resource, context }).allowed;
  };
}

describe('a policy for keys in KMS', () => {
  it('lets its holder sign with these keys, called as they are written', () => {
    const may = policyFor(
      [
        'kms:alias/deploy',
        `kms:${id}`,
        'new:ed25519 ca=kms:alias/user-ca principals=web',
        'arn:aws:kms:us-east-1:444455556666:alias/there',
      ],
      'read',
    );
    for (const action of ['kms:Sign', 'kms:GetPublicKey']) {
      expect(may(action, keyArn)).toBe(true);
      expect(may(action, keyArn.replace(id, otherId))).toBe(false);
      for (const alias of ['alias/deploy', 'alias/user-ca'])
        expect(may(action, keyArn.replace(id, otherId), alias)).toBe(true);
      const there = `arn:aws:kms:us-east-1:444455556666:key/${id}`;
      expect([may(action, there, 'alias/there'), may(action, there, 'alias/deploy')]).toEqual([true, false]);
      expect(may(action, keyArn.replace(id, otherId), 'alias/there')).toBe(false);
    }
    expect(['kms:DescribeKey', 'kms:Decrypt', 'kms:CreateKey'].filter((one) => may(one, keyArn))).toEqual([]);
  });

  it('lets its holder make them, and neither sign with others nor delete, move or disable them', () => {
    const may = policyFor(['kms:alias/deploy'], 'write');
    const alias = 'arn:aws:kms:eu-west-1:111122223333:alias/deploy';
    expect(may('kms:CreateKey', '*') && may('kms:CreateAlias', alias) && may('kms:CreateAlias', keyArn)).toBe(
      true,
    );
    expect(may('kms:CreateAlias', `${alias}2`)).toBe(false);
    const never = ['Sign', 'ScheduleKeyDeletion', 'UpdateAlias', 'DisableKey', 'PutKeyPolicy', 'CreateGrant'];
    expect(never.filter((name) => may(`kms:${name}`, keyArn) || may(`kms:${name}`, alias))).toEqual([]);
  });

  it('has a name of its own for each statement', () => {
    const lines = ['kms:alias/a', `kms:${id}`, 'arn:aws:kms:us-east-1:444455556666:alias/a'];
    const names = kmsKeyStatements(referencesIn(...lines), 'read', home).map(({ Sid }) => Sid);
    expect([names.length, new Set(names).size]).toEqual([3, 3]);
  });

  it.each([
    ['kms:alias/deploy', 'rotate', '--for rotate is for keys that are stored'],
    [`kms:${id}`, 'write', 'is not the name of a new KMS key'],
    ['arn:aws:kms:us-east-1:444455556666:alias/a', 'write', 'is not the name of a new KMS key'],
  ] as const)('for %s to %s is refused', (line, purpose, message) => {
    const failure = failureOf(() => {
      checkKmsPurpose(referencesIn(line), purpose);
    });
    expect([failure.code, failure.message]).toEqual(['INPUT_INVALID', expect.stringContaining(message)]);
  });
});
