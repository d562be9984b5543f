/** The caller's shell and credentials: no key of other credentials is used, and no shell options are inherited. */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from '@jest/globals';
import { canMount, program } from '../../support/ec2-host.ts';
import { itWhere } from '../../support/needs.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { itInTurn as it } from '../../support/parts.ts';
import { useHost } from './use-host.ts';

describeOnHost('ssm-ssh in a foreign environment', () => {
  const stand = useHost();
  const list = (): string => `git ls-remote ${stand.git.url('acme/lib')} main`;

  it.each([
    { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'of-nobody' },
    { AWS_ENDPOINT_URL_SSM: 'http://127.0.0.1:9' },
    { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:9/' },
    { AWS_EC2_METADATA_DISABLED: 'true' },
  ])('does not use a key for %j that was read with other credentials or in another Region', async (env) => {
    expect(await stand.host.run(list())).toMatchObject({ code: 0, stderr: '' });
    const { code, stderr } = await stand.host.run(list(), { ...env, SSM_SSH_TIMEOUT: '5s' });
    expect([code, stderr]).toEqual([128, expect.stringMatching(/^ssm-ssh: [A-Z_]+: /) as unknown]);
    const calls = stand.calls();
    expect(await stand.host.run(list())).toMatchObject({ code: 0, stderr: '' });
    expect(stand.calls()).toBe(calls);
  });

  it('ignores shell options from an exported SHELLOPTS', async () => {
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
    ['with a broken .git file', 'mkdir w; echo gitdir: /nowhere/at/all >w/.git; cd w'],
    ['with a broken repository configuration', 'git init -q w; echo "[broken" >>w/.git/config; cd w'],
    ['in a removed working directory', 'mkdir w; cd w; rmdir ../w'],
  ])('uses the configuration for all repositories %s', async (_, place) => {
    const { host, git } = stand;
    delete host.env['SSM_SSH_KEY'];
    host.configure(['[ssm]', 'key = /ci/key']);
    const ssh = `${program} -p ${git.port} ${git.user}@${git.address} "git-upload-pack 'acme/lib.git'"`;
    const { stdout } = await host.run(`${place}; ${ssh} </dev/null || true`);
    expect(stdout).toContain('refs/heads/main');
  });

  it.each([
    ['raises a soft limit of open files', 'ulimit -S -n 20', /refs\/heads\/main/, /^$/],
    [
      'reports a hard limit of open files',
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

  itWhere(canMount, 'a mount namespace needs root')(
    'finds the key where no temporary folder is writable, in a bash that writes here-documents there',
    async () => {
      const { host } = stand;
      const tmp = dirname(host.home);
      expect((await host.run(list())).code).toBe(0);
      const mounts = ['/tmp', '/var/tmp', tmp].map((place) => `mount --bind ${place} ${place}`);
      const readOnly = ['/tmp', '/var/tmp', tmp].map((place) => `mount -o remount,ro,bind ${place}`);
      const fetch = `TMPDIR=/tmp BASH_COMPAT=5.0 GIT_SSH_COMMAND="bash --posix ${program}" ${list()}`;
      // bash would take the working directory as well.
      const elsewhere = 'cd /proc/self && ! touch /tmp/written 2>/dev/null';
      const script = [...mounts, ...readOnly, elsewhere, fetch].join(' && ');
      const { code, stderr } = await host.run(`unshare -m sh -c '${script}'`);
      expect([stderr, code]).toEqual(['', 0]);
    },
  );

  it('looks for Node again if another user can replace the one of the last time, or SSM_SSH_NODE named it', async () => {
    const { host } = stand;
    const node = join(host.home, 'a-node');
    const text = `#!/bin/sh\necho ran >>${host.home}/ran\nexec '${process.execPath}' "$@"\n`;
    writeFileSync(node, text, { mode: 0o755 });
    const remembered = (): string => readFileSync(join(host.state, 'node-path'), 'utf8');
    expect((await host.run(list(), { SSM_SSH_NODE: node })).code).toBe(0);
    expect(existsSync(join(host.state, 'node-path'))).toBe(false);
    await host.run(`${join(program, '../ssm-ssh-agent')} flush`);
    await host.run(list());
    writeFileSync(join(host.state, 'node-path'), `${node}\n`);
    chmodSync(node, 0o777);
    rmSync(join(host.home, 'ran'));
    await host.run(list(), { SSM_SSH_KEY_LIFETIME: '20m' });
    expect([remembered().trim() === node, existsSync(join(host.home, 'ran'))]).toEqual([false, false]);
  });

  it('reports a Node that is killed repeatedly', async () => {
    const { host } = stand;
    await host.run(
      `mkdir bin; printf '#!/bin/sh\\n[ "$1" != --version ] || exec echo v24.0.0\\nkill -ABRT $$\\n' >bin/a-node; chmod +x bin/a-node`,
    );
    const { stderr } = await host.run(`${list()} || true`, { SSM_SSH_NODE: `${host.home}/bin/a-node` });
    expect(stderr).toMatch(/ssm-ssh: INTERNAL: Node was ended by signal 6, three times\nhint: .*ulimit/);
  });

  it('works with a closed standard input', async () => {
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
