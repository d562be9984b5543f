/** `explain` in dist says what git and ssm-ssh really do: for each situation both are asked. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, it } from '@jest/globals';
import { sections, useHostStage } from '../helper/host-routes-in-shells.ts';
import { program, withRunUser } from '../support/ec2-host.ts';
import { shellBlocks } from '../support/commands-in-documents.ts';
import { makeJobFolder } from '../support/job-folder.ts';
import { describeOnHost } from '../support/on-host.ts';
import { launcher } from './ec2-host.ts';

interface Explained {
  readonly answer: string;
  readonly offered: boolean;
  readonly rewritten: string | null;
  readonly keys: readonly { reference: string | null; fingerprint: string | null; source: object }[];
  readonly ec2: { via: string; user: string | null; pushesKey: boolean } | null;
  readonly passedOver: readonly { what: string; why: string; source: object | null }[];
  readonly notes: readonly string[];
}

type Env = Readonly<Record<string, string>>;

interface Situation {
  /** git's global configuration. */
  readonly lines?: readonly string[];
  /** The repository's own. */
  readonly own?: readonly string[];
  /** git's URL, or the host for ssm-ssh. */
  readonly ask: string;
  readonly env?: Env;
  /** The URL of the repository's remote. */
  readonly remote?: string;
  /** The keys of a job around it. */
  readonly job?: readonly string[];
  /** Said in the answer. */
  readonly says?: RegExp;
}

const lib = 'git@github.com:acme/lib.git';
const two = sections(['github.com/acme/lib', 'github.com/acme', '']);

const situations: Readonly<Record<string, Situation>> = {
  'a section for the repository': {
    lines: two,
    ask: lib,
    says: /^\/key-0 is offered for github.com\/acme\/lib$/,
  },
  'a section for the owner': { lines: two, ask: 'ssh://git@GitHub.com/Acme/other' },
  'the default key': { lines: two, ask: 'git@gitlab.com:acme/lib' },
  'the default key of the environment': {
    lines: two,
    ask: 'git@gitlab.com:a/b',
    env: { SSM_SSH_KEY: '/key-3' },
  },
  'a wildcard and an exact host': {
    lines: sections(['*.example.com/a/b', 'git.example.com']),
    ask: 'ssh://git.example.com/a/b',
  },
  'another port': { lines: sections(['git.example.com:2222/a']), ask: 'ssh://git@git.example.com:2222/a/b' },
  'no port where the section has one': {
    lines: sections(['git.example.com:2222/a']),
    ask: 'git@git.example.com:a/b',
  },
  'two keys of one pattern': { lines: sections(['github.com/acme', 'github.com/acme/*']), ask: lib },
  'nothing that matches': { lines: sections(['gitlab.com']), ask: lib, says: /ssm-ssh starts plain ssh$/ },
  'no configuration': { ask: lib },
  'a section that names no repository': { lines: ['[ssm "*/lib"]', 'key = /key-0'], ask: lib },
  'an empty value': { lines: [...two, '[ssm "github.com/acme/lib"]', 'key ='], ask: lib },
  "a repository's own key": { lines: two, own: ['[ssm "github.com/acme/lib"]', 'key = /key-3'], ask: lib },
  "a repository's own key, for ssh": {
    lines: two,
    own: ['[ssm "github.com"]', 'key = /key-3'],
    ask: 'github.com',
  },
  'a host alone': { lines: sections(['github.com/acme', 'github.com']), ask: 'git@github.com' },
  'a rewritten URL': { lines: [...two, '[url "git@github.com:"]', 'insteadOf = gh:'], ask: 'gh:acme/lib' },
  'the name of a remote': { lines: two, remote: lib, ask: 'origin' },
  "a repository's own ssh command with a key": {
    ...{ lines: sections(['']), remote: lib, ask: lib },
    own: ['[core]', 'sshCommand = ssh -i /a/key'],
  },
  "a repository's own ssh command without a key": {
    ...{ lines: sections(['']), remote: lib, ask: lib },
    own: ['[core]', 'sshCommand = ssh -4'],
  },
  "a repository's own ssh command, and a section": {
    ...{ lines: two, remote: lib, ask: lib },
    own: ['[core]', 'sshCommand = ssh -i /a/key'],
  },
  "another repository's ssh command": {
    ...{ lines: sections(['']), remote: 'git@github.com:acme/x', ask: lib },
    own: ['[core]', 'sshCommand = ssh -i /a/key'],
  },
  'GIT_SSH with a key, as Jenkins sets it': {
    ...{ lines: sections(['']), ask: lib, env: { GIT_SSH: 'SCRIPT' } },
    says: /ssm-ssh starts \S+\/jenkins \(GIT_SSH, environment\)$/,
  },
  'another GIT_SSH_COMMAND': {
    ...{ lines: two, ask: lib, env: { GIT_SSH_COMMAND: 'ssh -4' } },
    says: /git starts ssh \(its arguments are not shown\), not ssm-ssh$/,
  },
  'core.sshCommand instead of GIT_SSH_COMMAND': {
    ...{ lines: [...two, '[core]', 'sshCommand = PROGRAM'], ask: lib, env: { GIT_SSH_COMMAND: '' } },
  },
  'no ssh command at all': {
    lines: two,
    ask: lib,
    env: { GIT_SSH_COMMAND: '' },
    says: /git starts ssh, not ssm-ssh/,
  },
  'settings that git hides from ssh': {
    ...{ lines: two, ask: lib },
    env: {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'ssm.github.com/acme/lib.key',
      GIT_CONFIG_VALUE_0: '/key-3',
    },
  },
  'a line of the job': { lines: two, ask: lib, job: ['', 'github.com/acme/lib', 'github.com/acme'] },
  'the default key of the job': { lines: two, ask: 'git@gitlab.com:a/b', job: ['github.com', ''] },
  'no key of the command of exec': { lines: two, ask: lib, job: ['gitlab.com'] },
};

