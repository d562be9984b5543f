/** Which settings a repository may choose: a folder that somebody else has filled decides nothing about trust. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect } from '@jest/globals';
import { describeOnHost } from '../support/on-host.ts';
import { shells } from '../support/shells.ts';
import { useHostStage } from './host-routes-in-shells.ts';
import { itInTurn as it } from '../support/parts.ts';

const fetch = ['git@github.com', "git-upload-pack 'acme/lib'"];
const copy = ['git@github.com', 'rsync --server . there'];
const inEachShell = shells.map((shell) => [shell.join(' '), shell] as const);

describeOnHost("a repository's own configuration", () => {
  const stage = useHostStage();
  let repository: string;

  beforeEach(() => {
    repository = join(stage.home, 'cloned/embedded');
    mkdirSync(dirname(repository));
    execFileSync('git', ['init', '--quiet', '--bare', repository]);
  });
  afterEach(() => {
    rmSync(dirname(repository), { recursive: true });
  });

  const says = (lines: readonly string[]): void => {
    appendFileSync(join(repository, 'config'), `${lines.join('\n')}\n`);
  };
  const start = (
    ssh: readonly string[],
    lines: readonly string[] = [],
    starting: Parameters<typeof stage.start>[2] = {},
  ): { strict: string | undefined; known: string; offered: readonly number[] } => {
    const { args, offered } = stage.start(ssh, lines, { cwd: repository, ...starting });
    const option = (name: string): string | undefined =>
      args.find((arg) => arg.startsWith(`${name}=`))?.slice(name.length + 1);
    return { strict: option('StrictHostKeyChecking'), known: option('UserKnownHostsFile') ?? '', offered };
  };
  const ours = ['[ssm]', 'key = /key-0'];

  it.each(inEachShell)('turns no host key checking off, under %s', (...[, shell]) => {
    says(['[ssm]', 'strictHostKeyChecking = no', 'knownHosts = /evil', 'region = evil-1', 'timeout = 1s']);
    for (const ssh of [fetch, copy]) {
      const { strict, known, offered } = start(ssh, ours, { shell });
      expect([strict, known.includes('evil'), offered]).toEqual(['yes', false, [0]]);
    }
  });

  it.each(inEachShell)("chooses the key for git's own commands alone, under %s", (...[, shell]) => {
    says(['[ssm]', 'key = /key-1', '[ssm "github.com/acme"]', 'key = /key-2']);
    expect(start(fetch, ours, { shell }).offered).toEqual([2]);
    expect(start(copy, ours, { shell }).offered).toEqual([0]);
    expect(start(copy, [], { shell }).offered).toEqual([]);
  });

  it('names what does not count, once, and not what is in it', () => {
    says(['[ssm]', 'region = evil-1', 'region = evil-2', '[ssm "github.com"]', 'roleArn = evil']);
    expect(stage.tell(fetch, ours, { cwd: repository })).toBe(
      "ssm-ssh: warning: ssm.region of the repository's own configuration is ignored\n" +
        "ssm-ssh: warning: ssm.*.roleArn of the repository's own configuration is ignored\n" +
        'hint: set it with git config --global or --system, or set its environment variable\n',
    );
  });

  it.each(inEachShell)(
    'says nothing in the name of another by a line end in a value, under %s',
    (...[, shell]) => {
      for (const scope of ['global', 'system', 'command', 'unknown', ''])
        says([
          '[ssm]',
          `key = "/key-1\\n${scope}\\tssm.stricthostkeychecking no\\nssm.stricthostkeychecking no"`,
        ]);
      // What is no reference is refused, where the repository may choose one.
      expect(stage.tell(fetch, ours, { shell, cwd: repository })).toMatch(/^ssm-ssh: INPUT_INVALID: /);
      expect(start(copy, ours, { shell }).strict).toBe('yes');
      const env = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'ssm.key', GIT_CONFIG_VALUE_0: '/key-3' };
      for (const ssh of [fetch, copy])
        expect(start(ssh, ours, { shell, env })).toMatchObject({ strict: 'yes', offered: [3] });
    },
  );

  it('says nothing by the name of a section that looks like a setting', () => {
    says([
      '[ssm "stricthostkeychecking no x"]',
      'key = /key-1',
      '[ssm "stricthostkeychecking\tno\tx"]',
      'key = y',
    ]);
    expect(start(fetch, ours).strict).toBe('yes');
  });

  it('chooses no more by its worktree, by what it includes, or by GIT_DIR', () => {
    says(['[extensions]', 'worktreeConfig = true', '[include]', 'path = more']);
    writeFileSync(join(repository, 'more'), '[ssm]\nstrictHostKeyChecking = no\n');
    writeFileSync(join(repository, 'config.worktree'), '[ssm]\nstrictHostKeyChecking = no\n');
    for (const ssh of [fetch, copy]) {
      expect(start(ssh, ours).strict).toBe('yes');
      const env = { GIT_DIR: repository };
      expect(start(ssh, ours, { cwd: stage.home, env }).strict).toBe('yes');
    }
  });

  it('takes nothing from what system, global and the environment say', () => {
    const lines = [...ours, 'strictHostKeyChecking = accept-new', 'knownHosts = /known'];
    says(['[ssm]', 'strictHostKeyChecking = no']);
    const env = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'ssm.key', GIT_CONFIG_VALUE_0: '/key-3' };
    for (const ssh of [fetch, copy]) {
      const { strict, known } = start(ssh, lines);
      expect([strict, known.includes('"/known"')]).toEqual(['accept-new', true]);
      expect(start(ssh, lines, { env }).offered).toEqual([3]);
    }
  });

  it('that cannot be read takes nothing away, either', () => {
    says(['[[']);
    for (const ssh of [fetch, copy])
      expect(start(ssh, [...ours, 'strictHostKeyChecking = accept-new'])).toMatchObject({
        strict: 'accept-new',
        offered: [0],
      });
  });

  it('holds where git is too old to tell scopes', () => {
    const git = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
    const older = `for word; do [ "$word" != --show-scope ] || exit 129; done\nexec ${git} "$@"`;
    writeFileSync(join(stage.home, 'bin/git'), `#!/bin/sh\n${older}\n`, { mode: 0o755 });
    says(['[ssm]', 'strictHostKeyChecking = no', 'key = /key-1']);
    const own = [...ours, 'region = eu-west-1', 'timeout = 5s', 'via = direct'];
    try {
      expect(stage.tell(fetch, own)).toBe('');
      expect(stage.tell(fetch, own, { cwd: repository })).toBe(
        "ssm-ssh: warning: ssm.strictHostKeyChecking of the repository's own configuration is ignored\n" +
          'hint: set it with git config --global or --system, or set its environment variable\n',
      );
      expect(start(fetch, ours)).toMatchObject({ strict: 'yes', offered: [1] });
      expect(start(copy, [...ours, 'strictHostKeyChecking = accept-new'])).toMatchObject({
        strict: 'accept-new',
        offered: [0],
      });
    } finally {
      rmSync(join(stage.home, 'bin/git'));
    }
  });
});
