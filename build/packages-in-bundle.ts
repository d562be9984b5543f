/** Finds the packages that a bundle has code of, by the modules that the bundler put into it. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The part of webpack's statistics that is used here. */
export interface BundledModule {
  /** The file, or nothing for a module that is no file. */
  readonly nameForCondition?: string | null;
  /** Empty if the module was left out, or became a part of another one. */
  readonly chunks?: readonly (string | number)[];
  /** The modules that became one with this one. */
  readonly modules?: readonly BundledModule[];
}

/** `NAME@VERSION` of each package, sorted, without our own. */
export function packagesIn(modules: readonly BundledModule[], ownName: string): string[] {
  const files = modules.filter(({ chunks }) => chunks && chunks.length > 0).flatMap(filesOf);
  const found = new Set(files.map(packageOf));
  return [...found].filter((name) => !name.startsWith(`${ownName}@`)).sort();
}

function filesOf({ nameForCondition, modules = [] }: BundledModule): string[] {
  const own = nameForCondition ? [nameForCondition] : [];
  return [...own, ...modules.flatMap(filesOf)];
}

/** By the next package.json above the file that has a name and a version: some folders have one without. */
function packageOf(file: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const described = join(folder, 'package.json');
    if (!existsSync(described)) continue;
    const { name, version } = JSON.parse(readFileSync(described, 'utf8')) as Partial<Record<string, string>>;
    if (name !== undefined && version !== undefined) return `${name}@${version}`;
  }
  throw new Error(`${file} belongs to no package`);
}
