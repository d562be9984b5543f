/** Kinds of new keys, members of JSON, and other small grammars: their limits and their hints. */
import { describe, expect, it } from '@jest/globals';
import { rangeProblem } from '../../src/keys/address-range.ts';
import { parseKeyKind } from '../../src/keys/generate-key.ts';
import { setMember } from '../../src/keys/json-member.ts';
import { membersOf, pickField } from '../../src/keys/json-secret.ts';
import { parseLifetime } from '../../src/keys/lifetime.ts';
import { parseReference, type SecretReference } from '../../src/keys/reference.ts';
import { visible } from '../../src/keys/visible-text.ts';
import { mpint, string } from '../../src/keys/wire.ts';
import { failureOf } from '../support/failure-of.ts';

describe('the kind of a new key', () => {
  it.each([
    [undefined, undefined, { type: 'ed25519', bits: 256 }],
    ['ecdsa', undefined, { type: 'ecdsa', bits: 256 }],
    ['rsa', undefined, { type: 'rsa', bits: 3072 }],
    ['ed25519', '256', { type: 'ed25519', bits: 256 }],
    ['ecdsa', '256', { type: 'ecdsa', bits: 256 }],
    ['ecdsa', '384', { type: 'ecdsa', bits: 384 }],
    ['ecdsa', '521', { type: 'ecdsa', bits: 521 }],
    ['rsa', '2048', { type: 'rsa', bits: 2048 }],
    ['rsa', '8192', { type: 'rsa', bits: 8192 }],
  ])('is read from --type %s --bits %s', (type, bits, kind) => {
    expect(parseKeyKind(type, bits)).toEqual(kind);
  });

  it.each([
    ['dsa', '1024', '--type cannot be "dsa"', 'write ed25519, rsa or ecdsa'],
    [
      'ed25519',
      '512',
      'an Ed25519 key always has 256 bits: --bits cannot be "512"',
      'leave out --bits, or choose --type rsa',
    ],
    ['ecdsa', '255', 'an ECDSA key cannot have "255" bits', 'write --bits 256, 384 or 521'],
    ['ecdsa', 'x256', 'an ECDSA key cannot have "x256" bits', 'write --bits 256, 384 or 521'],
    ['ecdsa', '256x', 'an ECDSA key cannot have "256x" bits', 'write --bits 256, 384 or 521'],
    ['rsa', '2047', 'keygen makes no RSA key of "2047" bits', 'write --bits 2048 to 8192'],
    ['rsa', '8193', 'keygen makes no RSA key of "8193" bits', 'write --bits 2048 to 8192'],
    ['rsa', '0x1000', 'keygen makes no RSA key of "0x1000" bits', 'write --bits 2048 to 8192'],
  ])('is not --type %s --bits %s', (...[type, bits, message, hint]) => {
    const failure = failureOf(() => parseKeyKind(type, bits));
    expect([failure.message, failure.hint]).toEqual([message, hint]);
  });
});

describe('a member of JSON', () => {
  it.each([
    ['{}', '{"k": "v"}'],
    ['{"a":1}', '{"a":1, "k": "v"}'],
    ['{"k":1}', '{"k":"v"}'],
    ['{"k":"k"}', '{"k":"v"}'],
    ['{"a":"k","k" : [1, {"k": 2}] }', '{"a":"k","k" : "v" }'],
    ['{"a":{"k":1,"b":2}}', '{"a":{"k":1,"b":2}, "k": "v"}'],
    ['{"a":["k",1,"k"]}', '{"a":["k",1,"k"], "k": "v"}'],
    ['{"k":1,"a":2,"k":3}', '{"k":"v","a":2,"k":"v"}'],
    ['{"a":"\\"k\\":1","k":2}', '{"a":"\\"k\\":1","k":"v"}'],
    ['[]', undefined],
    ['null', undefined],
    ['"k"', undefined],
    ['{', undefined],
  ])('is set in %s, and nothing else is changed', (text, expected) => {
    expect(setMember(text, 'k', 'v')).toBe(expected);
  });

  it('is none of a text that is no object', () => {
    for (const text of ['null', '[]', '1', '', '{', '{}\uFEFF']) expect(membersOf(text)).toBeUndefined();
    expect(membersOf('\uFEFF{}')?.size).toBe(0);
  });

  const reference = parseReference('secretsmanager:s:none') as SecretReference;
  const hintFor = (keys: readonly string[]): string =>
    failureOf(() => pickField(JSON.stringify(Object.fromEntries(keys.map((key) => [key, 'q']))), reference))
      .hint;

  it('that is missing is told with ten others, each in 60 characters', () => {
    const names = Array.from({ length: 11 }, (_, index) => `k${String(index)}`);
    const ten = names.slice(0, 10);
    const listed = ten.map((name) => `"${name}"`).join(', ');
    expect(hintFor(ten)).toBe(`its JSON has ${listed}: write for example secretsmanager:s:k0`);
    expect(hintFor(names)).toBe(`its JSON has ${listed}, …: write for example secretsmanager:s:k0`);
    const long = 'x'.repeat(61);
    const shown = 'x'.repeat(60);
    expect(hintFor([long])).toBe(`its JSON has "${shown}": write for example secretsmanager:s:${shown}`);
  });
});

describe('a range of addresses', () => {
  const none = 'is not an IP address or a range in CIDR notation';
  it.each([
    ['::', undefined],
    ['::1', undefined],
    ['2001:db8::/32', undefined],
    ['2001:DB8::/32', undefined],
    ['1:2:3:4:5:6:7:8', undefined],
    ['::ffff:192.0.2.1', undefined],
    ['::/0', undefined],
    ['::8000/113', undefined],
    ['::8000/112', 'has bits behind its mask of 112 bits'],
    ['1::/15', 'has bits behind its mask of 15 bits'],
    ['1::/16', undefined],
    ['::/129', 'has a mask of more than 128 bits'],
    ['10.0.0.0/8', undefined],
    ['10.0.0.0/33', 'has a mask of more than 32 bits'],
    ['x/10.0.0.0/8', none],
    ['10.0.0.0/8x', none],
    ['[::1]', none],
    ['::1%eth0', none],
    ['::1]/', none],
    ['', none],
  ])('%j %s', (text, problem) => {
    expect(rangeProblem(text)).toBe(problem);
  });
});

describe('a duration', () => {
  it.each([
    ['12h34m', 45_240],
    ['100s100s', 200],
    ['1w2d3h4m5', 788_645],
    ['90', 90],
    ['h1m', undefined],
    ['-1m', undefined],
    ['1h-1m', undefined],
    ['x1h5', undefined],
  ])('%s is %j seconds', (text, seconds) => {
    expect(parseLifetime(text)).toBe(seconds);
  });
});

describe('a field in wire form', () => {
  it('has its length and its bytes', () => {
    expect(string('\u00E9')).toEqual(Buffer.of(0, 0, 0, 2, 0xc3, 0xa9));
    expect(string(Buffer.of(7))).toEqual(Buffer.of(0, 0, 0, 1, 7));
    expect(mpint(Buffer.alloc(3))).toEqual(Buffer.alloc(4));
    expect(mpint(Buffer.alloc(0))).toEqual(Buffer.alloc(4));
    expect(mpint(Buffer.of(0, 0, 0x80))).toEqual(Buffer.of(0, 0, 0, 2, 0, 0x80));
  });
});

describe('a text that is made visible', () => {
  it.each([
    ['a\tb', 'a\\tb'],
    ['\u0085', '\\x85'],
    ['\u202E', '\\u202e'],
    ['\u0100', '\u0100'],
  ])('%j is %s', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });
});
