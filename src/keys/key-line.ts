/** One line of the action's `keys` input: a reference and the repositories it is for. Pure. */
import { Failure } from '../errors.ts';
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

/**
 * Blank lines and lines that begin with `#` are skipped.
 *
 * @throws INPUT_INVALID naming the line
 */
export function parseKeyLines(text: string): KeyLine[] {
  const lines = text.split(/\r\n|\n|\r/).map((line, index) => ({ line: line.trim(), number: index + 1 }));
  const written = lines.filter(({ line }) => line !== '' && !line.startsWith('#'));
  return written.map(({ line, number }) => {
    try {
      return parseKeyLine(line);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      throw new Failure(error.code, `keys, line ${number}: ${error.message}`, {
        hint: error.hint,
        cause: error,
      });
    }
  });
}

/**
 * The text of a key, as it is or in base64, or a piece of it: what must not be repeated in a message. A parameter whose
 * name is as long has its slash in front, or a hyphen or a dot somewhere.
 */
const keyText =
  /-----BEGIN |LS0tLS1CRUdJTi|b3BlbnNzaC1rZXktdj|(^|[\s"'=])[A-Za-z0-9+][A-Za-z0-9+/]{43,}={0,2}["']?(\s|$)/;

/** @throws INPUT_INVALID */
export function parseKeyLine(line: string): KeyLine {
  if (keyText.test(line)) {
    throw new Failure(
      'INPUT_INVALID',
      'this is the text of a key, where its name in Parameter Store belongs',
      {
        hint: 'store the key with aws ssm put-parameter, write its name here, and replace the key: it is in the workflow file or its secrets',
      },
    );
  }
  const [reference = '', ...words] = line.split(/\s+/);
  const options = words.filter((word) => word.includes('='));
  const repositories = words.filter((word) => !word.includes('='));
  return {
    ...parseOptions(options),
    reference: parseReference(reference),
    repositories: repositories.map(parseRepositoryPattern),
  };
}

/** Every reference of the lines, each line's own together. */
export function referencesOf(lines: readonly KeyLine[]): Reference[] {
  return lines.flatMap(({ reference, passphrase, certificate }) =>
    [reference, passphrase, certificate].filter((named) => named !== undefined),
  );
}

/** The references behind `passphrase=` and `certificate=`; `as=key` says what is so anyway. */
function parseOptions(options: readonly string[]): Pick<KeyLine, 'passphrase' | 'certificate'> {
  const values = new Map<string, string>();
  for (const option of options) {
    const [, name = '', value = ''] = /^([a-z-]{1,32})=(.*)$/.exec(option) ?? [];
    if (values.has(name)) throw invalid(`the option "${name}" stands twice`);
    if (name === '') throw invalid('a word with "=" that is no option');
    if (!['passphrase', 'certificate', 'as'].includes(name)) throw invalid(`unknown option "${name}"`);
    values.set(name, value);
  }
  if (![undefined, 'key'].includes(values.get('as'))) throw invalid('as= can be "key" only, in this version');
  const references = (['passphrase', 'certificate'] as const).flatMap((name) => {
    const text = values.get(name);
    return text === undefined ? [] : [[name, parseOption(name, text)] as const];
  });
  return Object.fromEntries(references);
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
    hint: 'write REFERENCE [passphrase=REFERENCE] [certificate=REFERENCE] [REPOSITORY …]',
  });
}
