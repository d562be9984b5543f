import { describe, expect, it } from '@jest/globals';
import {
  checkArnLength,
  checkSize,
  parameterName,
  parseStorageName,
  shownName,
} from '../../src/keys/storage-name.ts';
import type { ParameterReference } from '../../src/keys/reference.ts';
import { failureOf } from '../support/failure-of.ts';

const parse = (text: string, secret = false): ReturnType<typeof parseStorageName> =>
  parseStorageName(text, { secret });
const parameters = 'arn:aws:ssm:eu-west-1:111122223333:parameter/';
const secrets = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:';

describe('the name of a stored key', () => {
  it.each([
    ['/ci/deploy-key', '/ci/deploy-key'],
    ['deploy-key', 'deploy-key'],
    ['ssm:new', 'new'],
    [`${parameters}ci/deploy-key`, '/ci/deploy-key'],
    [
      `/${Array.from({ length: 15 }, () => 'a').join('/')}`,
      `/${Array.from({ length: 15 }, () => 'a').join('/')}`,
    ],
  ])('%s is the parameter %s', (text, name) => {
    const reference = parse(text) as ParameterReference;
    expect([reference.kind, parameterName(reference), shownName(reference)]).toEqual([
      'parameter',
      name,
      name,
    ]);
  });

  it.each([
    ['secretsmanager:ci/deploy', false, '', 'ci/deploy'],
    ['ci/deploy', true, '', 'ci/deploy'],
    ['ci/deploy:private_key', true, 'private_key', 'ci/deploy'],
    ['secretsmanager:ci/deploy:private_key', true, 'private_key', 'ci/deploy'],
    [`${secrets}ci/deploy-AbCdEf:private_key`, true, 'private_key', 'ci/deploy'],
  ])('%s (--secretsmanager: %j) is a secret', (...[text, secret, jsonKey, name]) => {
    const reference = parse(text, secret);
    expect([reference, shownName(reference)]).toEqual([
      expect.objectContaining({ kind: 'secret', jsonKey }),
      name,
    ]);
  });

  it.each([
    ['/ci/deploy-key:7', false, 'names one version', 'write /ci/deploy-key'],
    ['/ci/deploy-key:prod', false, 'names one version', 'write /ci/deploy-key'],
    ['secretsmanager:ci/deploy:key:AWSPREVIOUS', false, 'names one version', 'write only the name'],
    ['kms:alias/deploy', false, 'names a key in KMS', 'write the name of a parameter'],
    ['arn:aws:kms:eu-west-1:111122223333:alias/deploy', false, 'names a key in KMS', 'write the name'],
    ['new:ed25519', false, 'stands for a key that is not stored', 'write the name'],
    ['ssm:/ci/deploy-key', true, 'names a parameter', 'leave out --secretsmanager'],
    [`${parameters}ci/deploy-key`, true, 'names a parameter', 'leave out --secretsmanager'],
    [
      `${parameters}deploy-key`,
      false,
      'as well as of /deploy-key',
      'write the name itself with --region eu-west-1',
    ],
    ['/aws/deploy', false, 'begins with "aws"', 'write another name'],
    ['SSM-key', false, 'begins with "SSM"', 'write another name'],
    [`${parameters}aws/key`, false, 'begins with "aws"', 'write another name'],
    [`/${Array.from({ length: 16 }, () => 'a').join('/')}`, false, 'has 16 levels', 'fewer slashes'],
    ['ci/deploy-key', false, 'is a path without a slash at its start', 'write /ci/deploy-key'],
    ['/ci/deploy key', false, 'characters that are not allowed', ''],
    [`/${'a'.repeat(1011)}`, false, 'longer than 1,011', ''],
  ])('cannot be %s (--secretsmanager: %j)', (...[text, secret, message, hint]) => {
    const told = failureOf(() => parse(text, secret));
    expect([told.code, told.message, told.hint]).toEqual([
      'INPUT_INVALID',
      expect.stringContaining(message),
      expect.stringContaining(hint),
    ]);
  });

  it('counts the ARN in the limit of 1,011 characters', () => {
    const account = '111122223333';
    const fitting = parse(`/${'a'.repeat(1011 - parameters.length)}`) as ParameterReference;
    checkArnLength(fitting, 'eu-west-1', account);
    const told = failureOf(() => {
      checkArnLength(fitting, 'ap-southeast-1', account);
    });
    expect(told.message).toContain('1016 characters in ap-southeast-1');
  });

  it.each([
    ['/ci/key', 4096, 'Standard', undefined],
    ['/ci/key', 4097, 'Standard', '--tier advanced'],
    ['/ci/key', 8192, 'Intelligent-Tiering', undefined],
    ['/ci/key', 8193, 'Intelligent-Tiering', '--secretsmanager'],
    ['secretsmanager:key', 65_536, 'Standard', undefined],
    ['secretsmanager:key', 65_537, 'Standard', '--type ed25519'],
  ] as const)('%s holds a value of %d bytes in the tier %s, or says: %s', (...[text, size, tier, hint]) => {
    const check = (): void => {
      checkSize('ü'.repeat(size / 2) + 'a'.repeat(size % 2), parse(text), tier);
    };
    if (hint === undefined) check();
    else expect(failureOf(check).hint).toContain(hint);
  });
});
