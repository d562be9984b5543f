/** Original refusals of Secrets Manager and KMS → our codes and hints. */
import { describe, expect, it } from '@jest/globals';
import { Failure } from '../../src/errors.ts';
import { parseReference, type SecretReference } from '../../src/keys/reference.ts';
import { isVague, mayConcernOne, secretFailure } from '../../src/secrets/secret-failures.ts';

const region = 'eu-west-1';
const user = 'arn:aws:sts::111122223333:assumed-role/ci/acme-lib-42-1';
const secretOf = (text: string): SecretReference => parseReference(text) as SecretReference;
const thrown = (name: string, message = ''): Error =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 } });
const failure = (error: unknown, text = 'secretsmanager:ci/key', where = region): Failure =>
  secretFailure(error, secretOf(text), where);
const denied = (resource: string, why = 'because no identity-based policy allows it'): Error =>
  thrown(
    'AccessDeniedException',
    `User: ${user} is not authorized to perform: secretsmanager:GetSecretValue on resource: ${resource} ${why}`,
  );
const statementIn = (hint: string): unknown => JSON.parse(/\{.*\}/.exec(hint)?.[0] ?? 'null');
const none = "Secrets Manager can't find the specified secret";

describe('Secrets Manager', () => {
  it.each([
    ['secretsmanager:ci/key', `${none}.`, 'KEY_NOT_FOUND', 'describe-secret'],
    ['secretsmanager:ci/key::AWSPREVIOUS', `${none}.`, 'KEY_NOT_FOUND', 'describe-secret'],
    [
      'secretsmanager:ci/key::x',
      `${none} value for staging label: x`,
      'KEY_VERSION_NOT_FOUND',
      'version-ids',
    ],
    ['secretsmanager:ci/key', `${none} value for staging label: AWSCURRENT`, 'KEY_EMPTY', 'put-secret-value'],
  ])('does not find %s: "%s" is %s', (...[text, message, code, hint]) => {
    const told = failure(thrown('ResourceNotFoundException', message), text);
    expect(told.code).toBe(code);
    expect(told.message).toContain(text);
    expect(told.hint).toContain(`${hint} --region eu-west-1 --secret-id ci/key`);
  });

  it.each([
    [
      "You can't perform this operation on the secret because it was marked for deletion.",
      'KEY_NOT_FOUND',
      'aws secretsmanager restore-secret --region eu-west-1 --secret-id ci/key',
    ],
    [
      "You can't perform this operation on the secret because it was deleted.",
      'KEY_NOT_FOUND',
      'restore-secret',
    ],
    [
      'You provided a VersionStage that is not associated to the provided VersionId.',
      'KEY_VERSION_NOT_FOUND',
      'list-secret-version-ids',
    ],
    ['The secret is busy.', 'PROVIDER_FAILED', 'describe-secret'],
  ])('finds a secret in a bad state: "%s" is %s', (message, code, hint) => {
    const told = failure(thrown('InvalidRequestException', message));
    expect(told.code).toBe(code);
    expect(told.hint).toContain(hint);
  });

  const whole = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:ci/key-AbCdEf';
  it.each([
    [whole, 'secretsmanager:ci/key', whole, false],
    ['ci/key', 'secretsmanager:ci/key', whole.replace('AbCdEf', '??????'), true],
    ['ci/key', `${whole}:private_key`, whole, true],
  ])('denies %s for %s: the statement has %s', (...[resource, text, expected, vague]) => {
    const told = failure(denied(resource), text);
    expect(told.code).toBe('KEY_ACCESS_DENIED');
    const statement = { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: expected };
    expect(statementIn(told.hint)).toEqual(statement);
    expect(told.hint.includes('AWS gives the same answer for a wrong name')).toBe(vague);
  });

  it('denies the KMS key, without naming it', () => {
    const error = thrown('AccessDeniedException', 'Access to KMS is not allowed');
    const told = failure(error, 'secretsmanager:ci/key', 'cn-north-1');
    expect(told.code).toBe('KMS_ACCESS_DENIED');
    expect(statementIn(told.hint)).toEqual({
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: 'arn:aws-cn:kms:cn-north-1:ACCOUNT:key/KEY-ID',
      Condition: { StringEquals: { 'kms:ViaService': 'secretsmanager.cn-north-1.amazonaws.com.cn' } },
    });
  });

  it.each([
    ['KMS_KEY_UNUSABLE', thrown('DecryptionFailure', "Secrets Manager can't decrypt …")],
    ['INPUT_INVALID', thrown('ValidationException', 'Invalid name.')],
    ['INPUT_INVALID', thrown('InvalidParameterException', 'Invalid id.')],
    ['ASSUME_ROLE_DENIED', thrown('AccessDenied', 'not authorized to perform: sts:AssumeRole')],
    ['THROTTLED', thrown('ThrottlingException', 'Rate exceeded')],
    ['CREDENTIALS_EXPIRED', thrown('ExpiredTokenException')],
    ['PROVIDER_FAILED', thrown('InternalServiceError')],
    ['TIMEOUT', new Failure('TIMEOUT', 'x', { hint: 'y' })],
  ])('fails otherwise: %s', (code, error) => {
    expect(failure(error).code).toBe(code);
  });

  it('refuses a batch because of one secret, or all of them', () => {
    const ofOne = ['AccessDeniedException', 'ResourceNotFoundException', 'DecryptionFailure'];
    expect(ofOne.map((name) => mayConcernOne(thrown(name)))).toEqual([true, true, true]);
    const ofAll = ['ThrottlingException', 'ExpiredTokenException', 'TimeoutError', 'InternalServiceError'];
    expect(ofAll.map((name) => mayConcernOne(thrown(name)))).toEqual([false, false, false, false]);
  });

  it('does not decide whether the version is missing if the message is vague and a version was named', () => {
    const missing = thrown('ResourceNotFoundException', `${none}.`);
    const stage = thrown('ResourceNotFoundException', `${none} value for staging label: x`);
    const asked = secretOf('secretsmanager:k::x');
    expect([isVague(missing, asked), isVague(stage, asked)]).toEqual([true, false]);
    expect(isVague(missing, secretOf('secretsmanager:k:x'))).toBe(false);
    expect(isVague(thrown('ThrottlingException'), asked)).toBe(false);
  });
});
