/** Arguments and settings that begin with a hyphen or make no sense: the error has two lines, and never a stack trace. */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { program, project } from '../../support/ec2-host.ts';
import { describeOnHost } from '../../support/on-host.ts';
import { shells } from '../../support/shells.ts';
import { useHost } from './use-host.ts';
import { itInTurn as it } from '../../support/parts.ts';

const agent = join(project, 'helper/ssm-ssh-agent');
const credentialHelper = join(project, 'helper/git-credential-ssm');
const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { version: string };
const told = /^(ssm-ssh(-agent)?|git-credential-ssm): [A-Z_]+: [^\n]*\nhint: [^\n]*\n$/;

describeOnHost('ssm-ssh', () => {
  const stand = useHost();

  it.each(shells.map((shell) => [shell.join(' ')]))(
    'has its own help and version, under %s',
    async (shell) => {
      const help = await stand.host.run(`${shell} ${program} --help`);
      expect([help.code, help.stderr]).toEqual([0, '']);
      expect(help.stdout).toContain('GIT_SSH_COMMAND=ssm-ssh git clone');
      const { code, stdout, stderr } = await stand.host.run(`${shell} ${program} --version`);
      expect([code, stdout, stderr]).toEqual([0, `ssm-ssh ${version}\n`, '']);
    },
  );

  it('has them without Node, and in another installation folder', async () => {
    const place = join(stand.host.home, 'place');
    for (const name of ['helper', 'package.json'])
      cpSync(join(project, name), join(place, name), { recursive: true });
    const { stdout } = await stand.host.run(
      `ln -s ${place}/helper/ssm-ssh link && SSM_SSH_NODE=/nowhere ./link --version`,
    );
    expect(stdout).toBe(`ssm-ssh ${version}\n`);
  });

  it.each([['root@-x=y'], ['-- -x=1 true'], ['-- --host=x true'], ['-l -x Name=web-1 true']])(
    'reports ssm-ssh %s in two lines',
    async (words) => {
      const { code, stdout, stderr } = await stand.host.run(`${program} ${words}`);
      expect([code, stdout]).toEqual([255, '']);
      expect(stderr).toMatch(told);
    },
  );

  it.each([
    ['SSM_SSH_KEY', 'KEY_ACCESS_DENIED: reading the parameter -foo'],
    ['SSM_SSH_PASSPHRASE', 'KEY_ACCESS_DENIED: reading the parameter -foo'],
    ['SSM_SSH_CERTIFICATE', 'KEY_ACCESS_DENIED: reading the parameter -foo'],
    ['SSM_SSH_REGION', ''],
    ['SSM_SSH_ROLE_ARN', ''],
    ['SSM_SSH_KEY_LIFETIME', 'INPUT_INVALID'],
    ['SSM_SSH_TIMEOUT', 'INPUT_INVALID'],
    ['SSM_SSH_VIA', ''],
  ])('accepts %s=-foo as a value, for git hosts and EC2 hosts', async (name, code) => {
    const env = { SSM_SSH_TIMEOUT: '30', [name]: '-foo' };
    for (const host of [stand.git.address, 'ec2-user@Name=web-1', 'ec2-user@i-0123456789abcdef0']) {
      const { stderr } = await stand.host.run(`${program} ${host} true || true`, env);
      expect(stderr).not.toMatch(/^ {4}at |ERR_PARSE_ARGS|node:internal/m);
      if (host === stand.git.address) expect(stderr).toContain(code);
    }
  });
});

describeOnHost('the other programs', () => {
  const stand = useHost();

  it.each([
    `${agent} -foo`,
    `${agent} --`,
    `${agent} ''`,
    `${agent} exec --key=-foo --region=-x -- true`,
    `${agent} exec --key /ci/key --known-hosts=-x -- -x=1`,
    `${agent} exec --key /ci/key -- -x=1`,
    `${agent} exec --key /ci/key github.com/a/b -- true`,
    `${agent} add -- -foo`,
    `${agent} add --lifetime=-1 /ci/key`,
    `${agent} setup --global --key=/ci/key -- -x`,
    `${agent} proxy -x=1 22 -x`,
    `${agent} proxy -- -x=1 22 -x`,
    `${agent} proxy -- -x -x -x`,
    `${agent} flush -x`,
    `printf 'protocol=https\\nhost=git.test\\n\\n' | SSM_SSH_CREDENTIAL=-x SSM_SSH_CREDENTIAL_HOST=-y ${credentialHelper} get`,
    `printf 'protocol=https\\nhost=git.test\\n\\n' | SSM_SSH_CREDENTIAL=-x SSM_SSH_CREDENTIAL_HOST=git.test ${credentialHelper} get`,
    `printf 'protocol=https\\nhost=git.test\\n\\n' | ${credentialHelper} --store-prefix --x get`,
  ])('report the problem in two lines: %s', async (line) => {
    const { code, stdout, stderr } = await stand.host.run(line);
    expect(stdout).toBe('');
    expect(code).not.toBe(0);
    expect(stderr).toMatch(told);
  });

  it('show that a key and its options are one argument, and list only existing options', async () => {
    const { stderr } = await stand.host.run(`${agent} exec --key /ci/key github.com/a/b -- true`);
    expect(stderr).toContain(
      "hint: what belongs to a key is one word with it: --key '/ci/key github.com/a/b'\n",
    );
    const { stdout } = await stand.host.run(`${agent} flush --help`);
    expect(stdout.match(/^ {2}--\S+/gm)?.map((option) => option.trim())).toEqual([
      ...['--json', '--quiet', '--help', '--version'],
    ]);
  });

  it('show how git starts git-credential-ssm if a person starts it', async () => {
    const { code, stdout, stderr } = await stand.host.run(credentialHelper);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('git config --global credential.helper ssm');
    for (const asked of ['--help', '-h', 'help'])
      expect(await stand.host.run(`${credentialHelper} ${asked}`)).toMatchObject({
        ...{ code: 0, stdout: stderr, stderr: '' },
      });
  });

  it('accept a user and a host of proxy after --', async () => {
    const { stderr } = await stand.host.run(`${agent} proxy -- i-0123456789abcdef0 22 --profile=nobody`);
    expect(stderr).not.toMatch(/profile nobody|option/);
  });
});
