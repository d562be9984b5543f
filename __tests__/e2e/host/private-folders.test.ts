/** Services with folders of their own at the same path (PrivateTmp, a container without processes of its own). */
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { canMount, Ec2Host, program, works } from '../../support/ec2-host.ts';
import { itWhere } from '../../support/needs.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { runningProcesses } from '../../support/runner/process-table.ts';
import { useHost } from './use-host.ts';

const { uid } = userInfo();
/** An account of every Linux: ssh only starts for users that the system knows. */
const nobody = 65534;
const readableByAll = works('setpriv', `--reuid=${nobody}`, '--clear-groups', 'test', '-r', program);
const users = canMount && readableByAll ? [uid, nobody] : [uid];

const runs = (sought: number): boolean => runningProcesses().some(({ pid }) => pid === sought);

describeOnHost('two agents of a user at the same path, in different mount namespaces', () => {
  const stand = useHost();

  for (const user of users)
    itWhere(canMount, 'a mount namespace needs root')(
      `flush of ${user === uid ? 'the tester' : 'another user'} ends its own agent, and not the other`,
      async () => {
        const other = new Ec2Host(stand.world, [stand.git], { SSM_SSH_KEY: '/ci/key' });
        try {
          for (const { home, runUser } of [stand.host, other]) {
            chmodSync(home, 0o755);
            mkdirSync(join(runUser, String(user)), { mode: 0o700 });
            chownSync(join(runUser, String(user)), user, user);
          }
          const fetched = `git ls-remote ${stand.git.url('acme/lib')} >/dev/null`;
          for (const host of [stand.host, other]) expect((await host.run(fetched, {}, user)).code).toBe(0);
          const flush = `${join(program, '../ssm-ssh-agent')} flush --json --quiet`;
          const name = `/run/user/${user}/ssm-ssh-agent-${user}`;
          const flushed = await other.run(flush, {}, user);
          expect([JSON.parse(flushed.stdout), flushed.stderr]).toEqual([{ flushed: [name] }, '']);
          expect(existsSync(join(other.runUser, String(user), `ssm-ssh-agent-${user}`))).toBe(false);
          const held = `SSH_AUTH_SOCK=${name}/agent ssh-add -l`;
          expect((await stand.host.run(held, {}, user)).stdout).toContain('(ED25519)');
          const keeper = readFileSync(
            join(stand.host.runUser, String(user), `ssm-ssh-agent-${user}/keeper`),
            'utf8',
          );
          const agent = Number((await stand.host.run(`pgrep -P ${keeper.trim()} ssh-agent`)).stdout);
          expect(runs(agent)).toBe(true);
          expect((await stand.host.run(flush, {}, user)).code).toBe(0);
          expect(runs(agent)).toBe(false);
        } finally {
          other.dispose();
        }
      },
    );
});
