/** The configuration that `setup` writes is enough for git, in any environment. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect } from '@jest/globals';
import { canMount, project, stateIsOurs, works } from '../../support/ec2-host.ts';
import { useHost } from './use-host.ts';
import { describeWhere, itWhere } from '../../support/needs.ts';
import { itInTurn as it } from '../../support/parts.ts';

const poor = '/usr/bin:/bin';
const hasTools = works('env', '-i', `PATH=${poor}`, 'sh', '-c', 'command -v git && command -v ssh-agent');

describeWhere(stateIsOurs && hasTools, `a poor environment needs git and ssh in ${poor}, and root`)(
  'git, after setup',
  () => {
    const stand = useHost();
    const { uid } = userInfo();

    beforeEach(() => {
      const { env } = stand.host;
      for (const name of ['SSM_SSH_KEY', 'GIT_SSH_COMMAND', 'GIT_CONFIG_NOSYSTEM'])
        Reflect.deleteProperty(env, name);
      env['GIT_CONFIG_SYSTEM'] = join(stand.host.home, 'gitconfig');
    });
    const setup = async (scope: string): Promise<void> => {
      const words = `${scope} --key /ci/key --region eu-west-1`;
      const { code } = await stand.host.run(`${join(project, 'helper/ssm-ssh-agent')} setup ${words}`);
      expect(code).toBe(0);
    };
    /** The environment that a program's starter gives it, plus the addresses of the test's AWS and git host. */
    const clone = (given: Readonly<Record<string, string>>, into = 'lib'): string => {
      const { host, git } = stand;
      const ours = Object.entries(host.env).filter(([name]) => /^(AWS_|GIT_CONFIG|SSM_SSH_KNOWN)/.test(name));
      const env = [...ours, ...Object.entries(given)].map(([name, value]) => `'${name}=${value}'`).join(' ');
      return `env -i ${env} git clone --quiet ${git.url('acme/lib')} ${into}`;
    };
    const cloned = (into = 'lib'): boolean => existsSync(join(stand.host.home, into, 'README.md'));

    it.each(['--global', '--system'])('%s allows to clone without other settings', async (scope) => {
      await setup(scope);
      const { host } = stand;
      const { PATH = '' } = host.env;
      const { stderr, code } = await host.run(clone({ PATH, HOME: host.home, TMPDIR: host.home }));
      expect([stderr, code, cloned(), stand.calls()]).toEqual(['', 0, true, 1]);
    });

    it('allows to clone from cron and from a service, with a short PATH and without HOME', async () => {
      await setup('--system');
      const { host } = stand;
      const { stderr, code } = await host.run(clone({ PATH: poor, TMPDIR: host.home }));
      expect([stderr, code, cloned()]).toEqual(['', 0, true]);
      const again = await host.run(clone({ PATH: poor, TMPDIR: host.home, HOME: '/nonexistent' }, 'again'));
      expect([again.stderr, again.code, stand.calls()]).toEqual(['', 0, 1]);
      expect(existsSync(join(host.home, `ssm-ssh-agent-${uid}`, 'agent'))).toBe(true);
    });

    itWhere(canMount, 'a mount namespace needs root')(
      'shares a login’s key with a service through /run/user',
      async () => {
        await setup('--system');
        const { host } = stand;
        mkdirSync(join(host.runUser, String(uid)), { mode: 0o700 });
        const { PATH = '' } = host.env;
        const login = await host.run(clone({ PATH, HOME: host.home, TMPDIR: host.home }));
        const service = await host.run(clone({ PATH: poor }, 'again'));
        expect([login.code, service.stderr, service.code, stand.calls()]).toEqual([0, '', 0, 1]);
        const keeper = join(host.runUser, String(uid), `ssm-ssh-agent-${uid}`, 'keeper');
        expect(Number(readFileSync(keeper, 'utf8'))).toBeGreaterThan(1);
        const flush = await host.run(`${join(project, 'helper/ssm-ssh-agent')} flush --json --quiet`);
        expect([JSON.parse(flush.stdout), flush.stderr]).toEqual([
          { flushed: [`/run/user/${uid}/ssm-ssh-agent-${uid}`] },
          '',
        ]);
        expect(existsSync(keeper)).toBe(false);
      },
    );
  },
);
