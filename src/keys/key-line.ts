/** One line of the action's `keys` input: a reference and the repositories it is for. Pure. */
import { Failure } from '../errors.ts';
import { parseAppRepositories, type AppLine } from './app-line.ts';
import { parseReference, type Reference } from './reference.ts';
import { parseRepositoryPattern, type RepositoryPattern } from './routes.ts';

export interface KeyLine {
  readonly reference: Reference;
  /** Where the passphrase of the key is stored. */
  readonly passphrase?: Reference;
  /** Where the certificate of the key is stored. */
  readonly certificate?: Reference;
  /** Empty: a default key. */
  readonly repositories: readonly RepositoryPattern[];
}

/** What `keys` may name: SSH keys, and with `as=github-app` Apps of GitHub's. */
export interface Lines {
  readonly keys: readonly KeyLine[];
  readonly apps: readonly AppLine[];
}

/**
 * Blank lines and lines that begin with `#` are skipped.
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

/** As parseLines, where nothing but SSH keys will do. */
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
        hint: joined ? `${error.hint} (behind "keys: >" YAML joins lines: write "keys: |")` : error.hint,
        cause: error,
      });
    }
  });
}

/** A comment or another reference behind the first word. */
const severalThings = /\s(#|\/|(arn|ssm|secretsmanager):)/;

/**
 * The text of a key, as it is or in base64, or a piece of it: what must not be repeated in a message. A parameter whose
 * name is as long has its slash in front, or a hyphen or a dot somewhere.
 */
const keyText =
  /-----BEGIN |LS0tLS1CRUdJTi|b3BlbnNzaC1rZXktdj|(^|[\s"'=])[A-Za-z0-9+][A-Za-z0-9+/]{43,}={0,2}["']?(\s|$)/;

/** @throws INPUT_INVALID */
export function parseKeyLine(text: string): KeyLine {
  const line = parseLine(text);
  if (!('app' in line)) return line;
  throw new Failure('INPUT_INVALID', 'as=github-app makes a token for HTTPS, and only SSH keys go here', {
    hint: "leave as=github-app out, or name the App in the action's keys or in ssm.NAME.credential of git's configuration",
  });
}

function parseLine(line: string): KeyLine | { readonly app: AppLine } {
  if (keyText.test(line)) {
    throw new Failure(
      'INPUT_INVALID',
      'this is the text of a key, where its name in Parameter Store belongs',
      {
        hint: 'store the key with aws ssm put-parameter, write its name here, and replace the key: it is in the workflow file or its secrets (aws ssm put-parameter --name /ci/deploy-key --type SecureString --value file://FILE; then keys: /ci/deploy-key)',
      },
    );
  }
  const [name = '', ...words] = line.split(/\s+/);
  if (name === '-') {
    throw new Failure('INPUT_INVALID', 'a hyphen stands in front, as in a list of YAML', {
      hint: 'an input is text: write the keys behind "keys: |", one on each line, without hyphens',
    });
  }
  if (/^([*["']|[^:]*[,;])/.test(name)) {
    throw new Failure('INPUT_INVALID', 'the key is written as in a list, or in quotes', {
      hint: 'an input is text: write the keys behind "keys: |", one on each line, with nothing around them',
    });
  }
  if (words.some((word) => word.startsWith('#'))) {
    const hint = 'put the comment on a line of its own, which begins with #';
    throw new Failure('INPUT_INVALID', 'a comment stands behind the key', { hint });
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
  throw new Failure('INPUT_INVALID', `${option}= and as=github-app stand together: a GitHub App has none`, {
    hint: `leave out ${option}=; the key of the App is in the JSON that the reference names`,
  });
}

function checkNoReference(word: string): void {
  if (!severalThings.test(` ${word}`)) return;
  throw new Failure('INPUT_INVALID', `the repository "${word}" does not begin with a host`, {
    hint: 'write host/owner/repository, for example github.com/acme/lib, and a second key on a line of its own',
  });
}

/** Every reference of the lines, each line's own together. */
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
    if (values.has(name)) throw invalid(`the option "${name}" stands twice`);
    if (name === '') throw invalid('a word with "=" that is no option');
    if (!['passphrase', 'certificate', 'as'].includes(name)) throw invalid(`unknown option "${name}"`);
    values.set(name, value);
  }
  const as = values.get('as') ?? 'key';
  if (as !== 'key' && as !== 'github-app') throw invalid('as= can be "key" or "github-app" only');
  const references = (['passphrase', 'certificate'] as const).flatMap((name) => {
    const text = values.get(name);
    return text === undefined ? [] : [[name, parseOption(name, text)] as const];
  });
  return { as, ...Object.fromEntries(references) };
}

/** What stands there may be the passphrase itself, and is not repeated. */
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
