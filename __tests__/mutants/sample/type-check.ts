/** Which changes the compiler refuses. All are checked in one program, each as a copy of its file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { changed, type Change } from '../changes.ts';

/** The changes without those that the compiler refuses, in the file itself or in a file that imports it. */
export function compiling<T extends Change>(root: string, changes: readonly T[]): T[] {
  const copies = new Map<string, string>();
  const nameOf = new Map<Change, string>();
  for (const [index, change] of changes.entries()) {
    if (!change.file.endsWith('.ts')) continue;
    const path = join(root, change.file);
    const copy = path.replace(/\.ts$/, `.mutant${String(index)}.ts`);
    copies.set(copy, changed(readFileSync(path, 'utf8'), change));
    nameOf.set(change, copy);
  }
  const { options, fileNames } = configOf(root);
  const program = ts.createProgram([...fileNames, ...copies.keys()], options, hostWith(options, copies));
  return changes.filter((change) => {
    const copy = nameOf.get(change);
    if (copy === undefined) return true;
    if (refusedIn(program, copy)) return false;
    const path = join(root, change.file);
    // What the types of the file are decides whether the others still compile.
    if (typesOf(program, copy) === typesOf(program, path)) return true;
    const text = copies.get(copy) ?? '';
    const other = ts.createProgram(fileNames, options, hostWith(options, new Map([[path, text]])), program);
    return !fileNames.some((file) => importsIt(other, file, path) && refusedIn(other, file));
  });
}

function configOf(root: string): { options: ts.CompilerOptions; fileNames: string[] } {
  const path = join(root, 'build/tsconfig.json');
  const { config } = ts.readConfigFile(path, (file) => ts.sys.readFile(file)) as { config: unknown };
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, join(root, 'build'));
  return { options: { ...options, declaration: true }, fileNames };
}

function hostWith(options: ts.CompilerOptions, texts: ReadonlyMap<string, string>): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  return {
    ...host,
    fileExists: (file) => texts.has(file) || host.fileExists(file),
    readFile: (file) => texts.get(file) ?? host.readFile(file),
    getSourceFile: (file, version, ...rest) => {
      const text = texts.get(file);
      return text === undefined
        ? host.getSourceFile(file, version, ...rest)
        : ts.createSourceFile(file, text, version, true);
    },
  };
}

function refusedIn(program: ts.Program, file: string): boolean {
  const source = program.getSourceFile(file);
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].some(
    ({ category }) => category === ts.DiagnosticCategory.Error,
  );
}

/** Directly: what a file passes on has the types that it says. */
function importsIt(program: ts.Program, file: string, path: string): boolean {
  const name = `/${path.split('/').at(-1) ?? ''}'`;
  return file === path || program.getSourceFile(file)?.text.includes(name) === true;
}

function typesOf(program: ts.Program, file: string): string {
  let types = '';
  program.emit(program.getSourceFile(file), (_, text) => void (types += text), undefined, true);
  return types;
}
