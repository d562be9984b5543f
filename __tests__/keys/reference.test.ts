/** The grammar of references, compared with the names that Parameter Store allows. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/errors.ts';
import { arnOf, identityOf, parseReference, type ParameterReference } from '../../src/keys/reference.ts';
import { visible } from '../../src/keys/visible-text.ts';
import { failureOf, outcomeOf } from '../support/failure-of.ts';
import { anyText } from '../support/any-text.ts';

const arn = 'arn:aws:ssm:eu-west-1:111122223333:parameter/ci/deploy-key';
const secretArn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:ci/deploy-AbCdEf';
const ireland = { partition: 'aws', region: 'eu-west-1', account: '111122223333' };

describe('a reference', () => {
  it.each([
    ['/ci/deploy-key', '/ci/deploy-key', ''],
    ['/ci/deploy-key:7', '/ci/deploy-key', ':7'],
    ['/ci/deploy-key:prod', '/ci/deploy-key', ':prod'],
    ['/ci/deploy-key:_Prod.2-x', '/ci/deploy-key', ':_Prod.2-x'],
    ['/ci/deploy-key:.', '/ci/deploy-key', ':.'],
    ['/ci/deploy-key:-1', '/ci/deploy-key', ':-1'],
    ['/ci/deploy-key:not-aws', '/ci/deploy-key', ':not-aws'],
    [`/ci/deploy-key:${'a'.repeat(100)}`, '/ci/deploy-key', `:${'a'.repeat(100)}`],
    ['/ci/deploy-key:9223372036854775807', '/ci/deploy-key', ':9223372036854775807'],
    ['deploy-key', 'deploy-key', ''],
    ['deploy-key:3', 'deploy-key', ':3'],
    ['ssm:/ci/deploy-key', '/ci/deploy-key', ''],
    ['ssm:/ci/deploy-key:7', '/ci/deploy-key', ':7'],
    ['ssm:deploy-key', 'deploy-key', ''],
    ['Deploy_Key.ED25519', 'Deploy_Key.ED25519', ''],
    ['123', '123', ''],
    ['/aws/service/x', '/aws/service/x', ''],
    ['/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o', '/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o', ''],
    [`/${'k'.repeat(1010)}`, `/${'k'.repeat(1010)}`, ''],
  ])('%s is a name and a selector', (text, name, selector) => {
    expect(parseReference(text)).toEqual({ kind: 'parameter', text, name, selector });
  });

  it.each([
    [arn, '', ireland],
    [`${arn}:7`, ':7', ireland],
    [`${arn}:prod`, ':prod', ireland],
    ['arn:aws:ssm:eu-west-1:111122223333:parameter/deploy-key', '', ireland],
    [
      'arn:aws-cn:ssm:cn-north-1:111122223333:parameter/k',
      '',
      { ...ireland, partition: 'aws-cn', region: 'cn-north-1' },
    ],
    [
      'arn:aws-us-gov:ssm:us-gov-west-1:111122223333:parameter/k:2',
      ':2',
      { ...ireland, partition: 'aws-us-gov', region: 'us-gov-west-1' },
    ],
    [
      'arn:aws-iso-b:ssm:us-isob-east-1:111122223333:parameter/k',
      '',
      { ...ireland, partition: 'aws-iso-b', region: 'us-isob-east-1' },
    ],
  ])('%s is sent to AWS as an ARN', (text, selector, location) => {
    const name = selector ? text.slice(0, -selector.length) : text;
    expect(parseReference(text)).toEqual({ kind: 'parameter', text, name, selector, location });
    const prefixed = `ssm:${text}`;
    expect(parseReference(prefixed)).toEqual({ kind: 'parameter', text: prefixed, name, selector, location });
  });

  const id = '0123456789abcdef0123456789abcdef';
  it.each([
    ['ci/deploy', ['', '', '']],
    ['ci/deploy:', ['', '', '']],
    ['ci/deploy:::', ['', '', '']],
    ['ci/deploy:private_key', ['private_key', '', '']],
    ['ci/deploy:private_key::', ['private_key', '', '']],
    ['ci/deploy:cl\u00E9=1/2', ['cl\u00E9=1/2', '', '']],
    ['ci/deploy::AWSPREVIOUS', ['', 'AWSPREVIOUS', '']],
    ['ci/deploy:key:AWSPREVIOUS:', ['key', 'AWSPREVIOUS', '']],
    [`ci/deploy:::${id}`, ['', '', id]],
    [`ci/deploy:key:AWSPENDING:${id}`, ['key', 'AWSPENDING', id]],
    ['a/_+=.@!-Z09', ['', '', '']],
    ['ci/deploy-AbCdEf', ['', '', '']],
    ['n'.repeat(512), ['', '', '']],
  ])('secretsmanager:%s is a secret with its parts', (written, [jsonKey, versionStage, versionId]) => {
    const text = `secretsmanager:${written}`;
    const [name = ''] = written.split(':');
    const secret = { kind: 'secret', jsonKey, versionStage, versionId };
    expect(parseReference(text)).toEqual({ ...secret, text, name });
    const whole = `${secretArn}${written.slice(name.length)}`;
    const byArn = { ...secret, name: secretArn, location: ireland };
    expect(parseReference(whole)).toEqual({ ...byArn, text: whole });
    expect(parseReference(`secretsmanager:${whole}`)).toEqual({ ...byArn, text: `secretsmanager:${whole}` });
  });

  it('has the same identity as another one of the same value only', () => {
    const same = [
      ['/k', 'ssm:/k'],
      ['secretsmanager:k', 'secretsmanager:k:::'],
      [secretArn, `secretsmanager:${secretArn}:`],
    ];
    const identities = same.map((texts) => texts.map((text) => identityOf(parseReference(text))));
    for (const [one, other] of identities) expect(one).toBe(other);
    const others = ['k', '/k:1', 'secretsmanager:k:a', 'secretsmanager:k::a', `secretsmanager:k:::${id}`];
    const all = [
      ...identities.map(([one]) => one),
      ...others.map((text) => identityOf(parseReference(text))),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it.each([
    ['', 'has no name'],
    ['ssm:', 'has no name'],
    [':7', 'has no name'],
    ['/', 'empty part'],
    ['/ci/', 'empty part'],
    ['/ci//key', 'empty part'],
    ['//ci/key', 'empty part'],
    ['ci/key', 'a slash at its start'],
    ['/ci/key:', 'neither a version nor a label'],
    ['/ci/key:0', 'neither a version nor a label'],
    ['/ci/key:007', 'neither a version nor a label'],
    ['/ci/key:1.5', 'neither a version nor a label'],
    ['/ci/key:7up', 'neither a version nor a label'],
    ['/ci/key:aws-latest', 'neither a version nor a label'],
    ['/ci/key:AWSlatest', 'neither a version nor a label'],
    ['/ci/key:SsmLabel', 'neither a version nor a label'],
    ['/ci/key:pro d', 'neither a version nor a label'],
    ['/ci/key:prod+1', 'neither a version nor a label'],
    ['/ci/key:7:prod', 'neither a version nor a label'],
    [`/ci/key:${'a'.repeat(101)}`, 'neither a version nor a label'],
    [`/ci/key:${'9'.repeat(20)}`, 'neither a version nor a label'],
    ['/ci/k\u00E9y', 'characters'],
    ['/ci/key\n', 'characters'],
    ['/ci/key ', 'characters'],
    ['/ci/*', 'characters'],
    ['/ci/key?', 'characters'],
    ['~/.ssh/id_ed25519', 'characters'],
    ['${{ secrets.KEY }}', 'characters'],
    ['C:\\keys\\id_rsa', 'neither a version nor a label'],
    [`/${'k'.repeat(1011)}`, 'longer than 1,011'],
    ['arn:', 'not the ARN of a parameter'],
    ['arn:aws:ssm', 'not the ARN of a parameter'],
    ['arn:aws:ssm:eu-west-1:111122223333:parameter', 'not the ARN of a parameter'],
    ['arn:aws:ssm:eu-west-1:111122223333:deploy-key', 'not the ARN of a parameter'],
    ['arn:aws:ssm::111122223333:parameter/k', 'not the ARN of a parameter'],
    ['arn:aws:ssm:eu-west-1::parameter/k', 'not the ARN of a parameter'],
    ['arn:aws:ssm:eu-west-1:1111:parameter/k', 'not the ARN of a parameter'],
    ['arn:gcp:ssm:eu-west-1:111122223333:parameter/k', 'not the ARN of a parameter'],
    ['arn:aws:s3:eu-west-1:111122223333:parameter/k', 'not the ARN of a parameter'],
    ['arn:aws:kms:eu-west-1:111122223333:key/k', 'names a key in KMS'],
    ['arn:aws:ssm:eu-west-1:111122223333:parameter/', 'empty part'],
    ['arn:aws:ssm:eu-west-1:111122223333:parameter//ci/key', 'empty part'],
    ['arn:aws:ssm:eu-west-1:111122223333:parameter/ci/*', 'characters'],
    [`${arn}:0`, 'neither a version nor a label'],
    [`${arn}:7:8`, 'neither a version nor a label'],
    ['secretsmanager:', 'has no name'],
    ['secretsmanager::key', 'has no name'],
    ['secretsmanager:ci deploy', 'characters that are not allowed in a secret name'],
    ['secretsmanager:ci/*', 'characters that are not allowed in a secret name'],
    ['secretsmanager:d\u00E9ploy', 'characters that are not allowed in a secret name'],
    [`secretsmanager:${'n'.repeat(520)}`, 'longer than 512'],
    ['secretsmanager:ci/deploy:private key', 'white space'],
    ['secretsmanager:ci/deploy:key\n', 'white space'],
    ['secretsmanager:ci/deploy:\u0000', 'control characters'],
    [`secretsmanager:ci/deploy::${'s'.repeat(257)}`, '256 characters, the limit of a version stage'],
    ['secretsmanager:ci/deploy:::AWSPREVIOUS', 'instead of a version id'],
    [`secretsmanager:ci/deploy:::${'0'.repeat(65)}`, 'instead of a version id'],
    [`secretsmanager:ci/deploy::::`, 'has more than a JSON key, a stage'],
    ['secretsmanager:ci/deploy:a:b:c:d', 'has more than a JSON key, a stage'],
    ['secretsmanager:arn:aws:ssm:eu-west-1:111122223333:parameter/k', 'not the ARN of a secret'],
    ['secretsmanager:arn:aws', 'not the ARN of a secret'],
    ['arn:aws:secretsmanager:eu-west-1:111122223333:secret', 'not the ARN of a secret'],
    ['arn:aws:secretsmanager:eu-west-1:111122223333:secret:', 'not the ARN of a secret'],
    ['arn:aws:secretsmanager:eu-west-1:111122223333:ci/deploy-AbCdEf', 'not the ARN of a secret'],
    ['arn:aws:secretsmanager::111122223333:secret:ci/deploy-AbCdEf', 'not the ARN of a secret'],
    ['arn:aws:secretsmanager:eu-west-1:1111:secret:ci/deploy-AbCdEf', 'not the ARN of a secret'],
    ['arn:gcp:secretsmanager:eu-west-1:111122223333:secret:ci/deploy-AbCdEf', 'not the ARN of a secret'],
    ['ssm:secretsmanager:ci/deploy', 'neither a version nor a label'],
  ])('%j is refused: %s', (text, problem) => {
    const failure = failureOf(() => parseReference(text));
    expect(failure.code).toBe('INPUT_INVALID');
    expect(failure.message).toMatch(/^the key reference "/);
    expect(failure.message).toContain(problem);
    expect(failure.message).toContain(visible(text.slice(0, 40)));
    expect(failure.hint).not.toBe('');
  });

  it('of any text is a reference or a Failure', () => {
    const texts = fc.oneof(
      anyText(),
      fc
        .array(
          fc.constantFrom('arn:', 'aws:', 'ssm:', 'secretsmanager:', '/', 'k', ':', '7', '*', arn, secretArn),
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const outcome = outcomeOf(() => parseReference(text));
        return outcome instanceof Failure ? outcome.code === 'INPUT_INVALID' : outcome.text === text;
      }),
      { numRuns: 2000 },
    );
  });

  it('can be rebuilt from its parts', () => {
    const part = fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/);
    const name = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => `/${parts.join('/')}`);
    const selector = fc.constantFrom('', ':1', ':42', ':prod', ':v2');
    fc.assert(
      fc.property(name, selector, fc.boolean(), (path, selected, whole) => {
        const asked = whole ? `arn:aws:ssm:eu-west-1:111122223333:parameter${path}` : path;
        const parsed = parseReference(asked + selected) as ParameterReference;
        expect([parsed.name, parsed.selector]).toEqual([asked, selected]);
        expect(arnOf(parsed, ireland)).toBe(`arn:aws:ssm:eu-west-1:111122223333:parameter${path}`);
        expect(parseReference(parsed.name + parsed.selector)).toEqual(parsed);
      }),
    );
  });
});

describe('the ARN for policies', () => {
  const elsewhere = { partition: 'aws-cn', region: 'cn-north-1', account: '999988887777' };

  it.each([
    ['/ci/deploy-key:7', 'arn:aws-cn:ssm:cn-north-1:999988887777:parameter/ci/deploy-key'],
    ['deploy-key', 'arn:aws-cn:ssm:cn-north-1:999988887777:parameter/deploy-key'],
    ['ssm:deploy-key:prod', 'arn:aws-cn:ssm:cn-north-1:999988887777:parameter/deploy-key'],
    [`${arn}:7`, arn],
    [`ssm:${arn}`, arn],
    [
      'secretsmanager:ci/deploy:key',
      'arn:aws-cn:secretsmanager:cn-north-1:999988887777:secret:ci/deploy-??????',
    ],
    [
      'secretsmanager:ci/my-secret',
      'arn:aws-cn:secretsmanager:cn-north-1:999988887777:secret:ci/my-secret-??????',
    ],
    [`${secretArn}:key:AWSPREVIOUS`, secretArn],
    [secretArn.replace('-AbCdEf', ''), secretArn.replace('AbCdEf', '??????')],
  ])('of %s is %s', (text, expected) => {
    expect(arnOf(parseReference(text), elsewhere)).toBe(expected);
  });
});
