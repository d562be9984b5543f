/** What a repository may choose, what the name of a key depends on, and what is never written to a file. */
import { describe, expect, it } from '@jest/globals';
import {
  askedSettings,
  compile,
  isChoice,
  isIgnored,
  mayBeWritten,
  placesOf,
  textOf,
  type HostKey,
} from '../../src/host/compile.ts';
import type { Environment } from '../../src/host/settings.ts';
import { listing } from '../support/listing.ts';

const byGit = { byGit: true, jobRegion: '' };
const entry = (name: string, value?: string, scope = 'local') => ({ scope, name, value });

describe('a setting of a repository', () => {
  it.each([
    ['ssm.key', 'chosen'],
    ['ssm.github.com.key', 'chosen'],
    ['ssm.passphrase', 'chosen'],
    ['ssm.certificate', 'chosen'],
    ['ssm.keylifetime', 'chosen'],
    ['core.sshcommand', 'chosen'],
    ['ssm.timeout', 'ignored'],
    ['ssm.github.com.via', 'ignored'],
    ['ssm.cache', 'ignored'],
    ['ssm.forcecommand', 'ignored'],
    ['ssm.other', undefined],
    ['core.key', undefined],
    ['core.timeout', undefined],
    ['key', undefined],
  ])('%s is %s', (name, expected) => {
    const kind = isChoice(entry(name)) ? 'chosen' : isIgnored(entry(name)) ? 'ignored' : undefined;
    expect(kind).toBe(expected);
    expect(isIgnored(entry(name, 'x', 'global'))).toBe(false);
  });

  it.each([
    ['ssm.key', ' kms:alias/x', false],
    ['ssm.key', 'new:ed25519', false],
    ['ssm.key', '/ci/key', true],
    ['ssm.passphrase', 'kms:alias/x', true],
  ])('%s = %s may be chosen: %j', (name, value, expected) => {
    expect(isChoice(entry(name, value))).toBe(expected);
  });

  it('that is ignored is named as the documentation writes it, once', () => {
    const listed = listing(
      ...['local ssm.timeout = 1s', 'local ssm.a.b.timeout = 1s', 'local ssm.c.timeout = 1s'],
      ...['local ssm.via = x', 'local ssm.cache = x', 'local ssm.forcecommand = x', 'local ssm.nothing = x'],
    );
    expect(compile(listed, {}, byGit).ignored).toEqual([
      ...['ssm.timeout', 'ssm.*.timeout', 'ssm.via', 'ssm.cache', 'ssm.forceCommand'],
    ]);
  });
});

it('git is asked for our settings and its ssh command', () => {
  const asked = new RegExp(askedSettings);
  expect(['ssm.key', 'core.sshcommand'].every((name) => asked.test(name))).toBe(true);
  expect(['xssm.key', 'ssmkey', 'core.sshcommands', 'core.editor'].some((name) => asked.test(name))).toBe(
    false,
  );
});

it('two keys of one repository in different agents are told by their sections', () => {
  const listed = listing(
    ...['global ssm.github.com/acme.key = kms:alias/x', 'global ssm.ssh://github.com/acme.key = /a'],
    ...['global ssm.gitlab.com.key = /b', 'global ssm.ssh://gitlab.com.key = /c'],
  );
  const { keys, warnings } = compile(listed, {}, byGit);
  expect(keys.map(({ reference }) => reference)).toEqual(['kms:alias/x', '/b', '/c']);
  expect(warnings).toEqual([
    'the section [ssm "ssh://github.com/acme"] is ignored: [ssm "github.com/acme"] names the same repository, its key is in another agent, and ssh asks one',
    'warning: 2 keys are offered for gitlab.com, in the order written: the host takes the first that it knows ([ssm "gitlab.com"], [ssm "ssh://gitlab.com"])',
  ]);
});

it.each([
  [['github.com/acme.key = /a', 'github.com/acme/*.key = /b'], 1],
  [['github.com/acme.key = /a', 'ssh://git@github.com:22/acme.key = /b', 'github.com/acme/.key = /c'], 1],
  [['github.com/acme.key = /a', 'github.com/acme/lib.key = /b', 'github.com:443/acme.key = /c'], 0],
  // One key is no rival of itself.
  [['github.com/acme.key = /a', 'github.com/acme/*.key = /a'], 0],
  [['github.com/acme.key = kms:alias/a', 'github.com/acme/*.key = kms:alias/a'], 1],
])('sections with the same pattern and different keys cause a warning: %j', (settings, count) => {
  const listed = listing(...settings.map((setting) => `global ssm.${setting}`));
  const { warnings } = compile(listed, {}, byGit);
  expect(warnings).toHaveLength(count);
  expect(warnings.join('')).not.toContain('@');
});

