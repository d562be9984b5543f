/** Hints about stored keys fit the store. */
import { describe, expect, it } from '@jest/globals';
import { parseStoredKey } from '../../src/host/open-key.ts';
import { parseReference } from '../../src/keys/reference.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { failureOf } from '../support/failure-of.ts';

const { privateKey } = await makeSshKey();
const told = (text: string, name: string): ReturnType<typeof failureOf> =>
  failureOf(() => parseStoredKey({ text, reference: parseReference(name) }));

describe('a stored key', () => {
  it('may be the only value in JSON without a JSON key in the reference', () => {
    const text = JSON.stringify({ user: 'git', private_key: privateKey });
    const key = parseStoredKey({ text, reference: parseReference('secretsmanager:s') });
    expect(key.publicKey.type).toBe('ssh-ed25519');
  });

  it.each([
    ['', '/k', 'KEY_EMPTY', 'SecureString'],
    ['', 'secretsmanager:s', 'KEY_EMPTY', 'put-secret-value --secret-id s '],
    ['', 'secretsmanager:s:k', 'KEY_EMPTY', 'as the string at "k" of its JSON: aws secretsmanager'],
    [privateKey.slice(0, 200), '/k', 'KEY_MALFORMED', 'aws ssm put-parameter'],
    [privateKey.slice(0, 200), 'secretsmanager:s', 'KEY_MALFORMED', 'aws secretsmanager put-secret-value'],
    [privateKey + privateKey, 'secretsmanager:s', 'KEY_MALFORMED', 'the whole file of one key'],
    ['{"a":"b"}', '/k', 'KEY_NOT_PRIVATE', 'store the private key'],
    ['{"a":"b"}', 'secretsmanager:s', 'KEY_NOT_PRIVATE', 'write for example secretsmanager:s:a'],
    [
      JSON.stringify({ a: privateKey, b: privateKey }),
      'secretsmanager:s',
      'KEY_MALFORMED',
      'its JSON has "a", "b": write for example secretsmanager:s:a',
    ],
  ])('%j in %s fails with %s, and the hint fits the store', (...[text, name, code, hint]) => {
    const failure = told(text, name);
    expect(failure.code).toBe(code);
    expect(failure.hint).toContain(hint);
  });
});
