import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { callersVariables, readVariables } from '../support/assigned-names.ts';
import { makeJobFolder } from '../support/job-folder.ts';
import { it } from '../support/parts.ts';
import { userChoices } from '../support/routing-cases.ts';
import { itInRestWith, itWith } from '../support/needs.ts';
import { shells } from '../support/shells.ts';
import { ask, testInShells } from './job-routes-in-shells.ts';

describe('helper/ssm-ssh', () => {
  let folder: string;
  let made = 0;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ssm-ssh-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const newFolder = (): string => join(folder, String(made++));
  itInRestWith('shellcheck')('is clean under shellcheck, and so are its parts and neighbours', () => {
    const root = dirname(dirname(import.meta.dirname));
    const scripts = readdirSync(join(root, 'helper'), { withFileTypes: true }).filter(
      (entry) => entry.isFile() && !entry.name.endsWith('.ts'),
    );
    const sources = scripts.map(({ name }) => `helper/${name}`);
    expect(execFileSync('shellcheck', ['-x', ...sources], { cwd: root, encoding: 'utf8' })).toBe('');
  });

  testInShells(newFolder);

  it('offers none of our keys where no key is for the host', () => {
    const { settings, offered } = ask(makeJobFolder(newFolder(), { keys: ['gitlab.com'] }), ['github.com']);
    expect(offered).toEqual([]);
    expect(settings['identityagent']).toBeUndefined();
  });

  it.each(userChoices)('leaves everything to ssh where the user says %s %s', (...args) => {
    const program = makeJobFolder(newFolder(), { keys: ['github.com'] });
    const { settings, offered } = ask(program, [...args, 'github.com']);
    expect(offered).toEqual([]);
    expect(settings['userknownhostsfile']).not.toContain(folder);
  });

  it('leaves everything to ssh, and says so, where it does not know an option', () => {
    const program = makeJobFolder(newFolder(), { keys: ['github.com'] });
    const { stderr } = spawnSync(program, ['-P', 'tag', 'github.com', '-G'], { encoding: 'utf8' });
    expect(stderr).toContain("ssm-ssh: ssh's option -P is not known here: no key of ours is offered");
  });

  it('finds the keys of earlier uses beside it, the most specific of all first', () => {
    const [first, second] = [newFolder(), newFolder()];
    makeJobFolder(first, { keys: ['github.com/acme/lib', '', 'gitlab.com'] });
    const program = makeJobFolder(second, {
      keys: ['', 'github.com/acme', 'gitlab.com'],
      before: first.slice(folder.length + 1),
    });
    const identity = (...args: string[]): string => ask(program, args).settings['identityfile'] ?? '';
    expect(identity('github.com', "git-upload-pack 'acme/lib'")).toBe(`${first}/keys/0.pub`);
    expect(identity('github.com', "git-upload-pack 'acme/other'")).toBe(`${second}/keys/1.pub`);
    expect(identity('gitlab.com', "git-upload-pack 'a/b'")).toBe(`${second}/keys/2.pub`);
    expect(identity('host.test')).toBe(`${second}/keys/0.pub`);
  });

  it.each([
    ['stricthostkeychecking', 'no', 'false'],
    ['userknownhostsfile', '/a/file', '/a/file'],
    ['globalknownhostsfile', '/a/file', '/a/file'],
    ['hostkeyalias', 'another', 'another'],
  ])('leaves %s to the caller who says it', (name, value, shown) => {
    const program = makeJobFolder(newFolder(), { keys: [''] });
    const { settings } = ask(program, ['-o', `${name}=${value}`, 'host.test']);
    expect(settings[name]).toBe(shown);
    expect(settings['identityfile']).toMatch(/\/keys\/0\.pub$/);
  });

  it('is found by a relative path and through PATH', () => {
    const program = makeJobFolder(newFolder(), { keys: [''] });
    for (const [command, cwd, env] of [
      ['bin/ssm-ssh', dirname(dirname(program)), {}],
      ['./ssm-ssh', dirname(program), {}],
      ['ssm-ssh', folder, { PATH: `${dirname(program)}:${process.env['PATH'] ?? ''}` }],
    ] as const) {
      const output = execFileSync(command, ['-G', 'host.test'], {
        cwd,
        env: { ...process.env, ...env },
        encoding: 'utf8',
      });
      expect(output).toContain(`identityagent ${dirname(dirname(program))}/agent`);
    }
  });

  it('says so where the key has left the agent, instead of letting ssh take the public key for a private one', () => {
    const program = makeJobFolder(newFolder(), { keys: ['host.test'] });
    const { status, stderr } = spawnSync(program, ['host.test'], { encoding: 'utf8' });
    expect(status).toBe(255);
    expect(stderr).toMatch(
      /^ssm-ssh: AGENT_FAILED: the key for host.test.* is no longer in the agent\nhint: its lifetime/,
    );
  });

  itWith('timeout')('says so where the agent of the job hangs', () => {
    const job = newFolder();
    const program = makeJobFolder(job, { keys: ['host.test'] });
    const started = execFileSync('ssh-agent', ['-s', '-a', join(job, 'agent')], { encoding: 'utf8' });
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(started)?.[1]);
    process.kill(pid, 'SIGSTOP');
    try {
      const { status, stderr } = spawnSync(program, ['host.test'], { encoding: 'utf8' });
      expect(status).toBe(255);
      expect(stderr).toMatch(
        /^ssm-ssh: TIMEOUT: the agent on \S+\/agent has not answered within 5 seconds\nhint: /,
      );
    } finally {
      process.kill(pid, 'SIGKILL');
    }
  });

  it.each([['host.test', 'true'], ['-i', 'k', 'host.test'], ['-G', 'host.test'], ['-V']])(
    'says how to get ssh where there is none, with the exit code of ssh itself: %j',
    (...args) => {
      const bin = newFolder();
      mkdirSync(bin);
      const onHost = join(dirname(dirname(import.meta.dirname)), 'helper/ssm-ssh');
      const jobs = [{}, { keys: ['other.test'] }].map((given) => makeJobFolder(newFolder(), given));
      for (const program of [...jobs, onHost]) {
        const env = { PATH: bin };
        const { status, stderr } = spawnSync('/bin/sh', [program, ...args], { env, encoding: 'utf8' });
        expect([status, stderr]).toEqual([
          255,
          expect.stringMatching(/^ssm-ssh: SSH_NOT_FOUND: .*\nhint: install it: .*\n$/),
        ]);
      }
    },
  );

  it("hands the caller's environment on, whatever names are used here", () => {
    const bin = newFolder();
    mkdirSync(bin);
    writeFileSync(join(bin, 'ssh'), '#!/bin/sh\nexec env\n', { mode: 0o755 });
    const program = makeJobFolder(newFolder(), { keys: ['github.com'] });
    const env = { ...callersVariables, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    for (const shell of shells) {
      const [file, ...options] = shell;
      const argv = [...options, program, '-G', 'git@github.com', "git-upload-pack 'acme/lib'"];
      const printed = execFileSync(file, argv, { encoding: 'utf8', env });
      expect([shell, readVariables(printed)]).toEqual([shell, callersVariables]);
    }
  });
});
