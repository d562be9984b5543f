/** Which setting the remedy for a key changes. */
import { expect, it } from '@jest/globals';
import { remedyForKey, remedyForKms } from '../../../helper/doctor/key-remedy.ts';
import type { PlacedSetting } from '../../../helper/doctor/setting-remedy.ts';
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
