/** The matcher of hosts, which reads git's configuration, under the same table as the other two. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect } from '@jest/globals';
import { callersVariables, readVariables } from '../support/assigned-names.ts';
import { describeOnHost } from '../support/on-host.ts';
import { shells } from '../support/shells.ts';
import { sections, testInShells, useHostStage } from './host-routes-in-shells.ts';
import { it } from '../support/parts.ts';
import { userChoices } from '../support/routing-cases.ts';

describeOnHost('helper/ssm-ssh on a host', () => {
  const stage = useHostStage();
  const { start } = stage;
  let home: string;
  let state: string;
  beforeAll(() => {
    ({ home, state } = stage);
  });

  testInShells(stage);

  it('offers one identity, from the agent of this user, to hosts that are known', () => {
    const { args } = start(['git@github.com', "git-upload-pack 'acme/lib'"], sections(['github.com']));
    const [folder = ''] = readdirSync(join(state, 'keys')).flatMap((name) => {
      const path = join(state, 'keys', name);
      return args.includes(`IdentityFile="${path}/key.pub"`) ? [path] : [];
    });
    const options = [
      ...['IdentitiesOnly=yes', 'AddKeysToAgent=no'],
      ...[`IdentityAgent="${state}/agent"`, `IdentityFile="${folder}/key.pub"`],
      'ControlPath=none',
      `UserKnownHostsFile="${state}/known_hosts" "${state}/pinned_hosts" ~/.ssh/known_hosts ~/.ssh/known_hosts2`,
      'StrictHostKeyChecking=yes',
    ];
    expect(args).toEqual([
      ...options.flatMap((option) => ['-o', option]),
      ...['-a', 'git@github.com', "git-upload-pack 'acme/lib'"],
    ]);
  });

  it.each(['i-0123456789abcdef0', 'i-01234567'])('has no default key for the EC2 host %s', (name) => {
    const { args, offered } = start([`ec2-user@${name}`], sections(['']));
    expect([offered, args.at(-1)]).toEqual([[], `ec2-user@${name}`]);
  });

  it.each([
    ['mi-0123456789abcdef0', 'INPUT_INVALID: mi-0123456789abcdef0 is no EC2 instance'],
    ['Name=web-1', 'REGION_MISSING'],
    ["Name=the team's", 'REGION_MISSING'],
  ])('has no default key for the EC2 host %s, which it refuses', (name, says) => {
    for (const target of [`ec2-user@${name}`, name])
      expect(() => start([target], sections(['']))).toThrow(says);
  });

  it('is ssh where no host is named: no key is fetched for that', () => {
    expect(start(['-V'], sections([''])).args).toEqual(['-V']);
  });

  it.each(shells.map((shell) => [shell]))('has one key for roles on lines of their own under %p', (shell) => {
    const roles = ['a', 'b'].map((name) => `arn:aws:iam::111122223333:role/${name}\n`);
    const env = { SSM_SSH_ROLE_ARN: roles.join('') };
    const ssh = ['git@github.com', "git-upload-pack 'acme/lib'"];
    const { args, offered } = start(ssh, sections(['']), { shell, env });
    const others = start(ssh, sections(['']), { shell });
    expect([offered, others.offered]).toEqual([[0], [0]]);
    expect(args).not.toEqual(others.args);
  });

  it.each([
    ['the store fails', 'echo failed; exit 255', []],
    ['the store has no newer key', 'exit 0', []],
    // As on a disk that has no room for one more file.
    ['the store has no newer key, and no lock can be made', 'exit 0', ['lock']],
  ])('leaves it at what ssh said, and its exit code, where %s', (_, script, blocked) => {
    const args = ['git@github.com', "git-upload-pack 'acme/lib'"];
    start(args, sections(['']));
    for (const key of readdirSync(join(state, 'keys')))
      for (const name of blocked) mkdirSync(join(state, 'keys', key, name));
    const ssh = readFileSync(join(home, 'bin/ssh'));
    const node = join(home, 'bin/a-node');
    const [asked, tried] = ['asked', 'tried'].map((name) => join(home, name)) as [string, string];
    const answer = `[ "$1" != --version ] || exec echo v24.0.0\nshift\necho x >>'${asked}'\n${script}`;
    writeFileSync(node, `#!/bin/sh\n${answer}\n`, { mode: 0o755 });
    writeFileSync(join(home, 'bin/ssh'), `#!/bin/sh\necho x >>'${tried}'\nexit 255\n`);
    const env = { SSM_SSH_NODE: node };
    try {
      expect(() => start(args, sections(['']), { env })).toThrow(expect.objectContaining({ status: 255 }));
      expect([asked, tried].map((path) => readFileSync(path, 'utf8'))).toEqual(['x\n', 'x\n']);
    } finally {
      writeFileSync(join(home, 'bin/ssh'), ssh);
      for (const path of [asked, tried, node]) rmSync(path, { force: true });
      rmSync(join(state, 'keys'), { recursive: true });
    }
  });

  it('leaves a clone to ssh that starts in the folder of a repository with an ssh command of its own', () => {
    const args = ['git@github.com', "git-upload-pack 'acme/lib'"];
    execFileSync('git', ['init', '--quiet', home]);
    execFileSync('git', ['-C', home, 'config', 'core.sshCommand', 'false']);
    try {
      expect(start(args, sections(['gitlab.com'])).args).toEqual(args);
    } finally {
      rmSync(join(home, '.git'), { recursive: true });
    }
  });

  it('starts the GIT_SSH of another program in place of the default key, and of one that brings no key with it', () => {
    const args = ['git@github.com', "git-upload-pack 'acme/lib'"];
    const gitSsh = join(home, "jenkins' ssh.sh");
    const env = { GIT_SSH: gitSsh };
    const starts = (lines: string[]): string => start(args, lines, { env }).args.join(' ');
    for (const [options, theirs, others] of [
      ['-i /a/key', `theirs -i /a/key ${args.join(' ')}`, 'theirs -i /a/key git@github.com'],
      [
        '-4',
        /^theirs -4 -o IdentitiesOnly=yes .*IdentityFile="[^"]*" .*-o StrictHostKeyChecking=yes -a git@github.com/,
        'theirs -4 git@',
      ],
    ] as const) {
      writeFileSync(gitSsh, `#!/bin/sh\nssh() { echo theirs "$@"; }\nssh ${options} "$@"\n`, { mode: 0o755 });
      expect(starts(sections(['']))).toEqual(
        typeof theirs === 'string' ? theirs : expect.stringMatching(theirs),
      );
      expect(starts(sections(['gitlab.com'])).startsWith(others)).toBe(true);
      expect(starts(sections(['github.com/acme/lib'])).startsWith('-o IdentitiesOnly=yes ')).toBe(true);
    }
    expect(start(['git@github.com', 'ls'], sections(['']), { env }).args[0]).not.toBe('theirs');
    rmSync(gitSsh);
  });

  it.each([
    ['stricthostkeychecking false', ['-o', 'stricthostkeychecking no']],
    ['userknownhostsfile /dev/null', ['-oUserKnownHostsFile=/dev/null']],
    ['globalknownhostsfile /dev/null', ['-oGlobalKnownHostsFile=/dev/null']],
    ['hostkeyalias other', ['-o', 'HostKeyAlias="other"']],
  ])('leaves the caller %s, and offers the key all the same', (setting, choice) => {
    for (const command of [["git-upload-pack 'acme/lib'"], []]) {
      for (const typed of [
        [...choice, 'git@github.com', ...command],
        ['git@github.com', ...choice, ...command],
        [...choice, '--', 'git@github.com', ...command],
      ]) {
        const { args, offered } = start(typed, sections(['github.com']));
        const settings = execFileSync('ssh', ['-F', 'none', '-G', ...args], { encoding: 'utf8' });
        expect([offered, settings.split('\n').includes(setting)]).toEqual([[0], true]);
      }
    }
  });

  it('offers its key alone, whatever the caller says of IdentitiesOnly', () => {
    const { args } = start(['-o', 'IdentitiesOnly=no', 'git@github.com'], sections(['github.com']));
    const settings = execFileSync('ssh', ['-F', 'none', '-G', ...args], { encoding: 'utf8' });
    expect(settings).toMatch(/^identitiesonly yes$/m);
  });

  it('leaves an option without its value to ssh', () => {
    const { args } = start(['git@github.com', '-l'], sections(['github.com']));
    expect(args).toEqual(['git@github.com', '-l']);
  });

  it('starts git once, and nothing else but ssh, for a key that the agent has', () => {
    const started = join(home, 'started');
    const git = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
    writeFileSync(join(home, 'bin/git'), `#!/bin/sh\necho "$@" >>'${started}'\nexec ${git} "$@"\n`, {
      mode: 0o755,
    });
    start(['git@github.com', "git-upload-pack 'acme/lib'"], sections(['github.com/acme/lib']));
    rmSync(join(home, 'bin/git'));
    expect(readFileSync(started, 'utf8').trim().split('\n').length).toBe(1);
  });

  it.each(userChoices)('leaves everything to ssh where the user says %s %s', (...choice) => {
    const args = [...choice, 'git@github.com'];
    expect(start(args, sections(['github.com'])).args).toEqual(args);
  });

  it.each(["git-upload-pack 'acme/lib'", 'ls'])(
    "hands the caller's environment on to ssh for %s",
    (command) => {
      const ssh = readFileSync(join(home, 'bin/ssh'));
      writeFileSync(join(home, 'bin/ssh'), '#!/bin/sh\nexec env\n');
      for (const shell of shells) {
        const more = { shell, env: callersVariables };
        const { args } = start(['git@github.com', command], sections(['github.com']), more);
        expect([shell, readVariables(args.join('\n'))]).toEqual([shell, callersVariables]);
      }
      writeFileSync(join(home, 'bin/ssh'), ssh);
    },
  );
});
