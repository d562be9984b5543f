/** The statements for keys in KMS, evaluated like IAM. */
import { describe, expect, it } from '@jest/globals';
import type { Purpose } from '../../src/aws/key-policy.ts';
import { checkKmsPurpose, kmsKeyStatements } from '../../src/aws/kms-policy.ts';
import { documentOf } from '../../src/aws/statement.ts';
import { kmsReferencesOf, parseKeyLine } from '../../src/keys/key-line.ts';
import { parsePolicy } from '../support/aws/iam/policy-document.ts';
import { decide, type RequestContext } from '../support/aws/iam/policy.ts';
import { failureOf } from '../support/failure-of.ts';

const home = { partition: 'aws', region: 'eu-west-1', account: '111122223333' };
const id = '1234abcd-12ab-34cd-56ef-1234567890ab';
const keyArn = `arn:aws:kms:eu-west-1:111122223333:key/${id}`;
const otherId = '99999999-12ab-34cd-56ef-1234567890ab';

const referencesIn = (...lines: string[]) => kmsReferencesOf(lines.map(parseKeyLine));

/** A function that says whether the policy allows an action. A request that is a text names the key by this alias. */
function policyFor(lines: readonly string[], purpose: Purpose) {
  const statements = kmsKeyStatements(referencesIn(...lines), purpose, home);
  const identity = [parsePolicy(JSON.stringify(documentOf(statements)), 'permission')];
  return (action: string, resource: string, request: string | RequestContext = {}): boolean => {
    const context = typeof request === 'string' ? { 'kms:RequestAlias': request } : request;
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

  it('lets its holder rotate them, and deletes no other key, and none at once', () => {
    const may = policyFor(['kms:alias/deploy'], 'rotate');
    const own = 'arn:aws:kms:eu-west-1:111122223333:alias/deploy';
    const aliases = [own, `${own}/next`, `${own}/previous`];
    const which = (action: string): boolean[] => aliases.map((arn) => may(action, arn));
    expect(which('kms:UpdateAlias')).toEqual([true, true, false]);
    expect(which('kms:CreateAlias')).toEqual([false, true, true]);
    expect(which('kms:DeleteAlias')).toEqual([false, true, true]);
    const deletes = (alias: string, days: string): boolean =>
      may('kms:ScheduleKeyDeletion', keyArn, {
        ...{ 'kms:ResourceAliases': [alias], 'kms:ScheduleKeyDeletionPendingWindowInDays': days },
      });
    expect([deletes('alias/deploy/previous', '30'), deletes('alias/deploy', '7')]).toEqual([true, false]);
    expect([deletes('alias/other', '30'), may('kms:ScheduleKeyDeletion', keyArn)]).toEqual([false, false]);
    expect([may('kms:Sign', keyArn), may('kms:Sign', keyArn, 'alias/deploy/next')]).toEqual([false, true]);
    expect(
      ['PutKeyPolicy', 'DisableKey', 'CreateGrant'].filter((name) => may(`kms:${name}`, keyArn)),
    ).toEqual([]);
  });

  it('has a name of its own for each statement', () => {
    const lines = ['kms:alias/a', `kms:${id}`, 'arn:aws:kms:us-east-1:444455556666:alias/a'];
    const names = kmsKeyStatements(referencesIn(...lines), 'read', home).map(({ Sid }) => Sid);
    expect([names.length, new Set(names).size]).toEqual([3, 3]);
  });

  it.each([
    [`kms:${id}`, 'rotate', 'is not the alias of a KMS key'],
    ['arn:aws:kms:us-east-1:444455556666:alias/a', 'rotate', 'is not the alias of a KMS key'],
    [`kms:${id}`, 'write', 'is not the name of a new KMS key'],
    ['arn:aws:kms:us-east-1:444455556666:alias/a', 'write', 'is not the name of a new KMS key'],
  ] as const)('for %s to %s is refused', (line, purpose, message) => {
    const failure = failureOf(() => {
      checkKmsPurpose(referencesIn(line), purpose);
    });
    expect([failure.code, failure.message]).toEqual(['INPUT_INVALID', expect.stringContaining(message)]);
  });
});

describe('a purpose of a policy', () => {
  const check = (purpose: Purpose, ...lines: string[]) => {
    checkKmsPurpose(referencesIn(...lines), purpose);
  };

  it('to rotate is refused for anything but an alias in the own account', () => {
    const wrong = ['arn:aws:kms:us-east-1:444455556666:alias/there', `kms:${id}`];
    for (const line of wrong) {
      expect(
        failureOf(() => {
          check('rotate', 'kms:alias/deploy', line);
        }),
      ).toMatchObject({
        code: 'INPUT_INVALID',
        message: `${line} is not the alias of a KMS key, to which rotate gives a new key`,
        hint: 'write kms:alias/NAME',
      });
    }
  });

  it('to write is refused for anything but a new alias in the own account', () => {
    const wrong = ['arn:aws:kms:us-east-1:444455556666:alias/there', `kms:${id}`];
    for (const line of wrong) {
      expect(
        failureOf(() => {
          check('write', 'kms:alias/deploy', line);
        }),
      ).toMatchObject({
        code: 'INPUT_INVALID',
        message: `${line} is not the name of a new KMS key`,
        hint: 'keygen and put make kms:alias/NAME, in the account and Region of the credentials',
      });
    }
    expect(() => {
      check('write', 'kms:alias/deploy');
    }).not.toThrow();
  });

  it('to read is never refused, and no reference needs no statement', () => {
    expect(() => {
      check('read', `kms:${id}`);
    }).not.toThrow();
    expect(() => {
      check('rotate');
    }).not.toThrow();
    expect(kmsKeyStatements([], 'write', home)).toEqual([]);
    expect(kmsKeyStatements([], 'read', home)).toEqual([]);
  });

  it('names each statement', () => {
    const names = (lines: readonly string[], purpose: Purpose) =>
      kmsKeyStatements(referencesIn(...lines), purpose, home).map(({ Sid }) => Sid);
    expect(names(['kms:alias/deploy'], 'write')).toEqual(['MakeKmsKeys', 'FurnishKmsKeys', 'NameKmsKeys']);
    expect(names([`kms:${id}`, 'kms:alias/deploy'], 'read')).toEqual(['SignWithKmsKeys', 'SignWithKmsKeys1']);
  });
});
