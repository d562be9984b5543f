/** ssm-ssh-agent: finds the command, runs it, and reports errors. */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { abortAfter, tookTooLong } from '../../src/deadline.ts';
import { Failure, toFailure } from '../../src/errors.ts';
import type { SignalSource } from '../../src/process/attached.ts';
import { invalid, parseLine } from './parse.ts';
import { commonOptionsOf, helpOf, type Command, type Io, type Running } from './command.ts';
import { add } from '../commands/add.ts';
import { certify } from '../commands/certify.ts';
import { doctor } from '../commands/doctor.ts';
import { exec } from '../commands/exec.ts';
import { explain } from '../commands/explain.ts';
import { flush } from '../commands/flush.ts';
import { log } from '../commands/log.ts';
import { keygen } from '../commands/keygen.ts';
import { policy } from '../commands/policy.ts';
import { printPublic } from '../commands/public.ts';
import { put } from '../commands/put.ts';
import { proxy } from '../commands/proxy.ts';
import { rotate } from '../commands/rotate.ts';
import { setup } from '../commands/setup.ts';
import { markedName } from '../error-mark.ts';
import { OutputClosed } from '../write-text.ts';
import { suggest } from './suggest.ts';

const name = 'ssm-ssh-agent';
export const commands: readonly Command[] = [
  exec,
  add,
  flush,
  setup,
  keygen,
  put,
  printPublic,
  rotate,
  certify,
  log,
  policy,
  explain,
  doctor,
  proxy,
];

/**
 * @param patience seconds; until the user's own command starts
 * @returns the exit code
 */
export async function run(args: readonly string[], io: Io, patience = 120): Promise<number> {
  const interrupted = interruption(io.signals, patience);
  try {
    const [word = '', ...rest] = args;
    if (['--help', '-h', 'help'].includes(word)) return tell(io, rest[0] ? helpOf(find(rest[0])) : help());
    if (word === '--version') return tell(io, versionOf(io));
    const command = find(word);
    const line = parseLine(rest, command.options);
    const { values } = line;
    if (values.help) return tell(io, helpOf(command));
    if (values.version) return tell(io, versionOf(io));
    if (values.quiet && values.verbose)
      throw invalid('--quiet and --verbose do not go together', 'leave one out');
    // Also for a command that does not use them: a wrong word is never passed over.
    if (values.region !== undefined || values['role-arn'].length > 0)
      (await import('./account.ts')).parseAccount(values);
    if (values.profile !== undefined) io.useProfile(values.profile);
    const { signal, untimed } = interrupted;
    return await command.run(line, { ...io, signal, untimed });
  } catch (error) {
    const exitCode = interrupted.exitCode();
    if (exitCode !== undefined) return exitCode;
    if (error instanceof OutputClosed) throw error;
    const failure = toFailure(error);
    io.err(`${failure.render(markedName(name, io.env))}\n`);
    return failure.exitCode;
  }
}

function find(word: string): Command {
  const found = commands.find((command) => command.name === word);
  if (found) return found;
  const names = commands.map((command) => command.name);
  const list = `the commands are ${names.join(', ')}; ${name} --help shows what they do`;
  if (word === '') throw invalid('no command was given', list);
  if (word.startsWith('-')) throw misplaced(word, list);
  throw invalid(`there is no command ${word}`, suggest(word, names) ?? list);
}

/** An option where the command belongs. */
function misplaced(word: string, list: string): Failure {
  const option = word.replace(/^--|=.*$/gs, '');
  const owner = commands.find((command) =>
    Object.hasOwn({ ...command.options, ...commonOptionsOf(command) }, option),
  );
  if (owner) {
    return invalid(
      `${word} stands before the command`,
      `write the command first: ${name} ${owner.name} ${word}`,
    );
  }
  return invalid(`there is no option ${word}`, suggest(word, ['--help', '--version']) ?? list);
}

function tell(io: Io, text: string): number {
  io.out(text);
  return 0;
}

function help(): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return `SSH keys from AWS Parameter Store and Secrets Manager, for git and ssh:

  ${name} exec --key /ci/deploy-key -- git clone git@github.com:acme/lib.git

Usage: ${name} COMMAND [OPTION …]

Commands:
${lines.join('\n')}

${name} COMMAND --help shows examples and options.
`;
}

function versionOf({ installation }: Io): string {
  const { version } = JSON.parse(readFileSync(join(installation, 'package.json'), 'utf8')) as {
    version: string;
  };
  return `${name} ${version}\n`;
}

interface Interruption extends Pick<Running, 'signal' | 'untimed'> {
  /** 128 plus the number of the signal, as in a shell; undefined if no signal has come. */
  exitCode(): number | undefined;
}

/** Aborts with a Failure, on a signal and after `seconds`. */
function interruption(signals: SignalSource, seconds: number): Interruption {
  const controller = new AbortController();
  let code: number | undefined;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
    signals.on(name, () => {
      code ??= 128 + constants.signals[name];
      controller.abort(new Failure('TIMEOUT', `interrupted by ${name}`, { hint: 'run it again' }));
    });
  }
  const hint = 'run it with --verbose to see what it waits for, and check the network of this host';
  const start = (): NodeJS.Timeout =>
    abortAfter(seconds * 1000, controller, tookTooLong('the command', seconds, hint)).unref();
  let limit = start();
  const untimed = async <T>(work: Promise<T>): Promise<T> => {
    clearTimeout(limit);
    const result = await work;
    limit = start();
    return result;
  };
  return { signal: controller.signal, untimed, exitCode: () => code };
}
