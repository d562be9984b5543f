/**
 * Tables in the documentation that are generated from the code: `npm run docs` writes them, `npm run check:docs`
 * compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format } from 'prettier';
import { parse } from 'yaml';
import { catalogue } from '../src/errors.ts';
import { inputGroups, problemsOfGroups } from './input-groups.ts';

interface Field {
  readonly description: string;
  readonly default?: string;
  readonly required?: boolean;
}

interface Action {
  readonly inputs: Readonly<Record<string, Field>>;
  readonly outputs: Readonly<Record<string, Field>>;
}

const root = dirname(import.meta.dirname);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const action = parse(read('action.yml')) as Action;
const cell = (text: string): string => text.replaceAll('|', '\\|');
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

const problems = problemsOfGroups(Object.keys(action.inputs), inputGroups);
if (problems.length > 0) throw new Error(problems.join('\n'));

function inputRow(name: string): string[] {
  const { description, default: value, required } = action.inputs[name] ?? { description: '' };
  const given = value === undefined ? (required ? '**required**' : '') : `\`${value}\``;
  return [`\`${name}\``, given, description];
}

const inputs = Object.entries(inputGroups).map(
  ([heading, names]) => `### ${heading}\n\n${table(['input', 'default', 'meaning'], names.map(inputRow))}`,
);
const outputs = Object.entries(action.outputs).map(([name, { description }]) => [`\`${name}\``, description]);
const errors = Object.entries(catalogue).map(([code, meaning]) => [`\`${code}\``, meaning]);

/** Name of the marker → the text between `<!-- NAME -->` and `<!-- /NAME -->`. */
const tables = {
  inputs: inputs.join('\n\n'),
  outputs: table(['output', 'meaning'], outputs),
  errors: table(['code', 'meaning'], errors),
};

/** Markers that were not found yet. */
const missing = new Set(Object.keys(tables));

async function render(path: string): Promise<string> {
  let text = read(path);
  for (const [name, content] of Object.entries(tables)) {
    if (text.includes(`<!-- ${name} -->`)) missing.delete(name);
    const between = new RegExp(`(<!-- ${name} -->)[^]*(<!-- /${name} -->)`);
    text = text.replace(
      between,
      (_, open: string, close: string) => `${open}

${content}

${close}`,
    );
  }
  return await format(text, { parser: 'markdown', printWidth: 110, singleQuote: true });
}

for (const path of ['README.md', 'docs/errors.md']) {
  const text = await render(path);
  if (text === read(path)) continue;
  if (process.argv.includes('--check')) {
    console.error(`${path} differs from the code: run npm run docs`);
    process.exitCode = 1;
  } else {
    writeFileSync(join(root, path), text);
  }
}
if (missing.size > 0) throw new Error(`no document has the marker of: ${[...missing].join(', ')}`);
