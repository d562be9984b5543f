/** A host whose agent has four keys, without AWS and without ssh: which of them ssm-ssh offers in each shell. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { parseScoped } from '../../src/git/listing.ts';
import { askedSettings, compile, textOf } from '../../src/host/compile.ts';
import { renderAnswer, renderKept } from '../../src/host/shell-answer.ts';
import { markFor } from '../../src/host/mark.ts';
import { withRunUser } from '../support/ec2-host.ts';
import { routingCases, sshForms } from '../support/routing-cases.ts';
import { rowsOf } from '../support/parts.ts';
import { columnsInTurn } from '../support/sample.ts';
import { endAll, runningProcesses } from '../support/runner/process-table.ts';
import { shells } from '../support/shells.ts';

const realSsh = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim();
const program = join(dirname(dirname(import.meta.dirname)), 'helper/ssm-ssh');

export interface Starting {
  readonly shell?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The home folder, without it. */
  readonly cwd?: string;
  /** Node is asked what the configuration says. */
  readonly isCold?: boolean;
}

export interface HostStage {
  readonly home: string;
  readonly state: string;
  /**
   * ssm-ssh with these arguments and these lines of git's configuration.
   *
   * @returns what ssh is started with, and the numbers of the keys that it offers
   */
  readonly start: (
    ssh: readonly string[],
    lines: readonly string[],
    starting?: Starting,
  ) => { readonly args: readonly string[]; readonly offered: readonly number[] };
  /** The same; what ssm-ssh says on standard error. */
  readonly tell: (ssh: readonly string[], lines: readonly string[], starting?: Starting) => string;
}

/** As people would write the keys of a case: a section for each repository. */
export function sections(keys: readonly string[]): string[] {
  return keys.flatMap((repositories, number) =>
    repositories === ''
      ? ['[ssm]', `key = /key-${number}`]
      : repositories.split(' ').flatMap((name) => [`[ssm "${name}"]`, `key = /key-${number}`]),
  );
}

function blobOf(number: string): Buffer {
  return Buffer.from(`key ${number}`);
}

function inWire(...parts: readonly Buffer[]): Buffer {
  const text = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text]);
}

/** The answer of an agent that has four keys: SSH_AGENT_IDENTITIES_ANSWER, each with a comment (RFC 9987). */
const allKeys = inWire(
  Buffer.from([12, 0, 0, 0, 4]),
  ...['0', '1', '2', '3'].flatMap((number) => [inWire(blobOf(number)), inWire()]),
);

/** Gives its answer to whatever it is asked. In a thread of its own: the tests wait for their programs without a turn for others. */
async function startAgent(socket: string): Promise<Worker> {
  const code = `const { workerData: { socket, answer }, parentPort } = require('worker_threads');
    require('net').createServer((client) => client.on('error', () => {}).on('data', () => client.write(answer)))
      .listen(socket, () => parentPort.postMessage('up'));`;
  const worker = new Worker(code, { eval: true, workerData: { socket, answer: allKeys } });
  await once(worker, 'message');
  return worker;
}

