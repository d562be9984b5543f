/**
 * Foreign text in URLs, sections and tags: it never begins a line of a log, and no control character reaches a
 * terminal.
 */
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { program, project } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { shells } from '../../support/shells.ts';
import { useHost } from './use-host.ts';
import { itInTurn as it } from '../../support/parts.ts';

/** Encoded as in a URL. dash's echo also interprets the backslashes. */
const odd = 'acme%0a::stop-commands::x%1b[31m%0d\\n::add-mask::y\\033[1m\\c##[add-mask]z';
const agent = join(project, 'helper/ssm-ssh-agent');
const credentialHelper = join(project, 'helper/git-credential-ssm');

/** The parts that would have an effect. */
const acts = (text: string): string[] =>
  text.split('\n').filter((line) => /^\s*(::|##\[)|[^\P{Cc}]|##\[add-mask\]/u.test(line));

describeOnHost('foreign text', () => {
  const stand = useHost();

  it('is visible in the warnings of ssm-ssh about a URL', async () => {
    const { host, git } = stand;
    const place = `${git.address}:${String(git.port)}`;
    host.configure([`[ssm "${place}"]`, 'key = /ci/key', `[ssm "${place}/*"]`, 'key = /ci/key']);
    const url = `ssh://${git.user}@${place}/${odd}`;
    const { stderr } = await host.run(`git ls-remote '${url}' 2>&1 | grep -a -A3 ssm-ssh: >&2`);
    expect(stderr).toContain('several keys are offered');
    expect(stderr).toContain('acme\\012::stop-commands::x\\033[31m\\015');
    expect(acts(stderr)).toEqual([]);
  });

  it.each(shells.map((shell) => [shell.join(' ')]))(
    'is visible in all messages of ssm-ssh, under %s',
    async (shell) => {
      const { host, git } = stand;
      const letters = decodeURIComponent(odd);
      host.configure([`[ssm "a b\\n::x::\\u001b"]`, 'key = /ci/key']);
      for (const args of [
        `-o Port=1 ${git.address} "$ODD"`,
        `"-$ODD" ${git.address}`,
        `"root@Name=$ODD" true`,
        `"mi-0123456789abcdef0" "$ODD"`,
      ]) {
        const { stderr } = await host.run(`${shell} ${program} ${args} 2>&1 | grep -a ssm-ssh: >&2 || true`, {
          ODD: letters,
          SSM_SSH_TIMEOUT: '30',
        });
        expect([args, acts(stderr)]).toEqual([args, []]);
      }
    },
  );

  it('is visible if a Node is refused', async () => {
    for (const line of [`${agent} add x`, `${credentialHelper} get </dev/null`]) {
      const env = { SSM_SSH_NODE: decodeURIComponent(odd), SSM_SSH_CREDENTIAL: '/x' };
      const { stderr } = await stand.host.run(line, env);
      expect(stderr).toContain('SSM_SSH_NODE is no Node 20 or newer: acme?::stop');
      expect(acts(stderr.replaceAll('##[', ''))).toEqual([]);
    }
  });

  it('is visible in the warnings of git-credential-ssm and the output of setup', async () => {
    const { host } = stand;
    const letters = decodeURIComponent(odd).replaceAll('\n', '');
    host.configure([]);
    const asked = `printf 'protocol=https\\nhost=git.test\\n\\n' | ${credentialHelper} get`;
    const { stderr } = await host.run(
      `git config --global "ssm.a b$ODD.credential" /ci/x; ${asked}; git config --global --unset "ssm.a b$ODD.credential"; git config --global ssm.key "$ODD"; ${agent} setup --global --key /ci/key >/dev/null`,
      { ODD: letters },
    );
    expect(stderr).toContain('names no repository');
    expect(stderr).toContain('(was acme');
    expect(acts(stderr)).toEqual([]);
  });
});
