/** Which setting the remedy for a key changes. */
import { spawnSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { remedyForKey, remedyForKms } from '../../../helper/doctor/key-remedy.ts';
import { replaceSetting, unsetSetting, type PlacedSetting } from '../../../helper/doctor/setting-remedy.ts';
import type { StoredKeyLine } from '../../../src/keys/key-line.ts';
import { parseKeyReference, type KmsReference } from '../../../src/keys/key-reference.ts';
import { parseReference } from '../../../src/keys/reference.ts';

const setting = (name: string, value: string): PlacedSetting => ({
  ...{ scope: 'global', name, value, isWritable: true },
  source: { name, scope: 'global' },
});

it.each([
  ['ssm.key', 'ssm.key'],
  ['[ssm "github.com/acme"]', 'ssm.github.com/acme.key'],
])('the remedy for the key of %s changes that setting, and no other key or credential', (from, name) => {
  const reference = parseKeyReference('kms:alias/rsa') as KmsReference;
  const entries = [
    setting('ssm.key', from === 'ssm.key' ? reference.text : '/ci/default'),
    setting('ssm.github.com/acme.key', from === 'ssm.key' ? '/ci/acme' : reference.text),
    setting('ssm.github.com/other.key', 'kms:alias/other'),
    setting('ssm.github.com/other.credential', reference.text),
  ];
  const wanted = { kind: 'key', reference, place: { region: undefined, roles: [] }, from } as const;
  const remedies = { entries, env: {}, agent: 'ssm-ssh-agent', account: [] };
  expect(remedyForKms('KEY_UNSUPPORTED', wanted, remedies)).toBe(
    `ssm-ssh-agent keygen kms:alias/NEW_NAME && git config --global --replace-all ${name} kms:alias/NEW_NAME`,
  );
});

it.each([
  ['KEY_NOT_FOUND', [], 'ssm-ssh-agent put /ci/key FILE'],
  ['KEY_MALFORMED', [], 'ssm-ssh-agent put /ci/key FILE --overwrite'],
  ['KEY_NOT_FOUND', ['passphrase'], undefined],
  ['KEY_EMPTY', ['passphrase'], undefined],
  ['KEY_MALFORMED', ['certificate'], undefined],
] as const)('%s with %j, which may be at fault itself, is repaired by %s', (code, others, command) => {
  const reference = parseReference('/ci/key');
  const besides = Object.fromEntries(others.map((name) => [name, parseReference(`/ci/${name}`)]));
  const line = { reference, ...besides } as StoredKeyLine;
  const place = { region: undefined, roles: [] };
  const wanted = { kind: 'key', line, place, from: 'ssm.key' } as const;
  const remedies = { entries: [], env: {}, agent: 'ssm-ssh-agent', account: [] };
  expect(remedyForKey(code, wanted, remedies)).toBe(command);
});

it.each([
  ['ssm.key', 'ssm.passphrase'],
  ['ssm.github.com/acme.key', 'ssm.github.com/acme.passphrase'],
])('the passphrase of a key from GIT_CONFIG_COUNT gets a pair of its own: %s', (name, passphrase) => {
  const env = {
    ...{ PATH: process.env['PATH'] ?? '', HOME: '/', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_COUNT: '2' },
    ...{ GIT_CONFIG_KEY_0: name, GIT_CONFIG_VALUE_0: '/ci/key' },
    ...{ GIT_CONFIG_KEY_1: 'user.name', GIT_CONFIG_VALUE_1: 'me', GIT_CONFIG_PARAMETERS: "'a.b'='c'" },
  };
  const line = { reference: parseReference('/ci/key') } as StoredKeyLine;
  const from = name === 'ssm.key' ? name : '[ssm "github.com/acme"]';
  const wanted = { kind: 'key', line, place: { region: undefined, roles: [] }, from } as const;
  const entries = [{ ...setting(name, '/ci/key'), scope: 'command' }];
  const remedy = remedyForKey('KEY_ENCRYPTED', wanted, { entries, env, agent: '', account: [] });
  const shell = `${remedy ?? ''}; for name in "$@"; do git config --get "$name"; done`;
  const read = spawnSync('sh', ['-c', shell, 'sh', name, passphrase, 'user.name', 'a.b'], {
    env,
    cwd: '/',
    encoding: 'utf8',
  });
  expect(read.stdout).toBe('/ci/key\nREF\nme\nc\n');
});

it.each([
  ["'ssm.key'='/ci/key'", undefined, 'unset GIT_CONFIG_PARAMETERS'],
  [undefined, '1', 'unset GIT_CONFIG_COUNT'],
])('what is not found as a pair is where the environment has it: %s', (parameters, count, command) => {
  const env = {
    ...{ GIT_CONFIG_PARAMETERS: parameters, GIT_CONFIG_COUNT: count },
    ...{ GIT_CONFIG_KEY_0: 'ssm.key', GIT_CONFIG_VALUE_0: '/ci/other' },
  };
  const given = { ...setting('ssm.key', '/ci/key'), scope: 'command' };
  expect([replaceSetting(given, 'x', env), unsetSetting(given, env)]).toEqual([command, command]);
});
