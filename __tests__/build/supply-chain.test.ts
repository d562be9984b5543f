/** What `npm run audit:offline` finds, each in a minimal manifest and lock file. */
import { describe, expect, it } from '@jest/globals';
import {
  bundleProblems,
  installationProblems,
  lockProblems,
  manifestProblems,
  scriptProblems,
  type Lock,
  type LockedPackage,
  type Manifest,
} from '../../build/supply-chain.ts';

const integrity = `sha512-${'A'.repeat(86)}==`;
const manifest: Manifest = {
  name: 'ours',
  version: '1.0.0',
  license: 'MIT',
  engines: { node: '>=20' },
  devDependencies: { ws: '8.23.0', typescript: 'npm:@typescript/typescript6@6.0.2' },
  overrides: {},
  allowScripts: {},
};
const own: LockedPackage = {
  version: '1.0.0',
  license: 'MIT',
  engines: { node: '>=20' },
  devDependencies: manifest.devDependencies,
};
const ws: LockedPackage = { version: '8.23.0', integrity, license: 'MIT', engines: { node: '>=10.0.0' } };
const packages = {
  '': own,
  'node_modules/ws': ws,
  'node_modules/typescript': { name: '@typescript/typescript6', version: '6.0.2', integrity },
};
const lock = (changed: Readonly<Record<string, LockedPackage>> = {}): Lock => ({
  lockfileVersion: 3,
  packages: { ...packages, ...changed },
});
const withWs = (changed: LockedPackage): Lock => lock({ 'node_modules/ws': { ...ws, ...changed } });

describe('package.json', () => {
  it('is accepted with exact versions that the lock file has, also by another name', () => {
    expect(manifestProblems(manifest, lock())).toEqual([]);
  });

  it.each([
    '^8.23.0',
    '8.x',
    '*',
    'latest',
    'github:websockets/ws',
    'https://example.com/ws.tgz',
    'file:../ws',
  ])('is refused if a version is %s', (version) => {
    const problems = manifestProblems({ ...manifest, overrides: { ws: version } }, lock());
    expect(problems).toEqual([`package.json: ws is ${version}: write one exact version of the registry`]);
  });

  it('is refused if the lock file has another version of a package, or lacks it', () => {
    const wanted = ['package-lock.json: has not the version of ws that package.json names'];
    expect(manifestProblems(manifest, withWs({ version: '8.22.0' }))).toEqual(wanted);
    const without = { '': own, 'node_modules/typescript': packages['node_modules/typescript'] };
    expect(manifestProblems(manifest, { lockfileVersion: 3, packages: without })).toEqual(wanted);
  });

  it('is refused if the lock file was made for another one', () => {
    const older = lock({ '': { ...own, devDependencies: { ws: '8.23.0' } } });
    expect(manifestProblems(manifest, older)).toEqual([
      'package-lock.json: its devDependencies is not that of package.json: run npm install',
    ]);
  });
});

describe('the lock file', () => {
  it('is accepted with a SHA-512 of each package', () => {
    expect(lockProblems(lock())).toEqual([]);
  });

  const sha1: LockedPackage = { version: '1.0.0', integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' };
  it.each<readonly [string, LockedPackage, string]>([
    ['has no hash', { version: '1.0.0' }, 'has no SHA-512'],
    ['has a SHA-1', sha1, 'has no SHA-512'],
    [
      'has an address',
      { version: '1.0.0', integrity, resolved: 'https://example.com/a.tgz' },
      'has an address: npm would fetch it from there',
    ],
    ['is a folder', { version: '1.0.0', integrity, link: true }, 'is a folder here'],
    [
      'asks for a repository',
      { version: '1.0.0', integrity, dependencies: { b: 'github:acme/b' } },
      'asks for b at github:acme/b, which is not the registry',
    ],
    [
      'asks for a URL',
      { version: '1.0.0', integrity, optionalDependencies: { b: 'git+https://example.com/b' } },
      'asks for b at git+https://example.com/b, which is not the registry',
    ],
    [
      'asks for a short form of a repository',
      { version: '1.0.0', integrity, dependencies: { b: 'acme/b' } },
      'asks for b at acme/b, which is not the registry',
    ],
  ])('is refused if a package %s', (_, entry, problem) => {
    expect(lockProblems(lock({ 'node_modules/a': entry }))).toEqual([
      `package-lock.json: node_modules/a ${problem}`,
    ]);
  });

  it('may name ranges and aliases of the registry', () => {
    const dependencies = { b: '^1.2.3 || >=2 <3', c: 'npm:@acme/c@^1', d: '~0.0.10', e: '1.x', f: '1 - 2' };
    expect(lockProblems(lock({ 'node_modules/a': { version: '1.0.0', integrity, dependencies } }))).toEqual(
      [],
    );
  });
});

describe('an install script', () => {
  const withScript = withWs({ hasInstallScript: true });

  it('needs an answer in package.json, yes or no', () => {
    expect(scriptProblems(manifest, withScript)).toEqual([
      'package.json: say in allowScripts whether ws may run its install script',
    ]);
    for (const answer of [true, false]) {
      expect(scriptProblems({ ...manifest, allowScripts: { ws: answer } }, withScript)).toEqual([]);
    }
  });

  it('that is gone leaves no permission behind', () => {
    expect(scriptProblems({ ...manifest, allowScripts: { ws: true } }, lock())).toEqual([
      'package.json: ws has no install script: remove it from allowScripts',
    ]);
  });
});

describe('a package in dist', () => {
  const inDist = { programs: ['ws@8.23.0'] };

  it('is accepted in the version of the lock file', () => {
    expect(bundleProblems(inDist, lock())).toEqual([]);
    expect(bundleProblems({ programs: ['ws@8.22.0'] }, lock())).toEqual([
      'dist: has ws@8.22.0, which package-lock.json does not have: run npm run build',
    ]);
  });

  it.each<readonly [LockedPackage, string]>([
    [{ license: 'GPL-3.0-only' }, 'has GPL-3.0-only, which is not on our list'],
    [{ license: '' }, 'has , which is not on our list'],
    [{ engines: { node: '>=22.0.0' } }, 'needs Node >=22.0.0'],
    [{ engines: { node: '^24' } }, 'needs Node ^24'],
    [{ deprecated: 'use another' }, 'is deprecated: use another'],
  ])('is refused with %j', (changed, problem) => {
    expect(bundleProblems(inDist, withWs(changed))).toEqual([`dist: ws@8.23.0 ${problem}`]);
  });
});

describe('what is installed', () => {
  it('has the versions of the lock file; packages for other platforms may be missing', () => {
    const versions: Readonly<Record<string, string>> = { 'node_modules/ws': '8.22.0' };
    expect(installationProblems(lock(), (folder) => versions[folder])).toEqual([
      'node_modules/ws: is 8.22.0, and package-lock.json says 8.23.0: run npm ci',
    ]);
    expect(installationProblems(lock(), () => undefined)).toEqual([]);
  });
});
