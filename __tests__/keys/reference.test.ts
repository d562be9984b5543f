/** The grammar of references, by what Parameter Store allows. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/errors.ts';
import { arnOf, parseReference } from '../../src/keys/reference.ts';
import { failureOf, outcomeOf } from '../support/failure-of.ts';

const arn = 'arn:aws:ssm:eu-west-1:111122223333:parameter/ci/deploy-key';
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
    expect(parseReference(text)).toEqual({ text, name, selector });
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
  ])('%s goes to AWS as the ARN that it is', (text, selector, location) => {
    const name = selector ? text.slice(0, -selector.length) : text;
    expect(parseReference(text)).toEqual({ text, name, selector, location });
    expect(parseReference(`ssm:${text}`)).toEqual({ text: `ssm:${text}`, name, selector, location });
  });

  it.each([
    ['', 'has no name'],
    ['ssm:', 'has no name'],
    [':7', 'has no name'],
    ['/', 'empty part'],
    ['/ci/', 'empty part'],
    ['/ci//key', 'empty part'],
    ['//ci/key', 'empty part'],
    ['ci/key', 'first slash'],
    ['/ci/key:', 'no version and no label'],
    ['/ci/key:0', 'no version and no label'],
    ['/ci/key:007', 'no version and no label'],
    ['/ci/key:1.5', 'no version and no label'],
    ['/ci/key:7up', 'no version and no label'],
    ['/ci/key:aws-latest', 'no version and no label'],
    ['/ci/key:AWSlatest', 'no version and no label'],
    ['/ci/key:SsmLabel', 'no version and no label'],
    ['/ci/key:pro d', 'no version and no label'],
    ['/ci/key:prod+1', 'no version and no label'],
    ['/ci/key:7:prod', 'no version and no label'],
    [`/ci/key:${'a'.repeat(101)}`, 'no version and no label'],
    [`/ci/key:${'9'.repeat(20)}`, 'no version and no label'],
    ['/ci/k\u00E9y', 'characters'],
    ['/ci/key\n', 'characters'],
    ['/ci/key ', 'characters'],
    ['/ci/*', 'characters'],
    ['/ci/key?', 'characters'],
    ['~/.ssh/id_ed25519', 'characters'],
    ['${{ secrets.KEY }}', 'characters'],
    ['C:\\keys\\id_rsa', 'no version and no label'],
    [`/${'k'.repeat(1011)}`, 'longer than the 1,011'],
    ['arn:', 'not the ARN of a parameter'],
    ['arn:aws:ssm', 'not the ARN of a parameter'],
    ['arn:aws:ssm:eu-west-1:111122223333:parameter', 'not the ARN of a parameter'],
    ['arn:aws:ssm:eu-west-1:111122223333:deploy-key', 'not the ARN of a parameter'],
    ['arn:aws:ssm::111122223333:parameter/k', 'not the ARN of a parameter'],
    ['arn:aws:ssm:eu-west-1::parameter/k', 'not the ARN of a parameter'],
    ['arn:aws:ssm:eu-west-1:1111:parameter/k', 'not the ARN of a parameter'],
    ['arn:gcp:ssm:eu-west-1:111122223333:parameter/k', 'not the ARN of a parameter'],
    ['arn:aws:s3:eu-west-1:111122223333:parameter/k', 'not the ARN of a parameter'],
    ['arn:aws:kms:eu-west-1:111122223333:key/k', 'not the ARN of a parameter'],
    ['arn:aws:ssm:eu-west-1:111122223333:parameter/', 'empty part'],
    ['arn:aws:ssm:eu-west-1:111122223333:parameter//ci/key', 'empty part'],
    ['arn:aws:ssm:eu-west-1:111122223333:parameter/ci/*', 'characters'],
    [`${arn}:0`, 'no version and no label'],
    [`${arn}:7:8`, 'no version and no label'],
    ['secretsmanager:ci/deploy', 'secret of Secrets Manager'],
    ['arn:aws:secretsmanager:eu-west-1:111122223333:secret:ci/deploy-AbCdEf', 'secret of Secrets Manager'],
    [
      'arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:ci/deploy-AbCdEf:key',
      'secret of Secrets Manager',
    ],
  ])('%j is refused: it %s', (text, problem) => {
    const failure = failureOf(() => parseReference(text));
    expect(failure.code).toBe('INPUT_INVALID');
    expect(failure.message).toMatch(/^the key reference "/);
    expect(failure.message).toContain(problem);
    expect(failure.message).toContain(text.slice(0, 40));
    expect(failure.hint).not.toBe('');
  });

  it('of any text is a reference or a Failure', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('arn:', 'aws:', 'ssm:', '/', 'k', ':', '7', '*', arn))
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

  it('is put together again from its parts', () => {
    const part = fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/);
    const name = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => `/${parts.join('/')}`);
    const selector = fc.constantFrom('', ':1', ':42', ':prod', ':v2');
    fc.assert(
      fc.property(name, selector, fc.boolean(), (path, selected, whole) => {
        const asked = whole ? `arn:aws:ssm:eu-west-1:111122223333:parameter${path}` : path;
        const parsed = parseReference(asked + selected);
        expect([parsed.name, parsed.selector]).toEqual([asked, selected]);
        expect(arnOf(parsed, ireland)).toBe(`arn:aws:ssm:eu-west-1:111122223333:parameter${path}`);
        expect(parseReference(parsed.name + parsed.selector)).toEqual(parsed);
      }),
    );
  });
});

describe('the ARN that policies match', () => {
  const elsewhere = { partition: 'aws-cn', region: 'cn-north-1', account: '999988887777' };

  it.each([
    ['/ci/deploy-key:7', 'arn:aws-cn:ssm:cn-north-1:999988887777:parameter/ci/deploy-key'],
    ['deploy-key', 'arn:aws-cn:ssm:cn-north-1:999988887777:parameter/deploy-key'],
    ['ssm:deploy-key:prod', 'arn:aws-cn:ssm:cn-north-1:999988887777:parameter/deploy-key'],
    [`${arn}:7`, arn],
    [`ssm:${arn}`, arn],
  ])('of %s is %s', (text, expected) => {
    expect(arnOf(parseReference(text), elsewhere)).toBe(expected);
  });
});
