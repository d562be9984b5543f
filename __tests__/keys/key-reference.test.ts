/** References to keys that are not read: keys in KMS, and keys that are made for one use. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/errors.ts';
import { isStored, parseKeyReference } from '../../src/keys/key-reference.ts';
import { parseReference } from '../../src/keys/reference.ts';
import { failureOf, outcomeOf } from '../support/failure-of.ts';
import { anyText } from '../support/any-text.ts';

const id = '1234abcd-12ab-34cd-56ef-1234567890ab';
const multiRegion = `mrk-${'0123456789abcdef'.repeat(2)}`;
const ireland = { partition: 'aws', region: 'eu-west-1', account: '111122223333' };
const arn = 'arn:aws:kms:eu-west-1:111122223333:';

describe('a reference to a key', () => {
  it.each([
    ['kms:alias/deploy', 'alias/deploy'],
    ['kms:alias/ci/Deploy_key-2', 'alias/ci/Deploy_key-2'],
    [`kms:alias/${'a'.repeat(250)}`, `alias/${'a'.repeat(250)}`],
    [`kms:${id}`, id],
    [`kms:${multiRegion}`, multiRegion],
  ])('%s is a key in KMS', (text, name) => {
    expect(parseKeyReference(text)).toEqual({ kind: 'kms', text, name });
  });

  it.each([
    [`${arn}alias/deploy`, ireland],
    [`${arn}key/${id}`, ireland],
    [`${arn}key/${multiRegion}`, ireland],
    [
      `arn:aws-cn:kms:cn-north-1:111122223333:alias/deploy`,
      { ...ireland, partition: 'aws-cn', region: 'cn-north-1' },
    ],
  ])('%s goes to KMS as an ARN', (text, location) => {
    expect(parseKeyReference(text)).toEqual({ kind: 'kms', text, name: text, location });
  });

  it.each(['ed25519', 'ecdsa', 'rsa'])('new:%s is a key to make', (type) => {
    expect(parseKeyReference(`new:${type}`)).toEqual({ kind: 'new', text: `new:${type}`, type });
  });

  it('to a stored value is the same as for other callers', () => {
    for (const text of [
      '/ci/key:7',
      'ssm:kms:prod',
      'ssm:new:ed25519',
      'secretsmanager:ci/key',
      'kmsx',
      'new',
    ]) {
      expect(parseKeyReference(text)).toEqual(parseReference(text));
      expect(isStored(parseKeyReference(text))).toBe(true);
    }
  });

  it.each([
    ['kms:', 'has no name', 'kms:alias/NAME'],
    ['kms:alias/', 'has no name', 'kms:alias/NAME'],
    ['kms:deploy', 'neither the id of a KMS key nor alias/NAME', 'ssm:kms:VERSION'],
    ['kms:7', 'neither the id', 'ssm:kms:VERSION'],
    [`kms:${id}0`, 'neither the id', 'kms:KEY-ID'],
    ['kms:mrk-1234', 'neither the id', 'kms:KEY-ID'],
    ['kms:/ci/key', 'neither the id', 'kms:alias/NAME'],
    ['kms:alias/a b', 'characters that are not allowed in an alias', 'letters'],
    ['kms:alias/a:b', 'characters that are not allowed in an alias', 'letters'],
    [`kms:alias/${'a'.repeat(251)}`, 'longer than 256', 'kms:alias/NAME'],
    ['kms:alias/aws/ssm', 'a key that AWS manages, which cannot sign', 'keygen kms:alias/NAME'],
    ['kms:aws/ssm', 'a key that AWS manages', 'keygen kms:alias/NAME'],
    [`${arn}alias/aws/ssm`, 'a key that AWS manages', 'keygen kms:alias/NAME'],
    [`kms:${arn}alias/deploy`, 'neither the id', 'the ARN of a key'],
    [`${arn}deploy`, 'the ARN of neither a KMS key nor an alias', 'ARN'],
    [`${arn}key/alias/deploy`, 'the ARN of neither a KMS key nor an alias', 'ARN'],
    ['arn:aws:kms:eu-west-1:1:key/x', 'not the ARN of a KMS key', 'arn:aws:kms:REGION'],
    ['arn:gcp:kms:eu-west-1:111122223333:alias/x', 'not the ARN of a KMS key', 'arn:aws:kms:REGION'],
    ['new:', 'no type of key after new:', 'new:ed25519'],
    ['new:dsa', 'no type of key after new:', 'ssm:new:VERSION'],
    ['new:ED25519', 'no type of key after new:', 'new:ed25519'],
  ])('%s is refused: %s', (text, problem, hint) => {
    const failure = failureOf(() => parseKeyReference(text));
    expect(failure.code).toBe('INPUT_INVALID');
    expect(failure.message).toMatch(new RegExp(`^the key reference ".*(${problem})`));
    expect(failure.hint).toContain(hint);
  });

  it.each([
    ['kms:alias/deploy', 'names a key in KMS'],
    [`${arn}key/${id}`, 'names a key in KMS'],
    ['kms:7', 'names a key in KMS'],
    ['new:ed25519', 'stands for a key that is made in memory'],
  ])('%s is refused where a stored value is needed', (text, problem) => {
    const failure = failureOf(() => parseReference(text));
    expect(failure).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(problem),
      hint: expect.stringContaining('/NAME or secretsmanager:NAME'),
    });
  });

  it('of any text is a reference or a Failure', () => {
    const parts = fc.constantFrom(
      'kms:',
      'new:',
      'alias/',
      'key/',
      'aws/',
      'rsa',
      id,
      arn,
      'x',
      '/',
      ':',
      ' ',
    );
    const texts = fc.oneof(
      anyText().map((text) => `kms:${text}`),
      fc.array(parts).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const outcome = outcomeOf(() => parseKeyReference(text));
        return outcome instanceof Failure ? outcome.code === 'INPUT_INVALID' : outcome.text === text;
      }),
      { numRuns: 2000 },
    );
  });
});
