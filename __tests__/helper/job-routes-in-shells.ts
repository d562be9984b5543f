/** The routes of a job in each shell: which key ssm-ssh offers, as ssh itself reads the options that it is given. */
import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { makeJobFolder } from '../support/job-folder.ts';
import { routingCases, sshForms } from '../support/routing-cases.ts';
import { rowsOf } from '../support/parts.ts';
import { columnsInTurn } from '../support/sample.ts';
import { shells } from '../support/shells.ts';

type Shell = (typeof shells)[number];

export interface SshSettings {
  /** By ssh's own names, in lower case. */
  readonly settings: Readonly<Record<string, string>>;
  /** The numbers of the keys that it is told to offer. */
  readonly offered: readonly number[];
}

export function ask(program: string, args: readonly string[], shell: Shell = ['/bin/sh']): SshSettings {
  const [file, ...options] = shell;
  const argv = [...options, program, '-G', ...args];
  return readSettings(execFileSync(file, argv, { encoding: 'utf8', stdio: 'pipe' }));
}

function readSettings(output: string): SshSettings {
  const lines = output
    .split('\n')
    .map((line) => [line.split(' ')[0] ?? '', line.slice(line.indexOf(' ') + 1)] as const);
  const offered = lines.flatMap(([name, value]) => {
    const [, number] = name === 'identityfile' ? (/\/keys\/(\d+)\.pub$/.exec(value) ?? []) : [];
    return number === undefined ? [] : [Number(number)];
  });
  return { settings: Object.fromEntries(lines), offered };
}

/** A name, and what has to hold under a shell. */
type Case = readonly [name: string, check: (shell: Shell) => void];

export function testInShells(newFolder: () => string): void {
  const rows = rowsOf(columnsInTurn(cases(newFolder), shells, 3));
  it.each(rows.map(([[name, check], shell]) => [name, shell.join(' '), check, shell] as const))(
    '%s, under %s',
    (...[, , check, shell]) => {
      check(shell);
    },
  );
}

function cases(newFolder: () => string): Case[] {
  const offers =
    (keys: readonly string[], ssh: readonly string[], offered: readonly number[]) => (shell: Shell) => {
      expect(ask(makeJobFolder(newFolder(), { keys }), ssh, shell).offered).toEqual(offered);
    };
  const ports = ['github.com/acme/lib', 'github.com:2222/acme/lib'];
  return [
    ...Object.entries(routingCases).map(([name, { keys, ssh, offered }]): Case => [
      `offers the key for ${name}`,
      offers(keys, ssh, offered),
    ]),
    ...Object.entries(sshForms).map(([name, [ssh, offered]]): Case => [
      `understands ${name}`,
      offers(ports, ssh, [offered]),
    ]),
    ...(
      [
        ["git-upload-pack '/o'\\''brien/lib.git'", "host.test/o'brien/lib"],
        ["git-upload-pack '/a'\\!'/lib'", 'host.test/a!/lib'],
      ] as const
    ).map(([command, repository]): Case => [
      `understands git's quoting: ${command}`,
      offers([repository, 'host.test'], ['host.test', command], [0]),
    ]),
    ...['job', 'a job', "the runner's", '100%', '%h%%'].map((name): Case => [
      `tells ssh where things are, in a folder "${name}"`,
      (shell) => {
        expectPlaces(join(newFolder(), name, 'use'), shell);
      },
    ]),
  ];
}

function expectPlaces(job: string, shell: Shell): void {
  const { settings } = ask(makeJobFolder(job, { keys: [''] }), ['host.test'], shell);
  const home = join(userInfo().homedir, '.ssh/known_hosts');
  expect(settings).toMatchObject({
    identityagent: `${job}/agent`,
    identitiesonly: 'yes',
    // As in the configuration, where %% stands for one %.
    identityfile: `${job.replaceAll('%', '%%')}/keys/0.pub`,
    stricthostkeychecking: 'accept-new',
    userknownhostsfile: `${job}/known_hosts ${home} ${home}2`,
  });
}
