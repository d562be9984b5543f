import { describe, expect, it } from '@jest/globals';
import { shortLivedIn, shortLivedWarning } from '../../helper/setup/short-lived.ts';

describe('a path that setup writes', () => {
  it.each([
    ['/home/me/.nvm/versions/node/v24.1.0/lib/node_modules/ssm-ssh-agent', 'nvm'],
    ['/usr/local/share/nvm/versions/node/v24.1.0/bin/node', 'nvm'],
    ['/home/me/.local/share/nvm/v24.1.0/lib/node_modules/ssm-ssh-agent', 'nvm.fish'],
    ['/home/me/.nvs/node/24.1.0/x64/lib/node_modules/ssm-ssh-agent', 'nvs'],
    ['/home/me/.proto/tools/node/24.1.0/bin/node', 'proto'],
    ['/home/me/.anyenv/envs/nodenv/versions/24.1.0/bin/node', 'nodenv'],
    ['/home/me/.local/share/pnpm/global/v11/4f2a/node_modules/ssm-ssh-agent', "pnpm's store"],
    ['/home/me/.local/share/pnpm/nodejs/24.1.0/bin/node', "pnpm's store"],
    ['/opt/hostedtoolcache/node/24.1.0/x64/bin/node', "a runner's tool cache"],
    ['/home/me/actions-runner/_work/_tool/node/24.1.0/x64/bin/node', "a runner's tool cache"],
    ['/nix/store/0123abcd-nodejs-24.1.0/bin/node', 'Nix'],
    ['/home/me/.nodebrew/node/v24.1.0/bin/node', 'nodebrew'],
    ['/home/me/.local/share/fnm/node-versions/v24.1.0/installation/bin/node', 'fnm'],
    ['/run/user/1000/fnm_multishells/4711_17/bin/node', 'fnm'],
    ['/home/me/.volta/tools/image/packages/ssm-ssh-agent/lib/node_modules/ssm-ssh-agent', 'Volta'],
    ['/home/me/.asdf/installs/nodejs/24.1.0/lib/node_modules/ssm-ssh-agent', 'asdf'],
    ['/home/me/.local/share/mise/installs/node/24.1.0/bin/node', 'mise'],
    ['/home/me/.nodenv/versions/24.1.0/lib/node_modules/ssm-ssh-agent', 'nodenv'],
    ['/home/me/n/n/versions/node/24.1.0/bin/node', 'n'],
    ['/opt/homebrew/Cellar/node/24.1.0/bin/node', 'Homebrew'],
    ['/home/me/.npm/_npx/0123456789abcdef/node_modules/ssm-ssh-agent', 'the cache of npx'],
    [
      '/home/me/.local/share/pnpm/global/5/.pnpm/ssm-ssh-agent@1.0.0/node_modules/ssm-ssh-agent',
      "pnpm's store",
    ],
  ])('is in a folder that an upgrade removes: %s', (path, owner) => {
    expect(shortLivedIn(path)).toBe(owner);
    expect(shortLivedWarning(path, '/usr/bin/node')).toContain(
      `a folder of ${owner} that an upgrade removes`,
    );
    expect(shortLivedWarning('/usr/lib/node_modules/ssm-ssh-agent', path)).toMatch(
      /^Node is in a folder of /,
    );
  });

  it.each([
    '/usr/lib/node_modules/ssm-ssh-agent',
    '/usr/local/lib/node_modules/ssm-ssh-agent',
    '/opt/homebrew/lib/node_modules/ssm-ssh-agent',
    '/home/me/.local/lib/node_modules/ssm-ssh-agent',
    '/home/me/n/bin/node',
    '/home/me/nvm/vendor/node',
    '/home/me/src/pnpm/globals/node',
    '/home/me/src/nvm-things/ssm-ssh-agent',
  ])('stays where it is: %s', (path) => {
    expect(shortLivedWarning(path, '/usr/bin/node')).toBeUndefined();
  });
});