describeOnHost('explain and git', () => {
  const stage = useHostStage();
  let repository: string;

  beforeAll(() => {
    // What ssh is started with, in a file: git reads its standard output.
    writeFileSync(join(stage.home, 'bin/ssh'), '#!/bin/sh\nprintf "%s\\n" "$@" >"$HOME/seen"\nexit 0\n');
    writeFileSync(join(stage.home, 'jenkins'), '#!/bin/sh\nexec ssh -i /a/key "$@"\n', { mode: 0o755 });
  });
  beforeEach(() => {
    repository = mkdtempSync(join(stage.home, 'repository-'));
    rmSync(join(stage.home, 'seen'), { force: true });
  });

  const filled = (text: string): string =>
    text.replace('PROGRAM', program).replace('SCRIPT', join(stage.home, 'jenkins'));

  function environment({ env = {}, job }: Situation): Env {
    const command = job ? makeJobFolder(join(repository, 'use'), { keys: job }) : program;
    const all = { GIT_SSH_COMMAND: command, GIT_TERMINAL_PROMPT: '0', ...env };
    return Object.fromEntries(
      Object.entries(all).flatMap(([name, value]) => (value === '' ? [] : [[name, filled(value)]])),
    );
  }

  function run(argv: readonly string[], env: Env) {
    const [file = '', ...args] = withRunUser(join(stage.home, 'run-user'), argv);
    const PATH = `${join(stage.home, 'bin')}:${process.env['PATH'] ?? ''}`;
    const base = { PATH, HOME: stage.home, GIT_CONFIG_NOSYSTEM: '1', AWS_EC2_METADATA_DISABLED: 'true' };
    return spawnSync(file, args, { cwd: repository, env: { ...base, ...env }, encoding: 'utf8' });
  }

  /** The numbers of the keys that ssh was told to offer. */
  function offered(): number[] {
    const args = readFileSync(join(stage.home, 'seen'), 'utf8').split('\n');
    return args.flatMap((arg) => {
      const [, path] = /^IdentityFile="(.*)"$/.exec(arg) ?? [];
      if (path === undefined) return [];
      const [, ofJob] = /\/use\/keys\/(\d+)\.pub$/.exec(path) ?? [];
      if (ofJob !== undefined) return [Number(ofJob)];
      const [, blob = ''] = readFileSync(path, 'utf8').split(' ');
      return [Number(Buffer.from(blob, 'base64').toString().replace('key ', ''))];
    });
  }

  function arrange({ lines = [], own = [], remote, env: given = {} }: Situation): void {
    execFileSync('git', ['init', '--quiet', repository]);
    if (remote !== undefined) execFileSync('git', ['-C', repository, 'remote', 'add', 'origin', remote]);
    const file = join(repository, '.git/config');
    writeFileSync(file, `${readFileSync(file, 'utf8')}${own.join('\n')}\n`);
    // What was compiled, and the marks of keys that the agent has, for git's commands and for ssh.
    const { SSM_SSH_KEY: key } = given;
    const env = { AWS_EC2_METADATA_DISABLED: 'true', ...(key !== undefined && { SSM_SSH_KEY: key }) };
    const written = lines.map(filled);
    for (const command of [["git-upload-pack 'x/y'"], []])
      stage.tell(['nowhere.test', ...command], written, { cwd: repository, env });
  }

  it.each(Object.entries(situations))('agree about %s', (_, situation) => {
    const { ask, says, lines = [] } = situation;
    arrange(situation);
    const env = environment(situation);
    const isGit = ask.includes(':') || ask === 'origin';
    if (isGit) {
      // The file of the last compilation is for ssh: git's is made again.
      stage.tell(['nowhere.test', "git-upload-pack 'x/y'"], lines.map(filled), {
        cwd: repository,
        env: {
          AWS_EC2_METADATA_DISABLED: 'true',
          ...(env['SSM_SSH_KEY'] && { SSM_SSH_KEY: env['SSM_SSH_KEY'] }),
        },
      });
    }
    rmSync(join(stage.home, 'seen'), { force: true });
    run(isGit ? ['git', 'ls-remote', ask] : [program, ask], env);
    const really = offered();
    const { stdout, stderr, status } = run([launcher, 'explain', '--json', ask], env);
    expect(stderr).toBe('');
    const explained = JSON.parse(stdout) as Explained;
    const numbers = explained.keys.map(({ reference, fingerprint }) =>
      Number((reference ?? fingerprint)?.at(-1)),
    );
    expect([explained.answer, numbers]).toEqual([explained.answer, really]);
    expect([explained.offered, status]).toEqual(really.length > 0 ? [true, 0] : [false, 1]);
    if (says) expect(explained.answer).toMatch(says);
  });

  const explain = (ask: string, situation: Omit<Situation, 'ask'>, ...more: string[]) => {
    arrange({ ...situation, ask });
    return run([launcher, 'explain', ...more, ask], environment({ ...situation, ask }));
  };

  it('names the file and the line, also of what is passed over', () => {
    const { stdout } = explain(lib, { lines: two, own: ['[ssm]', '\tkey = /key-3', '\troleArn = x'] });
    const file = join(stage.home, '.gitconfig');
    expect(stdout.split('\n')).toEqual([
      '/key-0 is offered for github.com/acme/lib',
      'why: the section [ssm "github.com/acme/lib"] names it',
      `from: ssm.github.com/acme/lib.key, global, ${file} line 2`,
      'passed over:',
      `  /key-1 (ssm.github.com/acme.key, global, ${file} line 4): it is less specific`,
      expect.stringMatching(
        /^ {2}\/key-3 \(ssm\.key, local, .*\.git\/config line \d+\): it is a default key/,
      ),
      `  /key-2 (ssm.key, global, ${file} line 6): a later value of the same name counts`,
      "note: ssm.roleArn of the repository's own configuration is ignored: set it with git config --global or --system",
      '',
    ]);
  });

  it('names an included file, and no line where the file does not tell it', () => {
    const included = join(stage.home, 'included');
    writeFileSync(included, '[ssm]\n\tkey = /key-1\n');
    const { stdout } = explain(lib, { lines: ['[include]', `path = ${included}`] }, '--json');
    const [key] = (JSON.parse(stdout) as Explained).keys;
    expect(key?.source).toEqual({ name: 'ssm.key', scope: 'global', file: included, line: 2 });
  });

  it.each(
    shellBlocks.filter(({ document }) => document === 'docs/explain.md').flatMap(({ commands }) => commands),
  )('answers the command of the document: %s', (command) => {
    arrange({ ask: lib, lines: ['[ssm]', 'key = /ci/key'] });
    const env = { GIT_SSH_COMMAND: program, PATH: `${join(launcher, '..')}:${process.env['PATH'] ?? ''}` };
    const { stdout, stderr, status } = run(['sh', '-c', command], env);
    expect([stderr, stdout.split('\n')[0]]).toEqual([
      '',
      expect.stringMatching(/ is offered for | is pushed to /),
    ]);
    expect(status).toBe(command.includes('https') ? 1 : 0);
  });

  it('says that a reference is wrong, and does not repeat a pasted secret', () => {
    const secret = `ghp_${'a1B2'.repeat(9)}`;
    const { stdout, status } = explain(lib, { lines: ['[ssm]', `key = ${secret}`] });
    expect([status, stdout]).toEqual([1, expect.stringContaining('note: ssm-ssh will fail: INPUT_INVALID')]);
    expect(stdout).not.toContain(secret);
  });

  it.each(['a b', '/tmp/x', '-x:y'])('refuses %j with exit code 2', (ask) => {
    const { stderr, status } = run([launcher, 'explain', '--', ask], {});
    expect([status, stderr]).toEqual([2, expect.stringContaining('INPUT_INVALID')]);
  });

  const id = 'i-0123456789abcdef0';
  const ec2: Readonly<Record<string, Situation>> = {
    'a pushed key': { ask: `ec2-user@${id}`, lines: sections(['']) },
    'a section for the id': { ask: `ec2-user@${id}`, lines: sections([id, '']) },
    'a managed node with a key': { ask: `me@m${id}`, lines: sections([`m${id}`]) },
    'a managed node without a key': { ask: `me@m${id}`, says: /it is no EC2 instance, and needs a key/ },
    'a URL of git that nothing allows': { ask: `ssh://me@${id}/x`, says: /nothing allows git to reach it/ },
    'a URL of git that a setting allows': { ask: `ssh://me@${id}/x`, env: { SSM_SSH_EC2_REMOTES: '1' } },
    'a URL of git that a section allows': { ask: `ssh://me@${id}/x`, lines: sections([id]) },
  };

  it('offers no key for an EC2 host if git starts another program than ssm-ssh', () => {
    execFileSync('git', ['init', '--quiet', repository]);
    const env = { SSM_SSH_EC2_REMOTES: '1', GIT_SSH_COMMAND: 'ssh -4' };
    const { stdout, status } = run([launcher, 'explain', '--json', `ssh://me@${id}/x`], env);
    const { answer, offered: isOffered, ec2: connection } = JSON.parse(stdout) as Explained;
    expect(answer).toMatch(/git starts ssh \(its arguments are not shown\), not ssm-ssh$/);
    expect([isOffered, connection, status]).toEqual([false, null, 1]);
  });

  it.each(Object.entries(ec2))('agree about an EC2 host: %s', (_, { ask, lines = [], env = {}, says }) => {
    execFileSync('git', ['init', '--quiet', repository]);
    const isGit = ask.includes(':');
    const target = ask.replace(/^ssh:\/\/|\/x$/g, '');
    const said = stage.tell([target, ...(isGit ? ["git-upload-pack '/x'"] : ['true'])], lines, {
      env,
      cwd: repository,
    });
    const isRefused = said.includes('INPUT_INVALID');
    const { stdout, status } = run([launcher, 'explain', '--json', ask], {
      GIT_SSH_COMMAND: program,
      ...env,
    });
    const explained = JSON.parse(stdout) as Explained;
    expect([explained.offered, status]).toEqual(isRefused ? [false, 1] : [true, 0]);
    if (!isRefused) {
      const args = readFileSync(join(stage.home, 'seen'), 'utf8');
      expect(explained.ec2?.pushesKey).toBe(args.includes('IdentityFile=none'));
      expect(explained.keys.map(({ reference }) => reference)).toEqual(
        offered().map((number) => `/key-${String(number)}`),
      );
    }
    if (says) expect(explained.answer).toMatch(says);
    expect(explained.ec2).toMatchObject({ via: 'session-manager', user: target.split('@')[0] });
  });
});