/** One host for all tests of the `describe` that this stands in. */
export function useHostStage(): HostStage {
  let home: string;
  let state: string;
  let agent: Worker;

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'host-'));
    state = join(home, '.cache', `ssm-ssh-agent-${userInfo().uid}`);
    mkdirSync(state, { recursive: true, mode: 0o700 });
    mark = await markFor(0);
    agent = await startAgent(join(state, 'agent'));
    mkdirSync(join(home, 'bin'));
    mkdirSync(join(home, 'run-user'));
    // What ssh is started with, and an agent that has whatever it is asked for. ssh itself reads odd ports.
    for (const [name, script] of [
      ['ssh', `[ "$1 $2 $3" != '-F none -G' ] || exec "${realSsh}" "$@"\nprintf "%s\\n" "$@"`],
      ['ssh-add', 'for n in 0 1 2 3; do echo "256 SHA256:$n k (ED25519)"; done'],
    ] as const) {
      writeFileSync(join(home, 'bin', name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(home, 'bin', name), 0o755);
    }
  });
  afterAll(async () => {
    await agent.terminate();
    // On the way to an EC2 host an agent starts beside ssh.
    endAll(() => runningProcesses().filter(({ command }) => command.includes(home)));
    rmSync(home, { recursive: true });
  });

  /** The folder of a key → its number. */
  const numbers = new Map<string, number>();

  let mark: string;

  /** As Node leaves it behind: what was compiled, and keys that the agent has. */
  const compileBefore = (byGit: boolean, env: Readonly<Record<string, string>>, cwd: string): void => {
    const git = ['config', '-z', '--show-scope', '--get-regexp', askedSettings];
    const { status, stdout } = spawnSync('git', git, {
      cwd,
      env: { ...env, PATH: process.env['PATH'] },
      encoding: 'utf8',
    });
    const listing = { entries: parseScoped(stdout), scoped: status === 0 || status === 1 };
    const connection = { byGit, jobRegion: '' };
    const compiled = compile(listing, env, connection);
    for (const { name, reference } of compiled.keys) {
      const folder = join(state, 'keys', name);
      const [, number = '9'] = /^\/key-(\d)$/.exec(reference) ?? [];
      numbers.set(folder, Number(number));
      mkdirSync(folder, { recursive: true });
      for (const [file, text] of [
        ['live', mark],
        ['fingerprint', `SHA256:${number}`],
        ['key.pub', `ssh-ed25519 ${blobOf(number).toString('base64')}`],
      ] as const)
        writeFileSync(join(folder, file), `${text}\n`);
    }
    rmSync(join(state, 'compiled'), { recursive: true, force: true });
    mkdirSync(join(state, 'compiled'));
    const text = textOf(listing, env, connection);
    if (text === undefined) return;
    writeFileSync(join(state, 'compiled/one'), renderKept(text, renderAnswer(compiled, state)));
  };

  /** What is started, after git's configuration is written. */
  const prepare = (
    ssh: readonly string[],
    lines: readonly string[],
    { shell = ['sh'], env: more = {}, cwd = home, isCold = false }: Starting,
  ) => {
    writeFileSync(join(home, '.gitconfig'), `${lines.join('\n')}\n`);
    const env = {
      PATH: `${join(home, 'bin')}:${process.env['PATH'] ?? ''}`,
      HOME: home,
      GIT_CONFIG_NOSYSTEM: '1',
      ...more,
    };
    if (!isCold) compileBefore(/git-|git /.test(ssh.join(' ')), env, cwd);
    const [file = '', ...argv] = withRunUser(join(home, 'run-user'), [...shell, program, ...ssh]);
    return [file, argv, { cwd, env, encoding: 'utf8', stdio: 'pipe' }] as const;
  };

  return {
    get home() {
      return home;
    },
    get state() {
      return state;
    },
    start(ssh, lines, starting = {}) {
      const [file, argv, options] = prepare(ssh, lines, starting);
      const output = execFileSync(file, argv, options);
      const args = output.trim().split('\n');
      const offered = args.flatMap((arg) => {
        const [, folder = ''] = /^IdentityFile="(.*)\/key\.pub"$/.exec(arg) ?? [];
        return numbers.get(folder) ?? [];
      });
      return { args, offered };
    },
    tell(ssh, lines, starting = {}) {
      return spawnSync(...prepare(ssh, lines, starting)).stderr;
    },
  };
}

/** A name, what is asked of the stage, and the keys that are offered. */
type Case = readonly [
  name: string,
  keys: readonly string[],
  ssh: readonly string[],
  offered: readonly number[],
];

/**
 * git's configuration has one value where the last one counts: there is one default key. A managed node without a key, and a
 * host by its tag without AWS, are refused before ssh, which other tests show.
 */
const cases: readonly Case[] = [
  ...Object.entries(routingCases)
    .filter(
      ([, { keys, ssh, offered }]) =>
        keys.filter((key) => key === '').length < 2 &&
        !(offered.length === 0 && /@(mi-|Name=)/.test(ssh.join(' '))),
    )
    .map(([name, { keys, ssh, offered }]): Case => [`offers the key for ${name}`, keys, ssh, offered]),
  ...Object.entries(sshForms).map(([name, [ssh, offered]]): Case => [
    `understands ${name}`,
    ['github.com/acme/lib', 'github.com:2222/acme/lib'],
    ssh,
    [offered],
  ]),
];

export function testInShells(stage: HostStage): void {
  const rows = rowsOf(columnsInTurn(cases, shells, 3));
  it.each(rows.map(([[name, ...asked], shell]) => [name, shell.join(' '), asked, shell] as const))(
    '%s, under %s',
    (...[, , [keys, ssh, offered], shell]) => {
      expect(stage.start(ssh, sections(keys), { shell }).offered).toEqual(offered);
    },
  );
}
