/** The first connection of a new host: there are no known hosts yet, but the pinned ones. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { program } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { useHost } from './use-host.ts';
import { itInTurn as it } from '../../support/parts.ts';

describeOnHost('a server that claims to be github.com, on the first connection', () => {
  const stand = useHost();
  /** The server is the test's git host. Its key is not GitHub's. */
  const claim = (): string => `-o HostName=127.0.0.1 -p ${String(stand.git.port)}`;
  const asGitHub = (): string => `${claim()} -o HostKeyAlias=github.com`;
  const alone = (): void => {
    delete stand.host.env['SSM_SSH_KNOWN_HOSTS'];
  };

  it.each([
    ['the usual checking', {}],
    ['new hosts accepted', { SSM_SSH_STRICT_HOST_KEY_CHECKING: 'accept-new' }],
  ])('is refused without a question, with %s, because GitHub’s keys are pinned', async (_, settings) => {
    alone();
    const { host, git } = stand;
    const before = (await git.log()).length;
    const ssh = `${program} ${asGitHub()}`;
    // In a terminal, where ssh would ask; nobody answers.
    const { stdout, stderr, code } = await host.run(
      `GIT_SSH_COMMAND="${ssh}" setsid git ls-remote ${git.user}@github.com:acme/lib.git </dev/null`,
      settings,
    );
    expect([stdout, code]).toEqual(['', 128]);
    expect(stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED');
    expect(stderr).not.toContain('Are you sure you want to continue connecting');
    const seen = (await git.log()).slice(before);
    expect(seen.flatMap(({ offered }) => offered)).toEqual([]);
    expect(existsSync(join(host.state, 'known_hosts'))).toBe(false);
  });

  it('is refused if its key is unknown, and the key is not stored', async () => {
    alone();
    const { host, git } = stand;
    const ran = await host.run(
      `GIT_SSH_COMMAND="${program} ${claim()}" setsid git ls-remote ${git.user}@git.test:acme/lib.git </dev/null`,
    );
    expect([ran.stdout, ran.code]).toEqual(['', 128]);
    expect(ran.stderr).toContain('Host key verification failed');
    expect(existsSync(join(host.state, 'known_hosts'))).toBe(false);
  });

  it('is accepted if its key is known, with the same options', async () => {
    const { host, git } = stand;
    const { stderr, code } = await host.run(
      `GIT_SSH_COMMAND="${program} ${claim()}" git ls-remote ${git.user}@git.test:acme/lib.git`,
      { SSM_SSH_STRICT_HOST_KEY_CHECKING: 'accept-new' },
    );
    expect([stderr.replace(/^Warning: .*\n/gm, ''), code]).toEqual(['', 0]);
  });
});
