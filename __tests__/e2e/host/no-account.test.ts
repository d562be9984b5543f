/** A user without an entry in the list of accounts, as containers have them (`docker run --user 12345`). */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { program, works } from '../../support/ec2-host.ts';
import { itWhere } from '../../support/needs.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { useHost } from './use-host.ts';

const nobody = 12345;
const agent = join(program, '../ssm-ssh-agent');
const canBe = works('setpriv', `--reuid=${nobody}`, '--clear-groups', 'test', '-r', program);

describeOnHost('a user without an account', () => {
  const stand = useHost();

  itWhere(canBe, 'another user needs root, and a project folder that all may read')(
    'can use what needs no ssh, and doctor says why ssh does not run',
    async () => {
      const home = mkdtempSync(join(tmpdir(), 'home-'));
      chmodSync(home, 0o777);
      try {
        const run = (command: string) =>
          stand.host.run(`cd /; ${agent} ${command}`, { HOME: home, TMPDIR: home }, nobody);
        expect(await run('flush --quiet')).toMatchObject({ code: 0, stderr: '' });
        expect(await run('exec --key /ci/key -- true')).toMatchObject({ code: 0, stderr: '' });
        expect((await run('setup --system --key /ci/key --dry-run')).code).toBe(0);
        const { stdout } = await run('doctor --json || true');
        expect(stdout).not.toContain('INTERNAL');
        const findings = JSON.parse(stdout) as { check: string; status: string; detail: string }[];
        expect(findings.find(({ check }) => check === 'ssh')).toMatchObject({
          status: 'fail',
          detail: `the user ${nobody} has no entry in the list of accounts (/etc/passwd): OpenSSH does not run for such a user`,
        });
      } finally {
        rmSync(home, { recursive: true });
      }
    },
  );
});
