import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { itWith } from '../support/needs.ts';
import { shells as installedShells } from '../support/shells.ts';

const helper = join(dirname(dirname(import.meta.dirname)), 'helper');
const whereIs = (program: string): string =>
  spawnSync('/bin/sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).stdout.trim();
const shells = installedShells.map(([program, ...args]) => [whereIs(program), ...args] as const);

describe('find_node', () => {
  let folder: string;
  let home: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'find-node-'));
    home = join(folder, 'home');
    mkdirSync(join(folder, 'bin'));
    mkdirSync(home);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** A program that says it is that version. */
  const nodeAt = (path: string, version: string): string => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `#!/bin/sh\necho v${version}\n`);
    chmodSync(file, 0o755);
    return file;
  };
  const find = (
    env: Record<string, string> = {},
    [shell, ...args] = shells[0] ?? (['sh'] as const),
  ): string => {
    const script = `set -eu; . ${helper}/find-node.sh; if find_node; then echo "$node"; else echo "none:$node"; fi`;
    const { stdout, stderr } = spawnSync(shell, [...args, '-c', script], {
      ...{ encoding: 'utf8', cwd: folder },
      env: { PATH: join(folder, 'bin'), HOME: home, ...env },
    });
    expect(stderr).toBe('');
    return stdout.trim();
  };
  const withGit = (settings: string): void => {
    symlinkSync(whereIs('git'), join(folder, 'bin/git'));
    writeFileSync(join(home, '.gitconfig'), settings);
  };

  itWith('shellcheck')('is clean under shellcheck, as are the launchers', () => {
    const files = ['find-node.sh', 'launch.sh', 'ssm-ssh-agent', 'git-credential-ssm'].map((name) =>
      join(helper, name),
    );
    expect(execFileSync('shellcheck', files, { encoding: 'utf8' })).toBe('');
  });

  it.each(shells.map((shell) => [shell.slice(0).join(' '), shell] as const))(
    'finds one under %s',
    (...[, shell]) => {
      const runner = nodeAt('home/actions-runner/externals/node24/bin/node', '24.1.0');
      expect(find({}, shell)).toBe(runner);
      const path = nodeAt('bin/node', '20.20.2');
      expect(find({}, shell)).toBe(path);
      const named = nodeAt('elsewhere/node', '22.0.0');
      expect(find({ SSM_SSH_NODE: named }, shell)).toBe(named);
    },
  );

  it('takes no other than SSM_SSH_NODE where that is set', () => {
    nodeAt('bin/node', '24.0.0');
    expect(find({ SSM_SSH_NODE: join(folder, 'gone') })).toBe(`none:${join(folder, 'gone')}`);
  });

  it('passes over a Node that is too old', () => {
    nodeAt('bin/node', '18.20.0');
    nodeAt('home/actions-runner/externals/node16/bin/node', '16.20.0');
    const newest = nodeAt('home/actions-runner/externals/node24/bin/node', '24.1.0');
    nodeAt('home/actions-runner/externals/node20/bin/node', '20.1.0');
    expect(find()).toBe(newest);
  });

  it("takes what git's configuration of the host names, not the repository's", () => {
    const named = nodeAt('opt/node', '24.0.0');
    withGit(`[ssm]\n\tnode = ${named}\n`);
    execFileSync('git', ['init', '--quiet', folder]);
    execFileSync('git', ['-C', folder, 'config', 'ssm.node', nodeAt('repository/node', '24.0.0')]);
    expect(find()).toBe(named);
  });

  it.each([
    ['GIT_DIR', { GIT_DIR: '.git' }],
    ['GIT_DIR and GIT_COMMON_DIR', { GIT_DIR: '.git', GIT_COMMON_DIR: '.git' }],
    ['GIT_CONFIG', { GIT_CONFIG: '.git/config' }],
  ])("takes none from a repository's configuration, whatever %s says", (_, variables) => {
    const named = nodeAt('opt/node', '24.0.0');
    withGit(`[ssm]\n\tnode = ${named}\n`);
    execFileSync('git', ['init', '--quiet', folder]);
    execFileSync('git', ['-C', folder, 'config', 'ssm.node', nodeAt('repository/node', '24.0.0')]);
    const paths = Object.entries(variables).map(([name, path]) => [name, join(folder, path)]);
    for (const [shell = 'sh', ...args] of shells)
      expect(find(Object.fromEntries(paths) as Record<string, string>, [shell, ...args])).toBe(named);
  });

  it('goes on where the one that git names is gone', () => {
    withGit('[ssm]\n\tnode = /nowhere/node\n');
    expect(find()).toMatch(/node$/);
    const runner = nodeAt('home/actions-runner/externals/node24/bin/node', '24.1.0');
    expect(find()).toBe(runner);
  });

  it.each(['RUNNER_TEMP', 'RUNNER_TOOL_CACHE', 'AGENT_TOOLSDIRECTORY'])(
    "finds the runner's own from %s, wherever the runner is installed",
    (variable) => {
      const runner = nodeAt('a runner/externals/node24/bin/node', '24.1.0');
      expect(find({ [variable]: join(folder, 'a runner/_work/_tool') })).toBe(runner);
    },
  );
});
