/** References at their limits, and names under which something is stored. */
import { describe, expect, it } from '@jest/globals';
import { parseKeyReference } from '../../src/keys/key-reference.ts';
import { arnOf, identityOf, parseReference, type ParameterReference } from '../../src/keys/reference.ts';
import {
  checkArnLength,
  checkSize,
  parameterName,
  parseStorageName,
  shownName,
} from '../../src/keys/storage-name.ts';
import { failureOf } from '../support/failure-of.ts';

const [partition, region, account] = ['aws', 'eu-west-1', '111122223333'];
const location = { partition, region, account };
const arn = `arn:aws:ssm:${region}:${account}:parameter`;
const secretArn = `arn:aws:secretsmanager:${region}:${account}:secret`;
const kmsArn = `arn:aws:kms:${region}:${account}`;
const id = '01234567-89ab-cdef-0123-456789abcdef';

describe('a reference at its limit', () => {
  const secret = `${secretArn}:${'n'.repeat(519)}`;
  it.each([
    `/${'k'.repeat(1010)}`,
    secret,
    `secretsmanager:k::${'s'.repeat(256)}`,
    `secretsmanager:k:::${'0'.repeat(64)}`,
    `secretsmanager:k:::${'0'.repeat(32)}`,
    `kms:alias/${'a'.repeat(250)}`,
  ])('is accepted: %s', (text) => {
    expect(parseKeyReference(text).text).toBe(text);
  });

  it.each([
    [`/${'k'.repeat(1011)}`, `"/${'k'.repeat(39)}…" is longer than 1,011 characters, the limit of a name`],
    [`${secret}n`, `"${secret.slice(0, 40)}…" is longer than 512 characters, the limit of a name`],
    [
      `secretsmanager:k::${'s'.repeat(257)}`,
      `"secretsmanager:k::${'s'.repeat(22)}…" is longer than 256 characters, the limit of a version stage`,
    ],
    [
      `secretsmanager:k:::${'0'.repeat(31)}`,
      `"secretsmanager:k:::${'0'.repeat(31)}" has ":${'0'.repeat(31)}" instead of a version id, which has 32 to 64 characters`,
    ],
    [
      `kms:alias/${'a'.repeat(251)}`,
      `"kms:alias/${'a'.repeat(30)}…" is longer than 256 characters, the limit of an alias`,
    ],
  ])('is refused with a character more: %s', (text, message) => {
    expect(failureOf(() => parseKeyReference(text)).message).toBe(`the key reference ${message}`);
  });
});

describe('an ARN', () => {
  it.each([
    [`${arn}/k`, { kind: 'parameter', location }],
    ['arn:aws-cn:ssm:cn-north-1:111122223333:parameter/k', { location: { partition: 'aws-cn' } }],
    ['arn:aws-us-gov:secretsmanager:us-gov-west-1:111122223333:secret:k-AbCdEf', { kind: 'secret' }],
    [`${kmsArn}:alias/key/x`, { kind: 'kms', location }],
    [`${kmsArn}:key/${id}`, { kind: 'kms' }],
  ])('%s is read', (text, expected) => {
    expect(parseKeyReference(text)).toMatchObject(expected);
  });

  it.each([
    ['arn:aws:ssm:eu-west-1:111122223333:parameterk', 'is not the ARN of a parameter or a secret'],
    ['arn:aws1:ssm:eu-west-1:111122223333:parameter/k', 'is not the ARN of a parameter or a secret'],
    ['arn:aws:ssm:EU:111122223333:parameter/k', 'is not the ARN of a parameter or a secret'],
    ['arn:aws:ssm:eu-west-1:1111222233334:parameter/k', 'is not the ARN of a parameter or a secret'],
    ['arn:aws1:secretsmanager:eu-west-1:111122223333:secret:k', 'is not the ARN of a secret'],
    ['arn:aws:secretsmanager:eu-west-1:111122223333:secret', 'is not the ARN of a secret'],
    ['secretsmanager:arn:aws:secretsmanager:eu-west-1:1:secret:k', 'is not the ARN of a secret'],
    ['arn:aws:kms:eu-west-1:1111:alias/k', 'is not the ARN of a KMS key'],
    ['arn:aws:kms:eu-west-1', 'is not the ARN of a KMS key'],
    ['arn:aws:kms::111122223333:alias/k', 'is not the ARN of a KMS key'],
    [`${kmsArn}:grant/x`, 'is the ARN of neither a KMS key nor an alias'],
    [`${kmsArn}:xkey/${id}`, 'is the ARN of neither a KMS key nor an alias'],
    [`${kmsArn}:key/alias/k`, 'is the ARN of neither a KMS key nor an alias'],
    [`${kmsArn}:key/x${id}`, 'has neither the id of a KMS key nor alias/NAME'],
    [`${kmsArn}:alias/`, 'has no name'],
  ])('%s is refused: it %s', (text, problem) => {
    expect(failureOf(() => parseKeyReference(text)).message).toBe(`the key reference "${text}" ${problem}`);
  });

  it.each([
    ['/a/b', `${arn}/a/b`],
    ['a', `${arn}/a`],
    ['secretsmanager:a-AbCdEf', `${secretArn}:a-AbCdEf-??????`],
    [`${secretArn}:a-AbCdEf`, `${secretArn}:a-AbCdEf`],
    [`${secretArn}:a-AbCdEf-x`, `${secretArn}:a-AbCdEf-x-??????`],
  ])('for a policy of %s is %s', (text, expected) => {
    expect(arnOf(parseReference(text), location)).toBe(expected);
  });

  it.each([
    ['secretsmanager:a', 'secretsmanager:a:::'],
    [`${secretArn}:a-AbCdEf:k`, `${secretArn}:a-AbCdEf:k::`],
    ['/a:1', '/a:1'],
  ])('is the same for the same value: %s is %s', (text, identity) => {
    expect(identityOf(parseReference(text))).toBe(identity);
  });
});

