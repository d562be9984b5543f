/** The settings of a key: its references, its lifetime, its options, and its line. */
import { describe, expect, it } from '@jest/globals';
import { hostLine } from '../../src/host/host-line.ts';
import {
  hostKeySettings,
  isCached,
  keySettingsOf,
  patternOf,
  rolesIn,
  sectionsWith,
} from '../../src/host/settings.ts';
import { chosenKeyOf } from '../../src/host/signing-settings.ts';
import { parseKeyLine } from '../../src/keys/key-line.ts';
import { failureOf } from '../support/failure-of.ts';

const settings = (given: Readonly<Record<string, string>>): Map<string, readonly string[]> =>
  new Map(Object.entries(given).map(([name, value]) => [name, ['before', value]]));

describe('the settings of a key', () => {
  const known = settings({
    ...{ 'ssm.key': '/k', 'ssm.passphrase': '/p', 'ssm.certificate': '/c', 'ssm.keylifetime': '2h' },
    ...{
      'ssm.h.key': '/hk',
      'ssm.h.passphrase': '/hp',
      'ssm.h.certificate': '/hc',
      'ssm.h.keylifetime': '3h',
    },
    'ssm.bare.key': '/bare',
  });
  const env = {
    ...{ SSM_SSH_KEY: '/ek', SSM_SSH_PASSPHRASE: '/ep', SSM_SSH_CERTIFICATE: '/ec' },
    SSM_SSH_KEY_LIFETIME: '4h',
  };
  const of = ([reference, passphrase, certificate]: readonly string[], lifetime: string) => ({
    ...{ reference, passphrase, certificate, lifetime },
  });

  it('are those of the section alone, or of the environment before the general ones', () => {
    expect(keySettingsOf(known, {})).toEqual(of(['/k', '/p', '/c'], '2h'));
    expect(keySettingsOf(known, env)).toEqual(of(['/ek', '/ep', '/ec'], '4h'));
    expect(keySettingsOf(known, env, 'h')).toEqual(of(['/hk', '/hp', '/hc'], '3h'));
    expect(keySettingsOf(known, env, 'bare')).toEqual(of(['/bare', '', ''], '4h'));
    expect(keySettingsOf(known, {}, 'bare')).toEqual(of(['/bare', '', ''], '2h'));
    expect(keySettingsOf(new Map(), {})).toEqual(of(['', '', ''], '1h'));
  });

  it('of host keys come from the environment before the general ones', () => {
    const general = settings({ 'ssm.knownhosts': '/known', 'ssm.stricthostkeychecking': 'yes' });
    expect(hostKeySettings(general, {})).toEqual({ knownHosts: '/known', strict: 'yes' });
    const given = { SSM_SSH_KNOWN_HOSTS: '/e', SSM_SSH_STRICT_HOST_KEY_CHECKING: 'no' };
    expect(hostKeySettings(general, given)).toEqual({ knownHosts: '/e', strict: 'no' });
    expect(hostKeySettings(new Map(), {})).toEqual({ knownHosts: '', strict: '' });
  });
});

it.each([
  ['', []],
  [' arn:a,  arn:b\n,arn:c ', ['arn:a', 'arn:b', 'arn:c']],
])('the roles in %j are %j', (text, roles) => {
  expect(rolesIn(text)).toEqual(roles);
});

it.each([
  [{ cache: 'x', roles: [] }, true],
  [{ cache: 'x', roles: ['arn:a'] }, false],
  [{ roles: [] }, false],
])('a cache is asked with %j: %j', (place, expected) => {
  expect(isCached(place)).toBe(expected);
});

it.each([
  ['ssm.a.key', ['a']],
  ['ssm.a.b.key', ['a.b']],
  ['ssm..key', []],
  ['ssm.key', []],
  ['xssm.a.key', []],
  ['core.sshlong.key', []],
  ['ssm.a.mykey', []],
])('the setting %s is of the sections %j', (name, sections) => {
  expect(sectionsWith(new Map([[name, []]]), 'key')).toEqual(sections);
});

