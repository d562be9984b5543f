import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { isProtected } from '../../src/ssh/own-path.ts';
import { itWhere, itWith } from '../support/needs.ts';
import { shells as installedShells } from '../support/shells.ts';
import { itInTurn as it } from '../support/parts.ts';

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
    const script = `set -eu; . ${helper}/find-node.sh; if find_node; then echo "$_ssm_node"; else echo "none:$_ssm_node"; fi`;
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
    const files = ['find-node.sh', 'launch.sh', 'ssm-ssh-agent', 'git-credential-ssm', 'ssm-ssh-sign'].map(
      (name) => join(helper, name),
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

  it('is what is behind a script of a version manager, and not that', () => {
    const file = nodeAt('bin/node', '24.0.0');
    writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
    expect(find()).toBe(process.execPath);
    // One that has no Node in this folder.
    writeFileSync(file, '#!/bin/sh\necho "No version is set for node" >&2\nexit 126\n');
    const installed = nodeAt('home/.asdf/installs/nodejs/24.1.0/bin/node', '24.1.0');
    expect([installed, '/usr/local/bin/node', '/usr/bin/node']).toContain(find());
  });

  it('is new enough also if it does not know an option of NODE_OPTIONS, which it says when it starts', () => {
    const node = join(folder, 'bin/node');
    symlinkSync(process.execPath, node);
    const env = { NODE_OPTIONS: '--no-such-option', PATH: join(folder, 'bin') };
    expect(find(env)).toBe(node);
    expect(spawnSync(node, { env, encoding: 'utf8' }).stderr).toMatch(/--no-such-option .*NODE_OPTIONS/);
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

  it('finds the newest of a runner, and looks no further up than the name of a folder goes', () => {
    for (const version of ['20', '24', '26'])
      nodeAt(`runner/externals/node${version}/bin/node`, `${version}.1.0`);
    for (const shell of shells) {
      const env = { RUNNER_TEMP: join(folder, 'runner/_work/deeper/_temp'), RUNNER_TOOL_CACHE: 'tools' };
      expect(find(env, shell)).toBe(join(folder, 'runner/externals/node26/bin/node'));
    }
  });

  const nobody = 65534;
  const { uid } = userInfo();
  const itAsRoot = itWhere(uid === 0, 'files of another user need root');
  /** Where a runner's Node is, and what of it is changed before find_node looks. */
  const runnerNode = 'opt/runner/externals/node24/bin/node';
  const at = (path: string): string => join(folder, path);

  it.each([
    ['the file', runnerNode, 0o757],
    ['the folder that it is in', 'opt/runner/externals/node24/bin', 0o777],
    ['a folder above it', 'opt', 0o777],
    ['a folder above it, by its group', 'opt/runner', 0o770],
  ])('passes over one that others may replace, unstarted: %s', (_, path, mode) => {
    nodeAt(runnerNode, '24.1.0');
    writeFileSync(at(runnerNode), `#!/bin/sh\necho >'${at('ran')}'\necho v24.1.0\n`);
    if (uid !== 0 && mode === 0o770) return;
    chmodSync(at(path), mode);
    const env = { RUNNER_TEMP: at('opt/runner/_work/_temp') };
    for (const shell of shells) expect(find(env, shell)).not.toContain(folder);
    expect(existsSync(at('ran'))).toBe(false);
    expect(isProtected(at(runnerNode))).toBe(false);
  });

  itAsRoot('passes over one that is of another user, or below a folder or a link of theirs', () => {
    for (const path of [runnerNode, 'opt/runner/externals/node24/bin', 'opt/runner']) {
      nodeAt(runnerNode, '24.1.0');
      chownSync(at(path), nobody, nobody);
      const env = { RUNNER_TEMP: at('opt/runner/_work/_temp') };
      for (const shell of shells)
        expect([path, find(env, shell)]).toEqual([path, expect.not.stringContaining(folder)]);
      expect(isProtected(at(runnerNode))).toBe(false);
      rmSync(at('opt'), { recursive: true });
    }
    const real = nodeAt('real/node', '24.1.0');
    mkdirSync(at('opt/runner/externals/node24/bin'), { recursive: true });
    symlinkSync(real, at(runnerNode));
    expect(find({ RUNNER_TEMP: at('opt/runner/_work') })).toBe(at(runnerNode));
    expect(isProtected(at(runnerNode))).toBe(true);
    lchownSync(at(runnerNode), nobody, nobody);
    expect(find({ RUNNER_TEMP: at('opt/runner/_work') })).not.toContain(folder);
  });

  itAsRoot("passes over such a one on PATH, at ssm.node and in a user's home, and names it", () => {
    chownSync(nodeAt('bin/node', '24.1.0'), nobody, nobody);
    chownSync(nodeAt('opt/node', '24.1.0'), nobody, nobody);
    chownSync(nodeAt('home/.nvm/versions/node/v24.1.0/bin/node', '24.1.0'), nobody, nobody);
    withGit(`[ssm]\n\tnode = ${at('opt/node')}\n`);
    expect(find()).not.toContain(folder);
    expect(find({ SSM_SSH_NODE: at('bin/node') })).toBe(at('bin/node'));
    const script = `. ${helper}/find-node.sh; find_node || :; echo "$_ssm_unsafe"`;
    const { stdout } = spawnSync(shells[0]?.[0] ?? '', ['-c', script], {
      env: { PATH: at('bin'), HOME: home },
      encoding: 'utf8',
    });
    expect(stdout.trim()).toBe(at('bin/node'));
  });

  itAsRoot('lets the group of a user write that has the number of the user, and no other group', () => {
    nodeAt('opt/node', '24.1.0');
    for (const [path, mode] of [
      ['.', 0o755],
      ['opt', 0o775],
    ] as const)
      chmodSync(at(path), mode);
    const script = `. ${helper}/find-node.sh; is_protected '${at('opt')}' ${nobody}`;
    for (const group of [nobody, 1, 0]) {
      chownSync(at('opt'), nobody, group);
      process.seteuid?.(nobody);
      const judged = isProtected(at('opt'));
      process.seteuid?.(uid);
      const { status } = spawnSync('/bin/sh', ['-c', script]);
      expect([group, judged, status === 0]).toEqual([group, group === nobody, group === nobody]);
    }
  });

  it('follows links, also those of folders, as far as they lead', () => {
    const real = nodeAt('real/lib/node', '24.1.0');
    symlinkSync('../real/../real/lib', at('home/current'));
    symlinkSync(at('home/current/node'), at('bin/node'));
    for (const shell of shells) expect(find({}, shell)).toBe(at('bin/node'));
    chmodSync(at('real'), 0o777);
    for (const shell of shells) expect(find({}, shell)).not.toContain(folder);
    expect([isProtected(at('bin/node')), isProtected(real)]).toEqual([false, false]);
    chmodSync(at('real'), 0o1777);
    expect(find()).toBe(at('bin/node'));
    expect(isProtected(at('bin/node'))).toBe(true);
    symlinkSync('loop', at('loop'));
    expect(isProtected(at('loop'))).toBe(false);
  });

  /** Of these paths, those that is_protected lets pass. */
  const letPass = (paths: readonly string[], [shell, ...args]: readonly [string, ...string[]]): string[] => {
    const script = `set -u; . ${helper}/find-node.sh; for path; do is_protected "$path" && echo "$path"; done`;
    const argv = [...args, '-c', script, 'sh', ...paths];
    const { stdout, stderr } = spawnSync(shell, argv, { cwd: folder, encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout.split('\n').slice(0, -1);
  };

  it('judges a path as src/ssh/own-path.ts does, but for one that is not absolute or has a line end', () => {
    nodeAt('real/node', '24.1.0');
    nodeAt('real\nl 1 0 0 /node', '24.1.0');
    mkdirSync(at('open'));
    chmodSync(at('open'), 0o777);
    symlinkSync('real//', at('link'));
    symlinkSync(`${folder}/open/../real/node`, at('through'));
    const asked = ['real/node', 'real/', 'link/node', 'through', 'open', 'gone'].map(at);
    expect(asked.filter(isProtected)).toEqual(asked.slice(0, 3));
    for (const shell of shells)
      expect(letPass([...asked, at('real\nl 1 0 0 /node'), 'real/node', ''], shell)).toEqual(
        asked.slice(0, 3),
      );
  });

  it('follows 40 links, as the system does, and not one more', () => {
    symlinkSync(nodeAt('real/node', '24.1.0'), at('link1'));
    for (let link = 2; link <= 41; link++) symlinkSync(`link${link - 1}`, at(`link${link}`));
    const asked = [at('link40'), at('link41')];
    expect(asked.filter(isProtected)).toEqual([at('link40')]);
    expect(letPass(asked, shells[0] ?? ['sh'])).toEqual([at('link40')]);
  });

  it('takes none from a folder of PATH that is not absolute: that is whatever folder git runs in', () => {
    nodeAt('bin/node', '24.1.0');
    expect(find({ PATH: 'bin' })).not.toContain('bin/node\n');
    expect(find({ PATH: 'bin' })).not.toBe('bin/node');
  });
});
