/** JSON secrets: errors list the existing keys without any value. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/errors.ts';
import { explainJson, pickField } from '../../src/keys/json-secret.ts';
import { parseReference, type SecretReference } from '../../src/keys/reference.ts';
import { failureOf } from '../support/failure-of.ts';

const secretOf = (text: string): SecretReference => parseReference(text) as SecretReference;
const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:ci/deploy-AbCdEf';

describe('a part of a secret', () => {
  it.each([
    ['{"a":"1","b":"2"}', 's', '{"a":"1","b":"2"}'],
    ['{"a":"1","b":"2"}', 's:b', '2'],
    ['\uFEFF {"a":""}\n', 's:a', ''],
    ['{"a/b=c":"1"}', 's:a/b=c', '1'],
    ['{"__proto__":"1"}', 's:__proto__', '1'],
    ['{"a":"1","a":"2"}', 's:a', '2'],
  ])('of %j by %s is %j', (value, name, part) => {
    expect(pickField(value, secretOf(`secretsmanager:${name}`))).toBe(part);
  });

  it.each([
    ['{"a":"v-1","b":"v-2"}', 'c', /"c" is missing/, /"a", "b": write for example secretsmanager:s:a$/],
    ['{"a":"v-1","A":7}', 'A', /"A" is not a string/, /its JSON has "a": write/],
    ['{"a":null}', 'a', /"a" is not a string/, /no key with a string value/],
    ['{"a":{"b":"v-1"}}', 'b', /"b" is missing/, /no key with a string value/],
    ['{}', 'toString', /"toString" is missing/, /no key/],
    ['["v-1"]', '0', /not a JSON object/, /remove ":0"/],
    ['"v-1"', 'length', /not a JSON object/, /remove ":/],
    ['null', 'a', /not a JSON object/, /remove ":/],
    ['', 'a', /not a JSON object/, /remove ":/],
    ['{"a":"v-1"', 'a', /not a JSON object/, /remove ":/],
  ])('of %j by %s is missing', (...[value, key, message, hint]) => {
    const failure = failureOf(() => pickField(value, secretOf(`secretsmanager:s:${key}`)));
    expect(failure.code).toBe('KEY_FIELD_MISSING');
    expect(failure.message).toMatch(message);
    expect(failure.hint).toMatch(hint);
    expect(`${failure.message}${failure.hint}${String(failure.cause)}`).not.toContain('v-');
  });

  it('is never shown in an error, whatever is stored', () => {
    const value = fc.stringMatching(/^[a-z0-9]{12,20}$/);
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[A-Z]{1,8}$/), value), (members) => {
        const failure = failureOf(() => pickField(JSON.stringify(members), secretOf(`secretsmanager:S:q`)));
        for (const stored of Object.values(members)) {
          expect(failure.message + failure.hint).not.toContain(stored);
        }
      }),
    );
  });

  it('is one of at most ten in the hint', () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`key-${String(i)}`, 'x']));
    const { hint } = failureOf(() => pickField(JSON.stringify(many), secretOf(`${arn}:none`)));
    expect(hint).toContain('"key-9", …: write for example ' + arn + ':key-0');
    expect(hint).not.toContain('key-10');
  });
});

describe('JSON instead of a key', () => {
  const failure = new Failure('KEY_NOT_PRIVATE', 'x holds JSON', { hint: 'store the private key' });

  it('is explained with its JSON keys', () => {
    const { code, message, hint } = explainJson(failure, '{"a":"v-1"}', secretOf('secretsmanager:s'));
    expect([code, message]).toEqual(['KEY_NOT_PRIVATE', 'x holds JSON']);
    expect(hint).toBe(
      `write a JSON key after the secret's name; its JSON has "a": write for example secretsmanager:s:a`,
    );
  });

  it.each([
    ['text', 'secretsmanager:s'],
    ['{"a":"v-1"}', 'secretsmanager:s:b'],
    ['[]', 'secretsmanager:s'],
  ])('is not assumed for %j by %s', (value, text) => {
    expect(explainJson(failure, value, secretOf(text))).toBe(failure);
  });
});
