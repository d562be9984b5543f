/** Where the name of a key is repaired that lacks its first slash. */
import { expect, it } from '@jest/globals';
import { completed } from '../../../helper/doctor/reference-remedy.ts';

it.each([
  [undefined, { SSM_SSH_KEY: 'ci/key' }, 'export SSM_SSH_KEY=/ci/key'],
  [undefined, {}, 'git config --global --replace-all ssm.key /ci/key'],
  ['github.com/acme', { SSM_SSH_KEY: 'ci/key' }, undefined],
])('the key of section %s, with %j, is repaired by %s', (section, env, command) => {
  const setting = { scope: 'global', name: 'ssm.key', value: 'ci/key', isWritable: true } as const;
  const entries = [{ ...setting, source: { name: 'ssm.key', scope: 'global' } as const }];
  expect(completed({ reference: 'ci/key', ...(section && { section }) }, entries, env)).toBe(command);
});
