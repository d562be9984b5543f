import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { makeJobFolder } from '../support/job-folder.ts';
import { itInTurn as it } from '../support/parts.ts';
import { foreignCommands, ourCommands } from '../support/ssh-commands.ts';

describe("helper/ssm-ssh and git's core.sshCommand", () => {
  let folder: string;
  let program: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ssm-ssh-'));
    program = makeJobFolder(join(folder, 'use'), { keys: ['', 'github.com/acme/routed'] });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** A repository with one remote, and what is started in it for github.com. */
  const started = (remote: string, command: string, { forAll = '', own = '', gitSsh = '' }): string => {
    const home = mkdtempSync(join(folder, 'home-'));
    const repository = join(home, 'repository');
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      GIT_CONFIG_NOSYSTEM: '1',
      SSH_AUTH_SOCK: join(folder, 'use/agent'),
      ...(gitSsh && { GIT_SSH: gitSsh }),
    };
    const git = (...args: string[]): unknown => execFileSync('git', args, { cwd: repository, env });
    mkdirSync(repository);
    git('init', '--quiet');
    git('remote', 'add', 'origin', remote);
    if (own) git('config', 'core.sshCommand', own);
    if (forAll) writeFileSync(join(home, '.gitconfig'), `[core]\n\tsshCommand = ${forAll}\n`);
    return execFileSync(program, ['-G', 'git@github.com', command], {
      cwd: repository,
      env,
      encoding: 'utf8',
      timeout: 20_000,
    });
  };
  const fetch = "git-upload-pack 'acme/lib.git'";
  const theirs = 'echo "agent ${SSH_AUTH_SOCK-none}"';

  it.each([
    'git@github.com:acme/lib.git',
    'github.com:acme/lib',
    'git@GitHub.com:Acme/Lib.git',
    'ssh://git@github.com/acme/lib.git',
    'ssh://github.com:22/acme/lib',
    'git+ssh://git@github.com/acme/lib.git',
    'ssh://git@github.com/acme/l%69b.git',
    'git@[github.com]:acme/lib.git',
    'git@[github.com:22]:acme/lib.git',
    '[git@github.com:22]:acme/lib.git',
  ])('starts that of a repository whose remote is %s', (remote) => {
    expect(started(remote, fetch, { own: theirs })).toMatch(/^agent .* git@github.com git-upload-pack/);
  });

  it.each([
    'git@github.com:acme/lib-extra.git',
    'git@gitlab.com:acme/lib.git',
    'ssh://git@github.com:443/acme/lib.git',
    'git@[github.com:443]:acme/lib.git',
    'git@[::1]:acme/lib.git',
    'ssh://git@gitlab.com/acme/l%69b.git',
    'https://github.com/acme/lib',
    '../lib',
  ])('does not for a clone in the folder of a repository whose remote is %s', (remote) => {
    expect(started(remote, fetch, { own: theirs })).toContain('/keys/0.pub');
  });

  it('starts that of the user or the machine for a clone, too', () => {
    const output = started('../lib', fetch, { own: 'false', forAll: 'echo theirs' });
    expect(output).toMatch(/^theirs -o IdentitiesOnly=yes -o AddKeysToAgent=no -G -o .* git@github.com/);
  });

  it('does not where a key names the repository', () => {
    const routed = "git-upload-pack 'acme/routed.git'";
    expect(started('git@github.com:acme/routed', routed, { own: 'false' })).toContain('/keys/1.pub');
  });

  it('starts GIT_SSH, as Jenkins sets it, with its own key alone, and another with ours', () => {
    const gitSsh = join(folder, "jenkins' ssh.sh");
    const script = (options: string): string =>
      `#!/bin/sh\nssh() { echo "\${SSH_AUTH_SOCK-none}" "$@"; }\nssh ${options} "$@"\n`;
    writeFileSync(gitSsh, script('-i /a/key'), { mode: 0o755 });
    expect(started('../lib', fetch, { gitSsh })).toMatch(
      /^none -i \/a\/key -G git@github.com git-upload-pack /,
    );
    writeFileSync(gitSsh, script('-4'), { mode: 0o755 });
    expect(started('../lib', fetch, { gitSsh })).toMatch(/ -4 .* -o IdentityFile="[^"]*\/use\/keys\/0.pub" /);
    expect(started('../lib', "git-upload-pack 'acme/routed.git'", { gitSsh })).toContain('/keys/1.pub');
    expect(started('../lib', fetch, { gitSsh: program })).toContain('/keys/0.pub');
  });

  it.each(ourCommands)('does not start itself by %s', (own) => {
    expect(started('git@github.com:acme/lib', fetch, { own })).toContain('/keys/0.pub');
  });

  it.each(foreignCommands)('starts %s', (own) => {
    const output = started('git@github.com:acme/lib', fetch, { own });
    // A key of the command's own keeps ours away.
    expect(output.includes('/keys/0.pub')).toBe(!own.includes(' -i '));
    expect(output).toMatch(/^user git$/m);
  });

  it('starts a wrapper around ssm-ssh once', () => {
    const wrapper = join(folder, 'wrapper');
    writeFileSync(wrapper, `#!/bin/sh\necho wrapped\n: ssh -i none\nexec ${program} "$@"\n`, { mode: 0o755 });
    const output = started('git@github.com:acme/lib', fetch, { own: wrapper });
    expect(output.match(/^wrapped$/gm)).toHaveLength(1);
  });

  it('forwards our agent from none, whatever it says itself', () => {
    for (const own of ['ssh -A', 'ssh -A -o ForwardAgent=yes', 'ssh -o ForwardAgent=yes', 'ssh -a -A'])
      expect([own, started('git@github.com:acme/lib', fetch, { own })]).toEqual([
        own,
        expect.stringMatching(/^forwardagent no$/m),
      ]);
  });

  it('keeps our agent from one that has keys of its own, and no other', () => {
    const remote = 'git@github.com:acme/lib';
    expect(started(remote, fetch, { own: `${theirs} -i /a/key` })).toMatch(/^agent none /);
    expect(started(remote, fetch, { own: `${theirs} -o identityfile=/a/key` })).toMatch(/^agent none /);
    expect(started(remote, fetch, { own: theirs })).toMatch(
      /^agent .* -o IdentitiesOnly=yes .*-o IdentityAgent="[^"]*\/use\/agent" .*-o IdentityFile="[^"]*\/use\/keys\/0.pub" /,
    );
  });
});
