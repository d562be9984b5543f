/** Original refusals of Parameter Store and KMS → the policy statement that fixes them. */
import { describe, expect, it } from '@jest/globals';
import { Failure } from '../../src/errors.ts';
import { parseReference, type ParameterReference } from '../../src/keys/reference.ts';
import { isDenied, isKmsTrouble, writeRefused } from '../../src/secrets/access-failures.ts';
import { missing, parameterFailure } from '../../src/secrets/parameter-failures.ts';

const region = 'eu-west-1';
const parameterOf = (text: string): ParameterReference => parseReference(text) as ParameterReference;
const parameter = 'arn:aws:ssm:eu-west-1:111122223333:parameter/ci/key';
const user = 'arn:aws:sts::111122223333:assumed-role/ci/acme-lib-42-1';
const thrown = (name: string, message = ''): Error =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400 } });
const failure = (error: unknown, text = '/ci/key', where = region): Failure =>
  parameterFailure(error, parameterOf(text), where);
const denied = (
  resource: string,
  why = 'because no identity-based policy allows the ssm:GetParameter action',
  who = user,
): Error =>
  thrown(
    'AccessDeniedException',
    `User: ${who} is not authorized to perform: ssm:GetParameter on resource: ${resource} ${why}`,
  );
const statementIn = (hint: string): unknown => JSON.parse(/\{.*\}/.exec(hint)?.[0] ?? 'null');

/** KMS's refusals in Parameter Store's answers: in the old wording, in the new one, and in the new one with the key. */
const kms = {
  old: thrown(
    'AccessDeniedException',
    'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access. (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Request ID: 0; Proxy: null)',
  ),
  new: thrown(
    'AccessDeniedException',
    `User: ${user} is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access (Service: Kms, Status Code: 400)`,
  ),
  withKey: thrown(
    'AccessDeniedException',
    `User: ${user} is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab because no identity-based policy allows the kms:Decrypt action`,
  ),
};

it.each([
  ['ssm:PutParameter', 'storing'],
  ['ssm:LabelParameterVersion', 'labelling'],
  ['ssm:UnlabelParameterVersion', 'labelling'],
  ['ssm:DeleteParameter', 'deleting'],
])('a refused call of %s is named: %s', (action, word) => {
  const refused = thrown(
    'AccessDeniedException',
    `User: ${user} is not authorized to perform: ${action} on resource: ${parameter}`,
  );
  const { message, hint } = writeRefused(refused, parameterOf('/ci/key'), region);
  expect(message).toMatch(new RegExp(`^${word} the parameter /ci/key in eu-west-1 is denied`));
  expect(hint).toContain(`"Action":"${action}"`);
});

it('a refusal of KMS that names no call means encrypting where a parameter is stored', () => {
  const { message, hint } = writeRefused(kms.old, parameterOf('/ci/key'), region);
  expect(message).toMatch(/^encrypting the parameter \/ci\/key in eu-west-1 is denied: /);
  expect(statementIn(hint)).toMatchObject({ Effect: 'Allow', Action: 'kms:Encrypt' });
});

describe('a missing parameter', () => {
  it('is KEY_NOT_FOUND, with the Region', () => {
    const told = failure(thrown('ParameterNotFound'), '/ci/key:7');
    expect(told).toMatchObject({
      code: 'KEY_NOT_FOUND',
      message: 'there is no parameter /ci/key:7 in eu-west-1',
    });
    expect(told.hint).toContain('aws ssm get-parameter --region eu-west-1 --name /ci/key');
    expect(missing(parameterOf('/ci/key:7'), region)).toMatchObject({
      message: told.message,
      hint: told.hint,
    });
  });

  it.each(['ParameterVersionNotFound', 'ParameterVersionLabelNotFound'])(
    'version is KEY_VERSION_NOT_FOUND (%s)',
    (name) => {
      const told = failure(thrown(name), '/ci/key:prod');
      expect(told.code).toBe('KEY_VERSION_NOT_FOUND');
      expect(told.message).toContain('/ci/key:prod');
      expect(told.hint).toContain('get-parameter-history --region eu-west-1 --name /ci/key ');
    },
  );
});

