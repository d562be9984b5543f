import { describe, expect, it } from '@jest/globals';
import { setMember } from '../../src/keys/json-member.ts';

describe('a member of a JSON object', () => {
  it.each([
    ['{}', '{"key": "new"}'],
    ['{ }\n', '{"key": "new"  }\n'.replace('  }', ' }')],
    ['{"a": 1}', '{"a": 1, "key": "new"}'],
    [
      '{\n  "a": 1.0,\n  "b": 12345678901234567890\n}\n',
      '{\n  "a": 1.0,\n  "b": 12345678901234567890, "key": "new"\n}\n',
    ],
    ['{"key":"old","z":[1, {"key": "inner"}]}', '{"key":"new","z":[1, {"key": "inner"}]}'],
    ['{"z":{"key":"inner"}, "key" : "o\\"}ld" }', '{"z":{"key":"inner"}, "key" : "new" }'],
    ['{"k\\u0065y": {"a": ["}", "]"]}, "b": null}', '{"k\\u0065y": "new", "b": null}'],
    ['{"a":"key","key":true}', '{"a":"key","key":"new"}'],
    ['{"key":1,"key":2}', '{"key":"new","key":"new"}'],
    ['\uFEFF{"key":1}', '\uFEFF{"key":"new"}'],
  ])('is set in %j, and everything else stays: %j', (text, expected) => {
    expect(setMember(text, 'key', 'new')).toBe(expected);
  });

  it('has any characters in its name and value', () => {
    const changed = setMember('{"a":1}', '__proto__', 'one\n"two"\\ü$&');
    expect(changed).toBe('{"a":1, "__proto__": "one\\n\\"two\\"\\\\ü$&"}');
  });

  it.each(['', '[]', '"text"', 'null', '{"a":', '-----BEGIN OPENSSH PRIVATE KEY-----'])(
    'is not set in %j, which is no object',
    (text) => {
      expect(setMember(text, 'key', 'new')).toBeUndefined();
    },
  );
});
