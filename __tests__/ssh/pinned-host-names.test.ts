/** Which keys are built in for which host. pinned-hosts.test.ts asks ssh-keygen for their whole fingerprints. */
import { expect, it } from '@jest/globals';
import { fingerprint } from '../../src/keys/public-key.ts';
import { pinnedHosts, renderKnownHosts } from '../../src/ssh/known-hosts.ts';

const short = (key: string): string => {
  const [type = '', base64 = ''] = key.split(' ');
  const shown = fingerprint({ blob: Buffer.from(base64, 'base64') });
  return `${type} ${shown.slice('SHA256:'.length, 'SHA256:'.length + 8)}`;
};

it.each([
  [
    ['github.com', '[ssh.github.com]:443'],
    ['ssh-ed25519 +DiY3wvv', 'ecdsa-sha2-nistp256 p2QAMXNI', 'ssh-rsa uNiVztks'],
  ],
  [
    ['gitlab.com', '[altssh.gitlab.com]:443'],
    ['ssh-ed25519 eUXGGm1Y', 'ecdsa-sha2-nistp256 HbW3g8zU', 'ssh-rsa ROQFvPTh'],
  ],
  [
    ['bitbucket.org', 'altssh.bitbucket.org', '[altssh.bitbucket.org]:443'],
    ['ssh-ed25519 ybgmFkzw', 'ecdsa-sha2-nistp256 FC73VB6C', 'ssh-rsa 46OSHA1R'],
  ],
  [['ssh.dev.azure.com', 'vs-ssh.visualstudio.com'], ['ssh-rsa ohD8VZEX']],
])('%j have the keys %j', (names, expected) => {
  const { keys = [] } = pinnedHosts.find((host) => host.names[0] === names[0]) ?? {};
  expect(keys.map(short)).toEqual(expected);
  const lines = renderKnownHosts('').split('\n');
  expect(lines.filter((line) => line.startsWith(`${names.join(',')} `))).toEqual(
    keys.map((key) => `${names.join(',')} ${key}`),
  );
});