describe('a parameter that may not be read', () => {
  it('is KEY_ACCESS_DENIED, with the statement that allows it', () => {
    const told = failure(denied(parameter));
    expect(told.code).toBe('KEY_ACCESS_DENIED');
    expect(told.message).toContain('/ci/key in eu-west-1');
    expect(statementIn(told.hint)).toEqual({
      Effect: 'Allow',
      Action: 'ssm:GetParameter',
      Resource: parameter,
    });
    expect(told.hint).not.toContain('wrong name');
  });

  it.each([
    ['arn:aws:ssm:eu-west-1:111122223333:*', '/ci/key', user, parameter],
    [
      'arn:aws:ssm:eu-west-1:111122223333:parameter/*',
      'key',
      user,
      'arn:aws:ssm:eu-west-1:111122223333:parameter/key',
    ],
    ['*', '/ci/key', 'arn:aws:iam::111122223333:user/me', parameter],
    [
      '*',
      'arn:aws:ssm:eu-west-1:999988887777:parameter/x:7',
      user,
      'arn:aws:ssm:eu-west-1:999988887777:parameter/x',
    ],
    [
      'arn:aws-cn:ssm:cn-north-1:111122223333:*',
      '/ci/key',
      user.replace('aws', 'aws-cn'),
      'arn:aws-cn:ssm:eu-west-1:111122223333:parameter/ci/key',
    ],
  ])('for %s names %s in the statement (caller %s)', (...[resource, text, who, expected]) => {
    const told = failure(denied(resource, undefined, who), text);
    expect(statementIn(told.hint)).toMatchObject({ Resource: expected });
    if (resource !== '*') expect(told.hint).toContain('AWS gives the same answer for a wrong name');
  });

  it('because of the session policy does not suggest to change the role', () => {
    const why = 'because no session policy allows the ssm:GetParameter action';
    const { code, hint } = failure(denied(parameter, why));
    expect(code).toBe('KEY_ACCESS_DENIED');
    expect(hint).toContain('session policy');
    expect(hint).not.toContain("role's policy");
  });

  it('because of an explicit deny does not suggest another Allow', () => {
    const { hint } = failure(denied(parameter, 'with an explicit deny in a service control policy'));
    expect(statementIn(hint)).toBeNull();
    expect(hint).toContain('service control policy');
  });
});

describe('a parameter that may not be decrypted', () => {
  it.each([
    ['old wording', kms.old, 'arn:aws:kms:eu-west-1:ACCOUNT:key/KEY-ID'],
    ['new wording', kms.new, 'arn:aws:kms:eu-west-1:ACCOUNT:key/KEY-ID'],
    ['new wording with the key', kms.withKey, 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab'],
  ])('is KMS_ACCESS_DENIED, with the statement that allows it (%s)', (_, error, key) => {
    const told = failure(error);
    expect(told.code).toBe('KMS_ACCESS_DENIED');
    expect(told.message).toContain('/ci/key in eu-west-1');
    expect(statementIn(told.hint)).toEqual({
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: key,
      Condition: { StringEquals: { 'kms:ViaService': 'ssm.eu-west-1.amazonaws.com' } },
    });
  });

  it('in China has China’s partition in its statement', () => {
    expect(statementIn(failure(kms.old, '/ci/key', 'cn-north-1').hint)).toMatchObject({
      Resource: 'arn:aws-cn:kms:cn-north-1:ACCOUNT:key/KEY-ID',
      Condition: { StringEquals: { 'kms:ViaService': 'ssm.cn-north-1.amazonaws.com.cn' } },
    });
  });

  it.each([
    'KMSInvalidStateException: is pending deletion.',
    'is disabled. (Service: AWSKMS; Error Code: DisabledException)',
    'NotFoundException',
  ])('because its key is in a bad state is KMS_KEY_UNUSABLE (%s)', (message) => {
    const told = failure(thrown('InvalidKeyId', message));
    expect(told.code).toBe('KMS_KEY_UNUSABLE');
    expect(told.message).toContain(message.replace(/\.$/, ''));
  });
});

describe('other refusals', () => {
  it.each([
    ['INPUT_INVALID', thrown('ValidationException', 'Parameter name: can only contain …')],
    ['THROTTLED', thrown('ThrottlingException', 'Rate exceeded')],
    ['CREDENTIALS_EXPIRED', thrown('ExpiredTokenException')],
    ['CREDENTIALS_MISSING', thrown('UnrecognizedClientException')],
    ['PROVIDER_FAILED', thrown('InternalServerError')],
    ['TIMEOUT', new Failure('TIMEOUT', 'x', { hint: 'y' })],
  ])('are %s', (code, error) => {
    expect(failure(error).code).toBe(code);
  });

  it.each([
    ['AccessDeniedException', denied(parameter), true, false],
    ['AccessDenied', thrown('AccessDenied'), true, false],
    ['the old KMS wording', kms.old, true, true],
    ['the new KMS wording', kms.new, true, true],
    ["Secrets Manager's", thrown('AccessDeniedException', 'Access to KMS is not allowed'), true, true],
    ['InvalidKeyId', thrown('InvalidKeyId'), false, true],
    ['ParameterNotFound', thrown('ParameterNotFound'), false, false],
    ['nothing', undefined, false, false],
  ])('are told apart: %s', (...[, error, isDenial, isKms]) => {
    expect([isDenied(error), isKmsTrouble(error)]).toEqual([isDenial, isKms]);
  });

  it('keep the original error as their cause', () => {
    for (const error of [
      denied(parameter),
      kms.old,
      thrown('InvalidKeyId'),
      thrown('ParameterVersionNotFound'),
    ]) {
      expect(failure(error).cause).toBe(error);
    }
  });
});
