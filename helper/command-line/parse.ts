/** The command line as a typed table: one record of values, or INPUT_INVALID naming the word that is wrong. Pure. */
import { parseArgs } from 'node:util';
import { Failure } from '../../src/errors.ts';
import { suggest } from './suggest.ts';

export interface Option {
  readonly type: 'string' | 'boolean';
  /** May be given more than once. */
  readonly multiple?: true;
  /** The name of the value in help. FILE: shells complete the names of files. */
  readonly value?: string;
  /** The only values. Shells complete them. */
  readonly choices?: readonly string[];
  readonly help: string;
}

export type Options = Readonly<Record<string, Option>>;

type Value<O extends Option> = O extends { type: 'boolean' }
  ? boolean
  : O extends { multiple: true }
    ? readonly string[]
    : string | undefined;

export type Values<O extends Options> = { readonly [Name in keyof O]: Value<O[Name]> };

/** Options that every command has. */
export const common = {
  region: {
    type: 'string',
    value: 'REGION',
    help: "the AWS region (default: from the key's ARN, AWS_REGION, the profile, the host)",
  },
  profile: { type: 'string', value: 'NAME', help: 'a profile of the AWS configuration files' },
  'role-arn': {
    ...({ type: 'string', multiple: true, value: 'ARN' } as const),
    help: 'the role to assume; several roles, or a list with commas, are assumed one after the other',
  },
  json: { type: 'boolean', help: 'print JSON on standard output, where there is something to print' },
  quiet: { type: 'boolean', help: 'print errors only' },
  verbose: { type: 'boolean', help: 'print what is done' },
  help: { type: 'boolean', help: 'show this text' },
  version: { type: 'boolean', help: 'show the version' },
} as const satisfies Options;

export type Common = Values<typeof common>;

export interface Line<O extends Options> {
  readonly values: Values<O> & Common;
  /** The arguments that are not options, in order. */
  readonly words: readonly string[];
  /** The arguments behind `--`; undefined if there is no `--`. */
  readonly behind: readonly string[] | undefined;
}

/** @throws INPUT_INVALID */
export function parseLine<O extends Options>(args: readonly string[], own: O): Line<O> {
  const options: Options = { ...own, ...common };
  const end = args.indexOf('--');
  const before = end < 0 ? args : args.slice(0, end);
  const { tokens } = parseArgs({
    args: [...before],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { type }]) => [
        name,
        { type, ...(name === 'help' && { short: 'h' }) },
      ]),
    ),
    ...({ strict: false, allowPositionals: true, tokens: true } as const),
  });
  const values = emptyValues(options);
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const value = readValue(token, options);
    if (Array.isArray(values[token.name])) (values[token.name] as string[]).push(String(value));
    else if (typeof values[token.name] === 'string')
      throw invalid(`${token.rawName} stands twice`, 'write it once');
    else values[token.name] = value;
  }
  const behind = end < 0 ? undefined : args.slice(end + 1);
  return { values: values as Line<O>['values'], words, behind };
}

function emptyValues(options: Options): Record<string, string | boolean | string[] | undefined> {
  const empty = ({ type, multiple }: Option): boolean | string[] | undefined =>
    type === 'boolean' ? false : multiple ? [] : undefined;
  return Object.fromEntries(Object.entries(options).map(([name, option]) => [name, empty(option)]));
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function readValue({ name, rawName, value, inlineValue }: OptionToken, options: Options): string | true {
  const option = Object.hasOwn(options, name) ? options[name] : undefined;
  if (!option) {
    const names = Object.keys(options).map((known) => `--${known}`);
    throw invalid(
      `there is no option ${rawName}`,
      suggest(rawName, names) ?? `the options are ${names.join(', ')}`,
    );
  }
  if (option.type === 'boolean') {
    if (value === undefined) return true;
    throw invalid(`${rawName} takes no value`, `write ${rawName} alone`);
  }
  // A value that begins with a hyphen is more likely the next option.
  const swallowed = inlineValue !== true && value !== undefined && value.length > 1 && value.startsWith('-');
  if (value === undefined || value === '' || swallowed) {
    throw invalid(`${rawName} has no value`, `write ${rawName} ${option.value ?? 'VALUE'}`);
  }
  const { choices } = option;
  if (choices && !choices.includes(value)) {
    const hint =
      suggest(value, choices) ?? `write ${choices.slice(0, -1).join(', ')} or ${choices.at(-1) ?? ''}`;
    throw invalid(`${rawName} cannot be "${value}"`, hint);
  }
  return value;
}

export function invalid(problem: string, hint: string): Failure {
  return new Failure('INPUT_INVALID', problem, { hint });
}
