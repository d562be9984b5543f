/** One line of the action's `keys` input: a reference, options and repositories. Pure. */
import { Failure } from '../errors.ts';
import { parseAppRepositories, type AppLine } from './app-line.ts';
import { parseReference, type Reference } from './reference.ts';
import { parseRepositoryPattern, type RepositoryPattern } from './routes.ts';

export interface KeyLine {
  readonly reference: Reference;
  /** Reference of the key's passphrase. */
  readonly passphrase?: Reference;
  /** Reference of the key's certificate. */
  readonly certificate?: Reference;
  /** Empty: a default key. */
  readonly repositories: readonly RepositoryPattern[];
}

/** The contents of `keys`: SSH keys, and GitHub Apps (`as=github-app`). */
export interface Lines {
  readonly keys: readonly KeyLine[];
  readonly apps: readonly AppLine[];
}

/**
 * Skips blank lines and lines that begin with `#`.
 *
 * @throws INPUT_INVALID naming the line
 */
export function parseLines(text: string): Lines {
  const parsed = eachLine(text, parseLine);
  return {
    keys: parsed.flatMap((line) => ('app' in line ? [] : [line])),
    apps: parsed.flatMap((line) => ('app' in line ? [line.app] : [])),
  };
}

/** Like parseLines, but only for SSH keys. */
export function parseKeyLines(text: string): KeyLine[] {
  return eachLine(text, parseKeyLine);
}

function eachLine<T>(text: string, parse: (line: string) => T): T[] {
  const lines = text.split(/\r\n|\n|\r/).map((line, index) => ({ line: line.trim(), number: index + 1 }));
  const written = lines.filter(({ line }) => line !== '' && !line.startsWith('#'));
  return written.map(({ line, number }) => {
    try {
      return parse(line);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const joined = written.length === 1 && severalThings.test(line);
      throw new Failure(error.code, `keys, line ${number}: ${error.message}`, {
        hint: joined ? `${error.hint} (YAML joins the lines of "keys: >": write "keys: |")` : error.hint,
        cause: error,
      });
    }
  });
}

/** A comment or another reference after the first word. */
const severalThings = /\s(#|\/|(arn|ssm|secretsmanager):)/;

/**
 * The text of a key, plain or in base64, or a part of it. Messages must not repeat it. A parameter's name of that
 * length has a slash at its start, or contains a hyphen or a dot.
 */
const keyText =
  /-----BEGIN |LS0tLS1CRUdJTi|b3BlbnNzaC1rZXktdj|(^|[\s"'=])[A-Za-z0-9+][A-Za-z0-9+/]{43,}={0,2}["']?(\s|$)/;

/** @throws INPUT_INVALID */
export function parseKeyLine(text: string): KeyLine {
  const line = parseLine(text);
  if (!('app' in line)) return line;
  throw new Failure(
    'INPUT_INVALID',
    'as=github-app makes a token for HTTPS, but only SSH keys are allowed here',
    {
      hint: "remove as=github-app, or name the App in the action's keys or in ssm.NAME.credential of git's configuration",
    },
  );
}

function parseLine(line: string): KeyLine | { readonly app: AppLine } {
  if (keyText.test(line)) {
    throw new Failure('INPUT_INVALID', 'this is the text of a key instead of its name in Parameter Store', {
      hint: 'store the key with aws ssm put-parameter, write its name here, and replace the key: it is in the workflow file or its secrets (aws ssm put-parameter --name /ci/deploy-key --type SecureString --value file://FILE; then keys: /ci/deploy-key)',
    });
  }
  const [name = '', ...words] = line.split(/\s+/);
  if (name === '-') {
    throw new Failure('INPUT_INVALID', 'the line begins with a hyphen, as in a YAML list', {
      hint: 'the input is text: write "keys: |" and below it one key per line, without hyphens',
    });
  }
  if (/^([*["']|[^:]*[,;])/.test(name)) {
    throw new Failure('INPUT_INVALID', 'the key is written as in a list, or in quotes', {
      hint: 'the input is text: write "keys: |" and below it one key per line, without quotes, brackets and commas',
    });
  }
  if (words.some((word) => word.startsWith('#'))) {
    const hint = 'write the comment on a separate line that begins with #';
    throw new Failure('INPUT_INVALID', 'a comment follows the key', { hint });
  }
  const { as, ...references } = parseOptions(words.filter((word) => word.includes('=')));
  const repositories = words.filter((word) => !word.includes('='));
  const reference = parseReference(name);
  for (const word of repositories) checkNoReference(word);
  if (as === 'key') {
    return {
      ...references,
      reference,
      repositories: repositories.map(parseRepositoryPattern),
    };
  }
  const [option] = Object.keys(references);
  if (option === undefined) return { app: { reference, repositories: parseAppRepositories(repositories) } };
  throw new Failure('INPUT_INVALID', `${option}= cannot be used with as=github-app: a GitHub App has none`, {
    hint: `remove ${option}=; the key of the App is in the JSON that the reference names`,
  });
}

function checkNoReference(word: string): void {
  if (!severalThings.test(` ${word}`)) return;
  throw new Failure('INPUT_INVALID', `the repository "${word}" does not begin with a host`, {
    hint: 'write host/owner/repository, for example github.com/acme/lib, and each key on a separate line',
  });
}

/** All references, in the order of the lines. */
export function referencesOf(lines: readonly KeyLine[]): Reference[] {
  return lines.flatMap(({ reference, passphrase, certificate }) =>
    [reference, passphrase, certificate].filter((named) => named !== undefined),
  );
}

interface Options extends Pick<KeyLine, 'passphrase' | 'certificate'> {
  readonly as: 'key' | 'github-app';
}

function parseOptions(options: readonly string[]): Options {
  const values = new Map<string, string>();
  for (const option of options) {
    const [, name = '', value = ''] = /^([a-z-]{1,32})=(.*)$/.exec(option) ?? [];
    if (values.has(name)) throw invalid(`the option "${name}" is set twice`);
    if (name === '') throw invalid('a word with "=" is not an option');
    if (!['passphrase', 'certificate', 'as'].includes(name)) throw invalid(`unknown option "${name}"`);
    values.set(name, value);
  }
  const as = values.get('as') ?? 'key';
  if (as !== 'key' && as !== 'github-app') throw invalid('as= can only be "key" or "github-app"');
  const references = (['passphrase', 'certificate'] as const).flatMap((name) => {
    const text = values.get(name);
    return text === undefined ? [] : [[name, parseOption(name, text)] as const];
  });
  return { as, ...Object.fromEntries(references) };
}

/** The value may be the passphrase itself, so the error does not repeat it. */
function parseOption(name: 'passphrase' | 'certificate', text: string): Reference {
  try {
    return parseReference(text);
  } catch {
    throw new Failure('INPUT_INVALID', `${name}= is not followed by the name of a parameter or secret`, {
      hint: `write ${name}=/NAME or ${name}=secretsmanager:NAME, where the ${name} is stored`,
    });
  }
}

function invalid(problem: string): Failure {
  return new Failure('INPUT_INVALID', problem, {
    hint: 'write REFERENCE [passphrase=REFERENCE] [certificate=REFERENCE] [as=github-app] [REPOSITORY …]',
  });
}
