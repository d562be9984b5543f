/** What the caller's shell and credentials are: nobody's key for somebody else, and no option of theirs in ours. */
import { expect } from '@jest/globals';
import { program } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { useHost } from './use-host.ts';

describeOnHost('ssm-ssh in surroundings of others', () => {
  const stand = useHost();
  const list = (): string => `git ls-remote ${stand.git.url('acme/lib')} main`;

  it.each([
    { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'of-nobody' },
    { AWS_ENDPOINT_URL_SSM: 'http://127.0.0.1:9' },
    { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:9/' },
  ])('has no key for %j that was read by other credentials, or elsewhere', async (env) => {
    expect(await stand.host.run(list())).toMatchObject({ code: 0, stderr: '' });
    const { code, stderr } = await stand.host.run(list(), { ...env, SSM_SSH_TIMEOUT: '5s' });
    expect([code, stderr]).toEqual([128, expect.stringMatching(/^ssm-ssh: [A-Z_]+: /) as unknown]);
    const calls = stand.calls();
    expect(await stand.host.run(list())).toMatchObject({ code: 0, stderr: '' });
    expect(stand.calls()).toBe(calls);
  });

  it('takes no options of the shell from an exported SHELLOPTS', async () => {
    const options = 'errexit:noclobber:noglob:allexport';
    const GIT_SSH_COMMAND = `env SHELLOPTS=${options} bash --posix ${program}`;
    for (const state of ['cold', 'warm']) {
      const { code, stdout, stderr } = await stand.host.run(list(), { GIT_SSH_COMMAND });
      expect([state, code, stderr]).toEqual([state, 0, '']);
      expect(stdout).toContain('refs/heads/main');
    }
    expect(stand.calls()).toBe(1);
  });

  it.each([
    ['beside a .git that leads nowhere', 'mkdir w; echo gitdir: /nowhere/at/all >w/.git; cd w'],
    [
      'where the configuration of the repository is broken',
      'git init -q w; echo "[broken" >>w/.git/config; cd w',
    ],
    ['in a working directory that is gone', 'mkdir w; cd w; rmdir ../w'],
  ])('knows what is configured for all repositories %s', async (_, place) => {
    const { host, git } = stand;
    delete host.env['SSM_SSH_KEY'];
    host.configure(['[ssm]', 'key = /ci/key']);
    const ssh = `${program} -p ${git.port} ${git.user}@${git.address} "git-upload-pack 'acme/lib.git'"`;
    const { stdout } = await host.run(`${place}; ${ssh} </dev/null || true`);
    expect(stdout).toContain('refs/heads/main');
  });

  it.each([
    ['raises a limit of files that may be raised', 'ulimit -S -n 20', /refs\/heads\/main/, /^$/],
    [
      'says so where it may not',
      'ulimit -n 20',
      /^$/,
      /^ssm-ssh: STATE_UNSAFE: this process may open 20 files.*\nhint: raise/,
    ],
  ] as const)('%s', async (...[, limit, out, told]) => {
    const { stdout, stderr } = await stand.host.run(`${limit}; ${list()} || true`);
    expect(stdout).toMatch(out);
    expect(stderr).toMatch(told);
    expect(stderr).not.toMatch(/Aborted|Assertion|^ {4}at /m);
  });

  it('says who was ended where Node is ended again and again', async () => {
    const { host } = stand;
    await host.run(
      `mkdir bin; printf '#!/bin/sh\\n[ "$1" != --version ] || exec echo v24.0.0\\nkill -ABRT $$\\n' >bin/a-node; chmod +x bin/a-node`,
    );
    const { stderr } = await host.run(`${list()} || true`, { SSM_SSH_NODE: `${host.home}/bin/a-node` });
    expect(stderr).toMatch(/ssm-ssh: INTERNAL: Node was ended by signal 6, three times\nhint: .*ulimit/);
  });

  it('works where standard input is closed', async () => {
    const { host, git } = stand;
    const ssh = `${program} -p ${git.port} ${git.user}@${git.address} "git-upload-pack 'acme/lib.git'"`;
    for (const state of ['cold', 'warm']) {
      const { stdout, stderr } = await host.run(`${ssh} <&- || true`);
      expect([state, stdout.includes('refs/heads/main'), stderr]).toEqual([
        state,
        true,
        expect.not.stringMatching(/descriptor|Bad|cannot/) as unknown,
      ]);
    }
  });
});
