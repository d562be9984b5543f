/**
 * `npm run check:house`: fails if the sources break a rule of docs/architecture.md, or of our plain English, that
 * ESLint cannot check.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, matchesGlob } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { wordingProblems } from './plain-english.ts';

/** Limit of shell code lines in all programs together. Lower it when there are fewer; put logic into Node. */
export const mostShellLines = 1184;

/** Path → text. Paths are relative to the project, with slashes. */
export type Files = ReadonlyMap<string, string>;

interface Import {
  readonly from: string;
  readonly to: string;
  /** Whether it is removed at compile time. */
  readonly isType: boolean;
}

/** @returns the problems; each names the file and the fix */
export function problemsOf(files: Files, pureFiles: readonly string[], shellLimit: number): string[] {
  const sources = new Map([...files].filter(([path]) => path.endsWith('.ts') && !path.endsWith('.d.ts')));
  const imports = [...sources].flatMap(([path, text]) => importsOf(path, text));
  return [
    ...circles(imports),
    ...purityProblems(sources, imports, pureFiles),
    ...misplacedCommands(sources, imports),
    ...tooMuchShell(files, shellLimit),
  ];
}

function importsOf(from: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, isType: boolean): void => {
    if (!specifier || !ts.isStringLiteral(specifier) || !specifier.text.startsWith('.')) return;
    found.push({ from, to: join(dirname(from), specifier.text), isType });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node.importClause));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(from, text, ts.ScriptTarget.Latest));
  return found;
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false;
  const { name, namedBindings } = clause;
  const named = namedBindings && ts.isNamedImports(namedBindings) ? namedBindings.elements : undefined;
  const everyName = !name && named !== undefined && named.every((one) => one.isTypeOnly);
  return clause.phaseModifier === ts.SyntaxKind.TypeKeyword || everyName;
}

/** Each circle once, as the shortest path from its first file. */
function circles(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const told = new Set<string>();
  return [...next.keys()].sort().flatMap((start) => {
    const way = shortestCircle(start, next);
    if (!way || way.some((path) => told.has(path))) return [];
    for (const path of way) told.add(path);
    return [`${[...way, start].join(' → ')}: an import circle: move the shared part to a separate file`];
  });
}

function shortestCircle(start: string, next: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const ways = [[start]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const path of next.get(way.at(-1) ?? '') ?? []) {
      if (path === start) return way;
      if (!seen.has(path)) ways.push([...way, path]);
      seen.add(path);
    }
  }
  return undefined;
}

function purityProblems(sources: Files, imports: readonly Import[], pureFiles: readonly string[]): string[] {
  const isListed = (path: string): boolean => pureFiles.some((pattern) => matchesGlob(path, pattern));
  const headers = [...sources].flatMap(([path, text]) => {
    const says = /^\/\*\*(?:(?!\*\/).)*\bPure[.:;]/s.test(text);
    if (says === isListed(path)) return [];
    return says
      ? `${path}: says "Pure." in its header: add it to pureFiles in eslint.config.js`
      : `${path}: is in pureFiles of eslint.config.js: say "Pure." in its header, or remove the file there`;
  });
  const empty = pureFiles
    .filter((pattern) => ![...sources.keys()].some((path) => matchesGlob(path, pattern)))
    .map((pattern) => `eslint.config.js: no file matches ${pattern}: remove it from pureFiles`);
  const used = imports
    .filter(({ from, to, isType }) => !isType && isListed(from) && !isListed(to) && !to.endsWith('.d.ts'))
    .map(({ from, to }) => `${from}: is pure but imports ${to}, which is not: move the part that it needs`);
  return [...headers, ...empty, ...used];
}

/** Only entries and the table of subcommands may import a command. */
function misplacedCommands(sources: Files, imports: readonly Import[]): string[] {
  const starts = (path: string): boolean =>
    /^helper\/[^/]+\.ts$/.test(path) || path === 'helper/command-line/program.ts';
  return [...sources.keys()]
    .filter((path) => path.startsWith('helper/commands/'))
    .filter((path) => {
      const users = imports.filter(({ to }) => to === path).map(({ from }) => from);
      return users.length === 0 || !users.every(starts);
    })
    .map((path) => `${path}: not a subcommand: move it to the folder of the files that use it`);
}

function tooMuchShell(files: Files, limit: number): string[] {
  const scripts = [...files].filter(([path, text]) => path.endsWith('.sh') || text.startsWith('#!'));
  const lines = scripts.flatMap(([, text]) => text.split('\n').filter((line) => !/^\s*(#|$)/.test(line)));
  if (lines.length <= limit) return [];
  return [`helper: ${lines.length} lines of shell code, more than ${limit}: move logic to Node`];
}

function readFiles(root: string): Files {
  const folders = ['src', 'helper'].flatMap((name) =>
    readdirSync(join(root, name), { recursive: true, withFileTypes: true }),
  );
  const paths = folders
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return new Map(paths.sort().map((path) => [path.slice(root.length + 1), readFileSync(path, 'utf8')]));
}

/** The files that people write. dist is built from them, and the list of phrases has to contain the phrases. */
function readWording(root: string): Files {
  const kinds = ['*.ts', '*.sh', '*.md', '*.yml', 'helper'];
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--', ...kinds, ':!dist', ':!build/plain-english.ts'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  const paths = listed.split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

if (import.meta.main) {
  const root = dirname(import.meta.dirname);
  const lint = (await import(pathToFileURL(join(root, 'eslint.config.js')).href)) as {
    readonly pureFiles: readonly string[];
  };
  const problems = [
    ...problemsOf(readFiles(root), lint.pureFiles, mostShellLines),
    ...wordingProblems(readWording(root)),
  ];
  if (problems.length > 0) {
    console.error(problems.join('\n'));
    process.exitCode = 1;
  }
}