describe('the name of a key', () => {
  const nameWith = (env: Environment, key = '/a', ...more: readonly string[]): string =>
    compile(listing(`global ssm.key = ${key}`, ...more), env, byGit).keys[0]?.name ?? '';

  it('depends on the first Region of the environment', () => {
    const named = nameWith({ AWS_REGION: 'eu-west-1' });
    expect(nameWith({ AWS_DEFAULT_REGION: 'eu-west-1' })).toBe(named);
    expect(nameWith({ AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-west-2' })).toBe(named);
    expect(nameWith({ AWS_REGION: '', AWS_DEFAULT_REGION: 'eu-west-1' })).toBe(named);
    expect(nameWith({}, '/a', 'global ssm.region = eu-west-1')).toBe(named);
    expect(nameWith({ AWS_REGION: 'eu-west-2' })).not.toBe(named);
  });

  it('depends on the home folder only if it signs, and always on the cache', () => {
    expect(nameWith({ HOME: '/x' })).toBe(nameWith({}));
    expect(nameWith({ HOME: '/x' }, 'kms:alias/a')).not.toBe(nameWith({}, 'kms:alias/a'));
    const [one, other] = ['1', '2'].map((port) => nameWith({}, '/a', `global ssm.cache = http://h:${port}`));
    expect(new Set([one, other, nameWith({})]).size).toBe(3);
  });

  it.each([
    ...['AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT', 'AWS_EC2_METADATA_DISABLED'],
    ...['AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE', 'AWS_ENDPOINT_URL_SSO', 'AWS_ENDPOINT_URL_SSO_OIDC'],
    ...['AWS_ENDPOINT_URL_SIGNIN', 'AWS_LOGIN_CACHE_DIRECTORY'],
  ])('depends on %s, and so does the text, but not if it is empty', (name) => {
    expect(nameWith({ [name]: 'x' })).not.toBe(nameWith({}));
    expect(nameWith({ [name]: 'x' })).not.toBe(nameWith({ [name]: 'y' }));
    expect(nameWith({ [name]: '' })).toBe(nameWith({}));
    expect(textOf(listing(), { [name]: 'x' }, byGit)).not.toBe(textOf(listing(), {}, byGit));
  });

  it('depends on the home folder where a path of the AWS SDK begins there', () => {
    const [one, other] = ['/x', '/y'].map((HOME) => nameWith({ HOME, AWS_CONFIG_FILE: '~/aws' }));
    expect(one).not.toBe(other);
    expect(nameWith({ HOME: '/x', AWS_PROFILE: '~/a' })).toBe(nameWith({ HOME: '/y', AWS_PROFILE: '~/a' }));
  });

  it('stays the same: with another one each key would be read again after an upgrade', () => {
    expect(nameWith({}).slice(0, 16)).toBe('d4baa85c6cb496ae');
  });

  it('is the folder of a stored key, whose agent all keys share', () => {
    const key: Pick<HostKey, 'name' | 'signs'> = { name: 'a'.repeat(64), signs: false };
    expect(placesOf(key, '/s')).toEqual({ folder: `/s/keys/${key.name}`, agent: '/s/agent' });
    const folder = `/s/kms/${'a'.repeat(16)}`;
    expect(placesOf({ ...key, signs: true }, '/s')).toEqual({ folder, agent: `${folder}/agent` });
  });
});

describe('the text for the cache', () => {
  it('has the variables and the settings, as git writes them', () => {
    const listed = listing('global ssm.key = /a', 'command ssm.b.key', 'local ssm.c.key = ');
    const env = { AWS_PROFILE: 'p', HOME: '/h', OTHER: 'x' };
    expect(textOf(listed, env, { byGit: false, jobRegion: 'eu-west-1' })).toBe(
      [
        ...['5', 'eu-west-1', 'HOME=/h', 'AWS_PROFILE=p'],
        ...['global\tssm.key /a', 'command\tssm.b.key', 'local\tssm.c.key '],
      ].join('\n'),
    );
  });

  it('has the files in the home folder that the shell sees, and so has the name', () => {
    const listed = listing('global ssm.key = /a');
    const awsFiles = ['/h/.aws/config', '/h/.aws/credentials'];
    const textWith = (HOME?: string): string | undefined =>
      textOf(listed, HOME === undefined ? {} : { HOME }, { ...byGit, awsFiles });
    const files = awsFiles.join('\n');
    expect(textWith('/h')).toBe(`5 git\n\nHOME=/h\n${files}\nglobal\tssm.key /a`);
    expect([textWith(''), textWith()]).toEqual([
      '5 git\n\nHOME=\nglobal\tssm.key /a',
      '5 git\n\nglobal\tssm.key /a',
    ]);
    const names = [[], awsFiles, ...awsFiles.map((one) => [one])].map(
      (some) => compile(listed, {}, { ...byGit, awsFiles: some }).keys[0]?.name,
    );
    expect([new Set(names).size, names[0]]).toEqual([4, compile(listed, {}, byGit).keys[0]?.name]);
  });

  const token = `ghp_${'x'.repeat(36)}`;
  it.each<[readonly string[], Environment, boolean]>([
    [['global ssm.key = /a', `global ssm.${token}.key = /b`], {}, false],
    [['global ssm.key = /a', 'command ssm.h.passphrase = /p'], {}, false],
    [['global ssm.passphrase = /p'], {}, true],
    [['command ssm.key = /a'], {}, true],
    [[], { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE' }, true],
    [[], { AWS_PROFILE: token }, false],
    [[], { AWS_ENDPOINT_URL: 'https://h/x@y' }, true],
  ])('of %j and %j is written: %j', (lines, env, expected) => {
    expect(textOf(listing(...lines), env, byGit) !== undefined).toBe(expected);
  });
});

it.each([
  [{ SSM_SSH_KEY: ' /ci/key\n' }, true],
  [{ SSM_SSH_KEY: 'ssm:key' }, true],
  [{ SSM_SSH_KEY: 'x/ci/key' }, false],
  [{ SSM_SSH_CERTIFICATE: 'kms:alias/x' }, false],
  [{ SSM_SSH_PASSPHRASE: '' }, true],
])('what was read with %j may be written: %j', (env, expected) => {
  expect(mayBeWritten(env)).toBe(expected);
});
