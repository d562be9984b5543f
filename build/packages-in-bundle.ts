/** Finds the packages that a bundle has code of, by the modules that the bundler put into it, and their licences. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
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

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
}

/** Each once, sorted by name, without our own. */
export function packagesIn(modules: readonly BundledModule[], ownName: string): BundledPackage[] {
  const files = modules.filter(({ chunks }) => chunks && chunks.length > 0).flatMap(filesOf);
  const all = files.map(packageOf).map((one) => [`${one.name}@${one.version}`, one] as const);
  const others = new Map(all.filter(([, { name }]) => name !== ownName));
  return [...others].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

function filesOf({ nameForCondition, modules = [] }: BundledModule): string[] {
  const own = nameForCondition ? [nameForCondition] : [];
  return [...own, ...modules.flatMap(filesOf)];
}

/** By the next package.json above the file that has a name and a version: some folders have one without. */
function packageOf(file: string): BundledPackage {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const { name, version } = describedIn(folder);
    if (name !== undefined && version !== undefined) return { name, version, folder };
  }
  throw new Error(`${file} belongs to no package`);
}

function describedIn(folder: string): Partial<Record<'name' | 'version' | 'license', string>> {
  const file = join(folder, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as object) : {};
}

/** Name, licence and text of each package. ncc's own list leaves out packages that were copied for it. */
export function licencesOf(packages: readonly BundledPackage[]): string {
  const texts = packages.map(({ name, folder }) => {
    const file = readdirSync(folder).find((one) => /^licen[cs]e(\.(md|txt))?$/i.test(one));
    const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n');
    return `${name}\n${describedIn(folder).license ?? ''}\n${text}`.trimEnd();
  });
  return texts.map((text) => `${text}\n`).join('\n');
}
