/** The first connection of a fresh host: nobody has written known hosts yet, and the pinned ones are there already. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { program } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { useHost } from './use-host.ts';
import { itInTurn as it } from '../../support/parts.ts';

describeOnHost('a server that claims to be github.com, on the first connection', () => {
  const stand = useHost();
  /** The server is the test's git host, whose key is not GitHub's. */
  const claim = (): string => `-o HostName=127.0.0.1 -p ${String(stand.git.port)}`;
  const asGitHub = (): string => `${claim()} -o HostKeyAlias=github.com`;
  const alone = (): void => {
    delete stand.host.env['SSM_SSH_KNOWN_HOSTS'];
  };

  it.each([
    ['the usual checking', {}],
    ['new hosts accepted', { SSM_SSH_STRICT_HOST_KEY_CHECKING: 'accept-new' }],
  ])('is refused without a question, with %s: GitHub is pinned', async (_, settings) => {
    alone();
    const { host, git } = stand;
    const before = (await git.log()).length;
    const ssh = `${program} ${asGitHub()}`;
    // In a terminal of its own, where ssh would ask; nobody answers.
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

  it('is refused where nobody knows it by any other name, and nothing is learnt', async () => {
    alone();
    const { host, git } = stand;
    const ran = await host.run(
      `GIT_SSH_COMMAND="${program} ${claim()}" setsid git ls-remote ${git.user}@git.test:acme/lib.git </dev/null`,
    );
    expect([ran.stdout, ran.code]).toEqual(['', 128]);
    expect(ran.stderr).toContain('Host key verification failed');
    expect(existsSync(join(host.state, 'known_hosts'))).toBe(false);
  });

  it('is let in where its key is known, by the same options', async () => {
    const { host, git } = stand;
    const { stderr, code } = await host.run(
      `GIT_SSH_COMMAND="${program} ${claim()}" git ls-remote ${git.user}@git.test:acme/lib.git`,
      { SSM_SSH_STRICT_HOST_KEY_CHECKING: 'accept-new' },
    );
    expect([stderr.replace(/^Warning: .*\n/gm, ''), code]).toEqual(['', 0]);
  });
});