it('a section without a host has no pattern, and what is no text is a fault', () => {
  expect(patternOf('no host')).toBeUndefined();
  expect(() => patternOf(undefined as unknown as string)).toThrow(TypeError);
});

describe('the options of a key that signs', () => {
  const trusted = settings({
    ...{ 'ssm.key': ' kms:alias/a ', 'ssm.uses': '5', 'ssm.sourceaddress': '::1', 'ssm.principals': '' },
    ...{ 'ssm.h.key': 'kms:alias/b', 'ssm.h.forcecommand': 'x', 'ssm.h.unbound': 'allow' },
  });

  it('are those of its section, or the general ones', () => {
    const read = { settings: trusted, trusted };
    expect(chosenKeyOf(read, {})).toMatchObject({
      ...{ reference: ' kms:alias/a ', signs: true },
      options: new Map([
        ['source-address', '::1'],
        ['uses', '5'],
      ]),
    });
    const inSection = {
      ...{ reference: 'kms:alias/b', signs: true },
      options: new Map([
        ['force-command', 'x'],
        ['unbound', 'allow'],
      ]),
    };
    expect(chosenKeyOf(read, {}, 'h')).toMatchObject(inSection);
    expect(chosenKeyOf(read, { SSM_SSH_KEY: 'kms:alias/a' }, 'h')).toMatchObject(inSection);
  });

  it('are none of a key that a variable names, or that a repository chose', () => {
    const none = { options: new Map() };
    const given = { SSM_SSH_KEY: ' kms:alias/a ' };
    expect(chosenKeyOf({ settings: trusted, trusted }, given)).toMatchObject(none);
    const theirs = settings({ 'ssm.key': '/theirs' });
    expect(chosenKeyOf({ settings: theirs, trusted }, {})).toMatchObject({ ...none, signs: false });
  });
});

describe('the line of a key', () => {
  const given = { reference: '/ci/key', passphrase: '', certificate: '', options: new Map() };
  const pattern = { host: 'github.com', path: 'acme' };

  it.each([
    [given, '/ci/key'],
    [{ ...given, reference: ' /ci/key\n', pattern }, '/ci/key github.com/acme'],
    [
      { ...given, passphrase: ' /p ', certificate: '/c\n', pattern },
      '/ci/key passphrase=/p certificate=/c github.com/acme',
    ],
    [
      { ...given, reference: 'kms:alias/a', options: new Map([['uses', '5']]), section: 'x', pattern },
      'kms:alias/a uses=5 github.com/acme',
    ],
  ])('of %j is that of the action: %s', (key, line) => {
    expect(hostLine(key)).toEqual(parseKeyLine(line));
  });

  it.each([
    [{ options: new Map([['uses', '5']]) }, 'ssm.uses is for keys in KMS and keys with ssm.ca'],
    [
      { options: new Map([['uses', '5']]), section: 'h' },
      'ssm.h.uses is for keys in KMS and keys with ssm.h.ca',
    ],
    [{ reference: 'kms:alias/a', passphrase: '/p' }, 'ssm.passphrase is for a stored key'],
    [{ reference: 'kms:alias/a', certificate: '/c' }, 'ssm.certificate is for a stored key'],
    [
      {
        options: new Map([
          ['ca', 'kms:alias/ca'],
          ['principals', 'me'],
        ]),
        certificate: '/c',
      },
      'ssm.certificate names a stored certificate, and ssm.ca signs a new one',
    ],
    [
      { reference: 'kms:alias/a', options: new Map([['source-address', '::1']]), section: 'h' },
      'ssm.h.sourceAddress',
    ],
    [{ certificate: 'no name at all' }, 'ssm.certificate (SSM_SSH_CERTIFICATE) is not the name'],
    [{ certificate: 'no name at all', section: 'h' }, 'ssm.h.certificate is not the name'],
  ])('cannot be of %j, and the settings are named: %s', (more, text) => {
    expect(failureOf(() => hostLine({ ...given, ...more })).message).toContain(text);
  });
});
