import { expect, it } from '@jest/globals';
import { allowedSigner, configurationVariables, signingEntries } from '../../src/git/job-configuration.ts';

const entries = [
  ['core.sshCommand', 'ssm-ssh'],
  ['url.a.insteadOf', 'b'],
] as const;

it('settings become numbered variables', () => {
  expect(configurationVariables({}, entries)).toEqual({
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: 'core.sshCommand',
    GIT_CONFIG_VALUE_0: 'ssm-ssh',
    GIT_CONFIG_KEY_1: 'url.a.insteadOf',
    GIT_CONFIG_VALUE_1: 'b',
  });
});

it('settings follow those that the job has already', () => {
  expect(configurationVariables({ GIT_CONFIG_COUNT: '12' }, entries)).toEqual({
    GIT_CONFIG_COUNT: '14',
    GIT_CONFIG_KEY_12: 'core.sshCommand',
    GIT_CONFIG_VALUE_12: 'ssm-ssh',
    GIT_CONFIG_KEY_13: 'url.a.insteadOf',
    GIT_CONFIG_VALUE_13: 'b',
  });
});

it.each(['', 'x1', '1x', '-1', '12345'])('a count of %j, which git refuses, counts as none', (count) => {
  expect(configurationVariables({ GIT_CONFIG_COUNT: count }, entries)).toMatchObject({
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: 'core.sshCommand',
  });
});

it('no settings change no variable', () => {
  expect(configurationVariables({ GIT_CONFIG_COUNT: '3' }, [])).toEqual({});
});

it('git signs commits and tags with the key, by our program', () => {
  expect(signingEntries({ publicKey: '/k.pub', allowedSigners: '/signers', program: '/sign' })).toEqual([
    ['gpg.format', 'ssh'],
    ['gpg.ssh.program', '/sign'],
    ['user.signingKey', '/k.pub'],
    ['commit.gpgSign', 'true'],
    ['tag.gpgSign', 'true'],
    ['gpg.ssh.allowedSignersFile', '/signers'],
  ]);
});

it('the key is valid for every name, for git only, and without its comment', () => {
  const key = { type: 'ssh-ed25519', blob: Buffer.from('key'), comment: 'me@work' };
  expect(allowedSigner(key)).toMatch(/^\* namespaces="git" ssh-ed25519 a2V5 ?\n$/);
});
