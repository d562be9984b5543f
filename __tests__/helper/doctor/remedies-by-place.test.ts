/** Remedies for git's settings, by the place of the setting: each is run as it is printed, in the same environment. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { credentialRoutes, readConfiguration } from '../../../helper/doctor/configuration.ts';
import type { Finding } from '../../../helper/doctor/finding.ts';
import { printable } from '../../../helper/doctor/finding.ts';
import { checkGitSettings } from '../../../helper/doctor/git-settings.ts';

const ours = '/opt/ssm-ssh';
const helper = '/opt/git-credential-ssm';

let home: string;
let env: Record<string, string>;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "it's a home "));
  env = {
    ...{ PATH: process.env['PATH'] ?? '', HOME: home, LC_ALL: 'C' },
    GIT_CONFIG_SYSTEM: join(home, 'system'),
  };
  sh('git init -q repo');
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

function sh(script: string, folder = home): void {
  execFileSync('sh', ['-e', '-c', script], { cwd: folder, env, stdio: 'pipe' });
}

/** As in the shell of a person: what it exports and unsets stays so. */
function apply({ remedy }: Finding): void {
  const file = join(home, 'environment');
  sh(`${remedy}\nenv -0 >"$HOME/environment"`, join(home, 'repo'));
  env = Object.fromEntries(
    readFileSync(file, 'utf8')
      .split('\0')
      .filter(Boolean)
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

function write(name: string, lines: readonly string[]): void {
  mkdirSync(dirname(join(home, name)), { recursive: true });
  writeFileSync(join(home, name), `${lines.join('\n')}\n`, { flag: 'a' });
}

/** In the working directory of the repository. */
async function findings(): Promise<Finding[]> {
  const before = process.cwd();
  process.chdir(join(home, 'repo'));
  try {
    const configuration = await readConfiguration({ env, signal: AbortSignal.timeout(20_000) });
    const routes = credentialRoutes(configuration, env);
    return checkGitSettings({ configuration, routes, env, ours, helper }).map(printable);
  } finally {
    process.chdir(before);
  }
}

const bad = ({ status }: Finding): boolean => status === 'warn' || status === 'fail';

/** Applies one remedy after the other. @returns the names of the checks that had one, each with the number of times */
async function repairAll(): Promise<string[]> {
  const repaired: string[] = [];
  for (;;) {
    const found = (await findings()).find(bad);
    if (!found) return repaired;
    if (repaired.length > 5) throw new Error(`${found.check}: ${found.detail}: ${found.remedy}`);
    repaired.push(found.check);
    apply(found);
  }
}

const key = ['[ssm "github.com/acme"]', 'key = /ci/key'];
const command = ['[core]', `sshCommand = ${ours}`];
const token = ['[ssm "github.com/acme"]', 'credential = /ci/token'];
const asked = ['[credential "https://github.com"]', `helper = ${helper}`, 'useHttpPath = true'];
const other = ['[core]', 'sshCommand = ssh -v'];
const plink = ['[ssh]', 'variant = plink'];
const rewrite = ['[url "https://github.com/"]', 'insteadOf = git@github.com:', 'insteadOf = gh:'];

type Settings = Readonly<Record<string, readonly string[]>>;
const global = '.gitconfig';
const local = 'repo/.git/config';

describe('the remedy for a setting of git', () => {
  const rows: readonly (readonly [string, Settings, Readonly<Record<string, string>>, string])[] = [
    ['core.sshCommand twice in one file', { [global]: [...key, ...other, ...other] }, {}, 'git ssh command'],
    ['core.sshCommand of the system', { system: other, [global]: key }, {}, 'git ssh command'],
    [
      'core.sshCommand of the repository',
      { [global]: [...key, ...command], [local]: other },
      {},
      'git ssh command',
    ],
    ['core.sshCommand of the repository alone', { [global]: key, [local]: other }, {}, 'git ssh command'],
    [
      'core.sshCommand of an included file',
      { [global]: [...key, ...command, '[include]', 'path = more'], more: other },
      {},
      'git ssh command',
    ],
    [
      'core.sshCommand of a work tree',
      {
        [global]: [...key, ...command],
        [local]: ['[extensions]', 'worktreeConfig = true'],
        'repo/.git/config.worktree': other,
      },
      {},
      'git ssh command',
    ],
    [
      'core.sshCommand of the environment',
      { [global]: [...key, ...command] },
      { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'core.sshCommand', GIT_CONFIG_VALUE_0: 'ssh -v' },
      'git ssh command',
    ],
    ['no core.sshCommand', { [global]: key }, {}, 'git ssh command'],
    [
      'an empty core.sshCommand',
      { [global]: [...key, ...command, '[core]', 'sshCommand ='] },
      {},
      'git ssh command',
    ],
    ['GIT_SSH_COMMAND', { [global]: [...key, ...command] }, { GIT_SSH_COMMAND: 'ssh -v' }, 'git ssh command'],
    ['GIT_SSH_COMMAND without another', { [global]: key }, { GIT_SSH_COMMAND: 'ssh -v' }, 'git ssh command'],
    ['GIT_SSH', { [global]: key }, { GIT_SSH: '/usr/bin/ssh' }, 'git ssh command'],
    ['ssh.variant of the repository', { [global]: [...key, ...command], [local]: plink }, {}, 'ssh.variant'],
    ['ssh.variant of the system', { system: plink, [global]: [...key, ...command] }, {}, 'ssh.variant'],
    [
      'GIT_SSH_VARIANT',
      { [global]: [...key, ...command, ...plink] },
      { GIT_SSH_VARIANT: 'plink' },
      'ssh.variant',
    ],
    ['insteadOf of the user', { [global]: [...key, ...command, ...rewrite] }, {}, 'insteadOf'],
    ['insteadOf of the system', { system: rewrite, [global]: [...key, ...command] }, {}, 'insteadOf'],
    ['insteadOf of the repository', { [local]: rewrite, [global]: [...key, ...command] }, {}, 'insteadOf'],
    [
      'insteadOf of the environment',
      { [global]: [...key, ...command] },
      {
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'url.https://github.com/.insteadOf',
        GIT_CONFIG_VALUE_0: 'git@github.com:',
      },
      'insteadOf',
    ],
    [
      'no credential helper',
      { [global]: [...token, '[credential "https://github.com"]', 'useHttpPath = true'] },
      {},
      'credential helpers github.com',
    ],
    [
      'another helper first',
      { [global]: [...token, '[credential]', 'helper = cache', ...asked] },
      {},
      'credential helpers github.com',
    ],
    [
      'another helper behind in the same file',
      { [global]: [...token, ...asked.slice(0, 1), 'useHttpPath = true', '[credential]', 'helper = cache'] },
      {},
      'credential helpers github.com',
    ],
    [
      'a list that the repository clears',
      { [global]: [...token, ...asked], [local]: ['[credential]', 'helper ='] },
      {},
      'credential helpers github.com',
    ],
    [
      'a list that is cleared below',
      { [global]: [...token, ...asked, '[credential]', 'helper ='] },
      {},
      'credential helpers github.com',
    ],
    [
      'useHttpPath of the repository',
      { [global]: [...token, ...asked], [local]: ['[credential]', 'useHttpPath = false'] },
      {},
      'useHttpPath github.com',
    ],
    [
      'useHttpPath of the system behind',
      { system: ['[credential]', 'useHttpPath = 0'], [global]: [...token, ...asked.slice(0, 2)] },
      {},
      'useHttpPath github.com',
    ],
    ['ssm.credential of the system', { system: ['[ssm]', 'credential = /ci/token'] }, {}, 'ssm sections'],
    [
      'a section that names nothing',
      { system: ['[ssm "a b"]', 'key = /x'], [global]: ['[ssm "a b"]', 'key = /y'] },
      {},
      'ssm sections',
    ],
    [
      'settings of the repository that are ignored',
      { [local]: ['[ssm]', 'roleArn = x', 'region = y', 'credential = z'] },
      {},
      'ignored settings',
    ],
    ['a time that is none', { [global]: ['[ssm]', 'timeout = soon', 'timeout = later'] }, {}, 'ssm settings'],
    ['a variable with a time that is none', {}, { SSM_SSH_KEY_LIFETIME: 'soon' }, 'ssm settings'],
    ['a way that is none', { system: ['[ssm]', 'via = air'] }, {}, 'ssm settings'],
    [
      'host keys that are not checked',
      { system: ['[ssm]', 'strictHostKeyChecking = no'] },
      {},
      'ssm settings',
    ],
    [
      'host keys that are not checked by a variable',
      {},
      { SSM_SSH_STRICT_HOST_KEY_CHECKING: 'no' },
      'ssm settings',
    ],
  ];
  it.each(rows)('as it is printed repairs it: %s', async (...[, files, variables, check]) => {
    for (const [name, lines] of Object.entries(files)) write(name, lines);
    Object.assign(env, variables);
    expect(await repairAll()).toEqual([check]);
  });

  it('keeps the other values of the rule', async () => {
    write(global, [...key, ...command, ...rewrite]);
    await repairAll();
    expect(readFileSync(join(home, global), 'utf8')).toContain('insteadOf = gh:');
  });

  const port443 = ['[url "ssh://git@ssh.github.com:443/"]', 'insteadOf = git@github.com:'];
  const mirror = (prefix: string): string[] => ['[url "https://mirror.corp/"]', `insteadOf = ${prefix}`];
  const byDefault = ['[ssm]', 'key = /ci/k'];
  it.each([
    ['from ssh to ssh, with a default key', [...byDefault, ...port443], []],
    ['of another owner', [...key, ...mirror('git@github.com:vendor/')], []],
    ['of an owner whose name is longer', [...key, ...mirror('git@github.com:acme-x/')], []],
    ['from ssh to ssh, with a section', [...key, ...port443], ['insteadOf']],
    ['from ssh to https, with a default key', [...byDefault, ...mirror('git@github.com:v/')], ['insteadOf']],
    ['of one repository', [...key, ...mirror('ssh://git@github.com:22/Acme/lib.git')], ['insteadOf']],
    ['of all names that begin so', [...key, ...mirror('git@github.com:ac')], ['insteadOf']],
  ])('is for rules that lead away from a key: %s', async (_, lines, checks) => {
    write(global, [...lines, ...command]);
    expect((await findings()).filter(bad).map(({ check }) => check)).toEqual(checks);
  });

  it('never runs what the name of a setting has in it', async () => {
    write(global, [...key, ...command]);
    write(local, [
      '[url "https://github.com/\'; touch X; \'$(touch X)`touch X`"]',
      'insteadOf = git@github.com:',
    ]);
    expect(await repairAll()).toEqual(['insteadOf']);
    expect(['X', 'repo/X'].map((name) => existsSync(join(home, name)))).toEqual([false, false]);
  });

  it.each([
    ['a password', 'https://me:hunter2@github.com/'],
    ['a control character', 'https://github.com/\u001b[2J/'],
  ])('opens the file if its name has %s', async (_, base) => {
    write(global, [...key, ...command]);
    write(local, [`[url "${base}"]`, 'insteadOf = git@github.com:']);
    const [found] = (await findings()).filter(bad);
    expect(found?.remedy).toMatch(/^git config --file .*config'? --edit$/);
    expect(found?.detail).toMatch(/config line \d+\)/);
    expect(`${found?.detail ?? ''}${found?.remedy ?? ''}`).not.toContain('\u001b');
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });

  it('shows no argument of a command', async () => {
    write(global, [...key, ...token, '[core]', 'sshCommand = sshpass -p hunter2 ssh']);
    write(global, [
      '[credential "https://github.com"]',
      'helper = "!f() { echo password=hunter2; }; f"',
      `helper = ${helper}`,
    ]);
    const found = await findings();
    expect(found.filter(bad).map(({ check }) => check)).toContain('credential helpers github.com');
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });
});
