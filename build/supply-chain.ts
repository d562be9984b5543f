/** What package.json, its lock file and the bundles say about the packages of others, and what is wrong with it. Reads no file. */

type Names = Readonly<Record<string, string>>;

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly dependencies?: Names;
  readonly devDependencies: Names;
  readonly overrides?: Names;
  readonly engines: Names;
  /** Whether a package may run its install scripts: npm asks for an answer for each. */
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

export interface LockedPackage {
  /** Only where it differs from the folder: an alias. */
  readonly name?: string;
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly license?: string;
  readonly deprecated?: string;
  readonly hasInstallScript?: boolean;
  readonly engines?: Names;
  readonly dependencies?: Names;
  readonly optionalDependencies?: Names;
  readonly devDependencies?: Names;
}

export interface Lock {
  readonly lockfileVersion: number;
  /** Folder → package. The folder of our own package is empty. */
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** Folder in dist → `NAME@VERSION` of the packages in it. */
export type Bundled = Readonly<Record<string, readonly string[]>>;

/** Licences of code that we may give on under MIT, with their texts in dist/licenses. */
export const allowedLicences = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'Unlicense',
];

/** The oldest Node that our programs promise to work with. */
const oldestNode = 20;

const exact = /^(npm:(@[\w.-]+\/)?[\w.-]+@)?\d+\.\d+\.\d+$/;
/** A range of versions of the registry, also by an alias: no address, no folder, no repository. */
const ofRegistry = /^(npm:[@\w./-]+@)?[\w.*^~<>=| -]*$/;

/** The packages of others. */
export const lockedPackages = ({ packages }: Lock): [folder: string, entry: LockedPackage][] =>
  Object.entries(packages).filter(([folder]) => folder !== '');

export const nameOf = (folder: string, { name }: LockedPackage): string =>
  name ?? folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** In one bundle or in several, each once. */
export const bundledPackages = (bundled: Bundled): string[] =>
  [...new Set(Object.values(bundled).flat())].sort();

/** The entry of `NAME@VERSION`. Copies in several folders have the same hash. */
export const lockedAs = (lock: Lock, named: string): LockedPackage | undefined =>
  lockedPackages(lock).find(([folder, entry]) => `${nameOf(folder, entry)}@${entry.version}` === named)?.[1];

/** package.json: exact versions, and the same as in the lock file. */
export function manifestProblems(manifest: Manifest, lock: Lock): string[] {
  const wanted = { ...manifest.dependencies, ...manifest.devDependencies };
  const ranges = Object.entries({ ...wanted, ...manifest.overrides })
    .filter(([, version]) => !exact.test(version))
    .map(([name, version]) => `package.json: ${name} is ${version}: write one exact version of the registry`);
  const own = lock.packages[''];
  const same = (['version', 'license', 'engines', 'dependencies', 'devDependencies'] as const)
    .filter((field) => sorted(manifest[field]) !== sorted(own?.[field]))
    .map((field) => `package-lock.json: its ${field} is not that of package.json: run npm install`);
  const locked = Object.entries(wanted).filter(([name, version]) => {
    const entry = lock.packages[`node_modules/${name}`];
    return entry === undefined || !version.endsWith(entry.version ?? 'nothing');
  });
  return [
    ...ranges,
    ...same,
    ...locked.map(([name]) => `package-lock.json: has not the version of ${name} that package.json names`),
  ];
}

function sorted(value: string | Names | undefined): string {
  if (value === undefined || typeof value === 'string') return value ?? '';
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The lock file: a hash of each package, from the registry, and from no address that the file chooses. */
export function lockProblems(lock: Lock): string[] {
  const version = lock.lockfileVersion === 3 ? [] : ['package-lock.json: is not of version 3'];
  const packages = lockedPackages(lock).flatMap(([folder, entry]) => [
    ...(/^sha512-[A-Za-z0-9+/]{86}==$/.test(entry.integrity ?? '') ? [] : [`${folder} has no SHA-512`]),
    ...(entry.resolved === undefined ? [] : [`${folder} has an address: npm would fetch it from there`]),
    ...(entry.link === true || !folder.startsWith('node_modules/') ? [`${folder} is a folder here`] : []),
    ...Object.entries({ ...entry.dependencies, ...entry.optionalDependencies })
      .filter(([, range]) => !ofRegistry.test(range))
      .map(([name, range]) => `${folder} asks for ${name} at ${range}, which is not the registry`),
  ]);
  return [...version, ...packages.map((problem) => `package-lock.json: ${problem}`)];
}

/** Install scripts: package.json answers for each package that has one, and for no other. */
export function scriptProblems({ allowScripts }: Manifest, lock: Lock): string[] {
  const having = withInstallScripts(lock);
  return [
    ...having
      .filter((name) => !(name in allowScripts))
      .map((name) => `package.json: say in allowScripts whether ${name} may run its install script`),
    ...Object.keys(allowScripts)
      .filter((name) => !having.includes(name))
      .map((name) => `package.json: ${name} has no install script: remove it from allowScripts`),
  ];
}

export const withInstallScripts = (lock: Lock): string[] => {
  const having = lockedPackages(lock).filter(([, entry]) => entry.hasInstallScript === true);
  return [...new Set(having.map(([folder, entry]) => nameOf(folder, entry)))].sort();
};

/** What is in dist: a version of the lock file, a licence that allows it, a Node that our users have. */
export function bundleProblems(bundled: Bundled, lock: Lock): string[] {
  return bundledPackages(bundled).flatMap((named) => {
    const entry = lockedAs(lock, named);
    if (entry === undefined)
      return [`dist: has ${named}, which package-lock.json does not have: run npm run build`];
    const { license = 'no licence', engines, deprecated } = entry;
    return [
      ...(allowedLicences.includes(license)
        ? []
        : [`dist: ${named} has ${license}, which is not on our list`]),
      ...(acceptsOldest(engines?.['node']) ? [] : [`dist: ${named} needs Node ${engines?.['node']}`]),
      ...(deprecated === undefined ? [] : [`dist: ${named} is deprecated: ${deprecated}`]),
    ];
  });
}

/** Knows `>=N` alone: whatever else a bundled package asks for is for people to read. */
function acceptsOldest(range: string | undefined): boolean {
  if (range === undefined || range === '*') return true;
  const [, major] = /^>= ?v?(\d+)(\.0)*$/.exec(range) ?? [];
  return major !== undefined && Number(major) <= oldestNode;
}

/** What is installed: the versions of the lock file. */
export function installationProblems(
  lock: Lock,
  versionIn: (folder: string) => string | undefined,
): string[] {
  return lockedPackages(lock).flatMap(([folder, { version = '' }]) => {
    const there = versionIn(folder);
    if (there === undefined || there === version) return [];
    return [`${folder}: is ${there}, and package-lock.json says ${version}: run npm ci`];
  });
}
