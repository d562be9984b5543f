import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callersVariables, readVariables } from '../support/assigned-names.ts';
import { makeJobFolder } from '../support/job-folder.ts';
import { routingCases, sshForms, userChoices } from '../support/routing-cases.ts';
import { itWith } from '../support/needs.ts';
import { shells } from '../support/shells.ts';

/** What ssh itself makes of the options; the numbers of the keys that it is told to offer. */
function readSettings(output: string): { settings: Record<string, string>; offered: number[] } {
  const lines = output
    .split('\n')
    .map((line) => [line.split(' ')[0] ?? '', line.slice(line.indexOf(' ') + 1)] as const);
  const offered = lines.flatMap(([name, value]) => {
    const [, number] = name === 'identityfile' ? (/\/keys\/(\d+)\.pub$/.exec(value) ?? []) : [];
    return number === undefined ? [] : [Number(number)];
  });
  return { settings: Object.fromEntries(lines), offered };
}

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
  const ask = (
    program: string,
    args: readonly string[],
    [shell = '/bin/sh', ...options]: readonly string[] = [],
  ): ReturnType<typeof readSettings> =>
    readSettings(
      execFileSync(shell, [...options, program, '-G', ...args], { encoding: 'utf8', stdio: 'pipe' }),
    );

  itWith('shellcheck')('is clean under shellcheck, and so are its parts and neighbours', () => {
    const root = dirname(dirname(import.meta.dirname));
    const scripts = readdirSync(join(root, 'helper'), { withFileTypes: true }).filter(
      (entry) => entry.isFile() && !entry.name.endsWith('.ts'),
    );
    const sources = scripts.map(({ name }) => `helper/${name}`);
    expect(execFileSync('shellcheck', ['-x', ...sources], { cwd: root, encoding: 'utf8' })).toBe('');
  });

  describe.each(shells.map((shell) => [shell.join(' '), shell] as const))('under %s', (...[, shell]) => {
    it.each(Object.entries(routingCases))('offers the key for %s', (_, { keys, ssh, offered }) => {
      expect(ask(makeJobFolder(newFolder(), { keys }), ssh, shell).offered).toEqual(offered);
    });

    it.each(Object.entries(sshForms))('understands %s', (_, [ssh, offered]) => {
      const program = makeJobFolder(newFolder(), {
        keys: ['github.com/acme/lib', 'github.com:2222/acme/lib'],
      });
      expect(ask(program, ssh, shell).offered).toEqual([offered]);
    });

    it.each([
      ["git-upload-pack '/o'\\''brien/lib.git'", "host.test/o'brien/lib"],
      ["git-upload-pack '/a'\\!'/lib'", 'host.test/a!/lib'],
    ])("understands git's quoting: %s", (command, repository) => {
      const program = makeJobFolder(newFolder(), { keys: [repository, 'host.test'] });
      expect(ask(program, ['host.test', command], shell).offered).toEqual([0]);
    });

    it.each(['job', 'a job', "the runner's", '100%', '%h%%'])(
      'tells ssh where things are, in a folder %j',
      (name) => {
        const job = join(newFolder(), name, 'use');
        const { settings } = ask(makeJobFolder(job, { keys: [''] }), ['host.test'], shell);
        const home = join(userInfo().homedir, '.ssh/known_hosts');
        expect(settings).toMatchObject({
          identityagent: `${job}/agent`,
          identitiesonly: 'yes',
          // As it stands in the configuration, where two % are one.
          identityfile: `${job.replaceAll('%', '%%')}/keys/0.pub`,
          stricthostkeychecking: 'accept-new',
          userknownhostsfile: `${job}/known_hosts ${home} ${home}2`,
        });
      },
    );
  });

  it('offers none of our keys, and does not ask our agent, where no key is for the host', () => {
    const { settings, offered } = ask(makeJobFolder(newFolder(), { keys: ['gitlab.com'] }), ['github.com']);
    expect(offered).toEqual([]);
    expect(settings['identityagent']).toBe('none');
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

  it('says how to get ssh where there is none, with the exit code of ssh itself', () => {
    const bin = newFolder();
    mkdirSync(bin);
    const program = makeJobFolder(newFolder());
    const { status, stderr } = spawnSync('/bin/sh', [program, 'host.test'], {
      env: { PATH: bin },
      encoding: 'utf8',
    });
    expect(status).toBe(255);
    expect(stderr).toMatch(/^ssm-ssh: SSH_NOT_FOUND: .*\nhint: install it: /);
  });

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
