/** One line of the action's `keys` input: a reference, options and repositories. Pure. */
import { Failure } from '../errors.ts';
import { parseAppRepositories, type AppLine } from './app-line.ts';
import type { OptionTexts } from './certificate-options.ts';
import { isStored, parseKeyReference, type KeyReference, type KmsReference } from './key-reference.ts';
import { parseReference, type Reference } from './reference.ts';
import { isKeyText } from './secret-text.ts';
import { parseStoredPart } from './stored-part.ts';
import { parseRepositoryPattern, type RepositoryPattern } from './routes.ts';
import { signingNames } from './signing-names.ts';
import { parseSigningOptions, type SigningOptions } from './signing-options.ts';

/** The agent of OpenSSH serves the first kind, ours the second. `signing` tells them apart. */
export type KeyLine = StoredKeyLine | SigningKeyLine;

interface Line {
  /** Reference of the key's passphrase. */
  readonly passphrase?: Reference;
  /** Reference of the key's certificate. */
  readonly certificate?: Reference;
  /** Empty: a default key. */
  readonly repositories: readonly RepositoryPattern[];
}

/** A key that is read and added to an agent. */
export interface StoredKeyLine extends Line {
  readonly reference: Reference;
  readonly signing?: undefined;
}

/** A key in KMS, or any key with `ca=`. */
export interface SigningKeyLine extends Line {
  readonly reference: KeyReference;
  readonly signing: SigningOptions;
}

export function isStoredLine(line: KeyLine): line is StoredKeyLine {
  return line.signing === undefined;
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
  const parsed = eachLine(text);
  return {
    keys: parsed.flatMap((line) => ('app' in line ? [] : [line])),
    apps: parsed.flatMap((line) => ('app' in line ? [line.app] : [])),
  };
}

function eachLine(text: string): ReturnType<typeof parseLine>[] {
  const lines = text.split(/\r\n|\n|\r/).map((line, index) => ({ line: line.trim(), number: index + 1 }));
  const written = lines.filter(({ line }) => line !== '' && !line.startsWith('#'));
  return written.map(({ line, number }) => {
    try {
      return parseLine(line);
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
const severalThings = /\s(#|\/|(arn|ssm|secretsmanager):|kms:(alias\/|mrk-|[\da-f]{8}-)|new:[a-z])/;

/** The text of a key, plain or in base64. Messages must not repeat it. */
const keyText = /-----BEGIN |LS0tLS1CRUdJTi|b3BlbnNzaC1rZXktdj/;

/**
 * Text as long as the shortest key. A parameter's name of that length has a slash at its start, or contains a hyphen or a
 * dot, or is not as mixed as base64. So is the path of a host without a dot.
 */
const longText = /(?<=^|[\s"'=])[A-Za-z0-9+][A-Za-z0-9+/]{43,}={0,2}(?=["']?(?:\s|$))/g;

function hasKeyText(line: string): boolean {
  return keyText.test(line) || [...line.matchAll(longText)].some(([text]) => isKeyText(text));
}

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
  if (hasKeyText(line)) {
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
  const texts = optionTexts(words.filter((word) => word.includes('=')));
  const repositories = words.filter((word) => !word.includes('='));
  for (const word of repositories) checkNoReference(word);
  return isApp(texts) ? parseAppLine(name, repositories, texts) : keyLine(name, repositories, texts);
}

function keyLine(name: string, repositories: readonly string[], texts: OptionTexts): KeyLine {
  const reference = parseKeyReference(name);
  const more = { ...parseStoredOptions(texts), repositories: repositories.map(parseRepositoryPattern) };
  const signing = parseSigningOptions(reference, texts);
  if (signing) return { ...more, reference, signing };
  if (!isStored(reference)) throw new TypeError('a key outside of the stores has no signing options');
  return { ...more, reference };
}

function parseAppLine(
  name: string,
  repositories: readonly string[],
  texts: OptionTexts,
): { readonly app: AppLine } {
  const reference = parseReference(name);
  const option = [...texts.keys()].find((key) => key !== 'as');
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

/** What has to be read from the stores, in the order of the lines. */
export function referencesOf(lines: readonly KeyLine[]): Reference[] {
  return lines.flatMap(({ reference, passphrase, certificate, signing }) =>
    [reference, passphrase, certificate, signing?.certificate?.authority].filter(
      (named) => named !== undefined && isStored(named),
    ),
  );
}

/** What has to sign in KMS: keys and authorities, in the order of the lines. */
export function kmsReferencesOf(lines: readonly KeyLine[]): KmsReference[] {
  return lines.flatMap(({ reference, signing }) =>
    [reference, signing?.certificate?.authority].filter((named) => named?.kind === 'kms'),
  );
}

const names = ['passphrase', 'certificate', ...signingNames, 'as'];

function optionTexts(options: readonly string[]): OptionTexts {
  const values = new Map<string, string>();
  for (const option of options) {
    const [, name = '', value = ''] = /^([a-z-]{1,32})=(.*)$/.exec(option) ?? [];
    if (values.has(name)) throw invalid(`the option "${name}" is set twice`);
    if (name === '') throw invalid('a word with "=" is not an option');
    if (!names.includes(name)) throw invalid(`unknown option "${name}"`);
    values.set(name, value.replaceAll('%20', ' '));
  }
  return values;
}

function isApp(texts: OptionTexts): boolean {
  const as = texts.get('as') ?? 'key';
  if (as !== 'key' && as !== 'github-app') throw invalid('as= can only be "key" or "github-app"');
  return as === 'github-app';
}

function parseStoredOptions(texts: OptionTexts): Pick<Line, 'passphrase' | 'certificate'> {
  const references = (['passphrase', 'certificate'] as const).flatMap((name) => {
    const text = texts.get(name);
    const written = {
      problem: `${name}= is not followed by the name of a parameter or secret`,
      before: `${name}=`,
    };
    return text === undefined ? [] : [[name, parseStoredPart(name, text, written)] as const];
  });
  return Object.fromEntries(references);
}

function invalid(problem: string): Failure {
  return new Failure('INPUT_INVALID', problem, {
    hint: 'write REFERENCE [passphrase=REFERENCE] [certificate=REFERENCE] [ca=REFERENCE principals=NAME,… …] [unbound=allow] [forwarding=allow] [uses=N] [as=github-app] [REPOSITORY …]',
  });
}
