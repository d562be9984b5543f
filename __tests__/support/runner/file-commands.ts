/** The files of GITHUB_ENV and similar variables: new for each step, parsed like the runner's FileCommandManager. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface FileCommandResults {
  readonly env: ReadonlyMap<string, string>;
  readonly outputs: ReadonlyMap<string, string>;
  readonly state: ReadonlyMap<string, string>;
  readonly paths: readonly string[];
  readonly summary: string;
  /** The runner's messages. Those in `fatal` fail the step. */
  readonly errors: readonly string[];
  readonly fatal: readonly string[];
}

export interface FileCommands {
  /** For the step: GITHUB_ENV, GITHUB_OUTPUT and so on. */
  readonly environment: Readonly<Record<string, string>>;
  /** Reads the files and removes them. */
  collect(): FileCommandResults;
}

const prefixes = {
  env: 'set_env_',
  output: 'set_output_',
  state: 'save_state_',
  path: 'add_path_',
  step_summary: 'step_summary_',
} as const;

type Kind = keyof typeof prefixes;

const summaryLimit = 1024 * 1024;

export function createFileCommands(runnerTemp: string): FileCommands {
  const folder = join(runnerTemp, '_runner_file_commands');
  mkdirSync(folder, { recursive: true });
  const id = randomUUID();
  const kinds = Object.keys(prefixes) as Kind[];
  const fileOf = (kind: Kind): string => join(folder, `${prefixes[kind]}${id}`);
  for (const kind of kinds) writeFileSync(fileOf(kind), '');
  return {
    environment: Object.fromEntries(kinds.map((kind) => [`GITHUB_${kind.toUpperCase()}`, fileOf(kind)])),
    collect: () => {
      const texts = Object.fromEntries(kinds.map((kind) => [kind, readIfThere(fileOf(kind))]));
      for (const kind of kinds) rmSync(fileOf(kind), { force: true });
      return interpret((kind) => texts[kind] ?? '');
    },
  };
}

const readIfThere = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');

function interpret(textOf: (kind: Kind) => string): FileCommandResults {
  const errors: string[] = [];
  const fatal: string[] = [];
  const pairs = (kind: Kind): Map<string, string> => {
    try {
      return new Map(parseKeyValues(textOf(kind)));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      fatal.push(`Unable to process file command '${kind}' successfully.`, reason);
      return new Map();
    }
  };
  const env = pairs('env');
  for (const name of [...env.keys()].filter((key) => key.toUpperCase() === 'NODE_OPTIONS')) {
    env.delete(name);
    errors.push("Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.");
  }
  const summary = textOf('step_summary');
  const tooLong = Buffer.byteLength(summary) > summaryLimit;
  if (tooLong) {
    const size = Math.floor(Buffer.byteLength(summary) / 1024);
    errors.push(`$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got ${size}k.`);
  }
  return {
    env,
    outputs: pairs('output'),
    state: pairs('state'),
    paths: textOf('path').split(/\r?\n/).filter(Boolean),
    summary: tooLong ? '' : summary,
    errors,
    fatal,
  };
}

/** `NAME=VALUE`, or `NAME<<DELIMITER` and lines up to the delimiter; the first of the two signs decides. */
export function parseKeyValues(text: string): [string, string][] {
  const pairs: [string, string][] = [];
  // A last line without a newline counts; the empty text after a last newline does not.
  const lines = text.replace(/\n$/, '').split('\n');
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    if (line === '') continue;
    const [, name = '', sign, rest = ''] = /^(.*?)(=|<<)(.*)$/s.exec(line) ?? [];
    if (sign === undefined) throw new Error(`Invalid format '${line}'`);
    if (sign === '=') {
      if (name === '') throw new Error(`Invalid format '${line}'. Name must not be empty`);
      pairs.push([name, rest]);
      continue;
    }
    if (name === '' || rest === '') {
      throw new Error(`Invalid format '${line}'. Name must not be empty and delimiter must not be empty`);
    }
    const end = lines.indexOf(rest);
    if (end < 0) throw new Error(`Invalid value. Matching delimiter not found '${rest}'`);
    pairs.push([
      name,
      lines
        .splice(0, end + 1)
        .slice(0, -1)
        .join('\n'),
    ]);
  }
  return pairs;
}