describe('a key in KMS', () => {
  it.each([`kms:${id}`, `kms:mrk-${'0'.repeat(32)}`, 'kms:alias/a/aws/b'])('is named by %s', (text) => {
    expect(parseKeyReference(text)).toEqual({ kind: 'kms', text, name: text.slice('kms:'.length) });
  });

  it.each([
    [`kms:x${id}`, 'has neither the id'],
    [`kms:${id}x`, 'has neither the id'],
    ['kms:alias/aws/ssm', 'names a key that AWS manages'],
    ['kms:aws/ssm', 'names a key that AWS manages'],
    ['kms:x/aws/ssm', 'has neither the id'],
    ['new:dsa', 'has no type of key'],
    ['new:', 'has no type of key'],
  ])('is not named by %s, which %s', (text, problem) => {
    expect(failureOf(() => parseKeyReference(text)).message).toContain(`"${text}" ${problem}`);
  });
});

describe('a name under which a value is stored', () => {
  const parse = (text: string, secret = false): ReturnType<typeof parseStorageName> =>
    parseStorageName(text, { secret });
  const inKms = 'names a key in KMS, where no value is stored';

  it.each([
    [
      'kms:alias/a',
      inKms,
      'write the name of a parameter (/ci/deploy-key) or a secret (secretsmanager:ci/deploy)',
    ],
    [
      'arn:aws:kms:x',
      inKms,
      'write the name of a parameter (/ci/deploy-key) or a secret (secretsmanager:ci/deploy)',
    ],
    [
      'arn:aws-cn:kms:x',
      inKms,
      'write the name of a parameter (/ci/deploy-key) or a secret (secretsmanager:ci/deploy)',
    ],
    ['/a:7', 'names one version, and a new key becomes a new version', 'write /a'],
    [`${arn}/a:prod`, 'names one version, and a new key becomes a new version', `write ${arn}/a`],
    [
      'secretsmanager:a:b:c',
      'names one version, and a new key becomes a new version',
      'write only the name of the secret, and its JSON key if it has one',
    ],
    [
      `${arn}/a`,
      'is the ARN of the name a as well as of /a',
      'write the name itself with --region eu-west-1: /a, or a where it has no slash',
    ],
  ])('is not %s, which %s', (text, problem, hint) => {
    const failure = failureOf(() => parse(text));
    expect([failure.message, failure.hint]).toEqual([`"${text}" ${problem}`, hint]);
  });

  it.each([
    ['/kms/new', '/kms/new'],
    ['/my/aws', '/my/aws'],
    ['/x/ssm', '/x/ssm'],
    [`${arn}/a/b`, '/a/b'],
  ])('may be that of a parameter: %s', (text, name) => {
    const reference = parse(text) as ParameterReference;
    expect([parameterName(reference), shownName(reference)]).toEqual([name, name]);
  });

  it.each([
    ['xssm:a', 'xssm'],
    ['secretsmanager:a-AbCdEf', 'a-AbCdEf'],
    [`${secretArn}:a-AbCdEf`, 'a'],
    [`${secretArn}:a-AbCdEf-b-GhIjKl`, 'a-AbCdEf-b'],
    ['arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:a-AbCdEf', 'a'],
    ['a', 'a'],
  ])('may be that of a secret with --secretsmanager: %s', (text, name) => {
    const reference = parse(text, true);
    expect([reference.kind, shownName(reference)]).toEqual(['secret', name]);
  });

  it.each([
    ['/a', 4097, 'Standard', 'the value for /a has 4097 bytes, and a standard parameter holds 4096'],
    ['/a', 8193, 'Advanced', 'the value for /a has 8193 bytes, and a parameter holds 8192'],
    [
      'secretsmanager:a',
      65_537,
      'Standard',
      'the value for secretsmanager:a has 65537 bytes, and a secret holds 65536',
    ],
  ] as const)('%s holds no value of %i bytes (%s)', (...[text, size, tier, message]) => {
    const check = (length: number) => (): void => {
      checkSize('a'.repeat(length), parse(text), tier);
    };
    expect(failureOf(check(size)).message).toBe(message);
    expect(check(size - 1)).not.toThrow();
  });

  it('is told without most of it if its ARN is too long', () => {
    const reference = parse(`/${'a'.repeat(1000)}`) as ParameterReference;
    const failure = failureOf(() => {
      checkArnLength(reference, region, account);
    });
    expect([failure.message, failure.hint]).toEqual([
      `the ARN of the parameter /${'a'.repeat(39)}… would have ${String(arn.length + 1001)} characters in eu-west-1, and Parameter Store allows 1,011`,
      'write a shorter name',
    ]);
  });
});
