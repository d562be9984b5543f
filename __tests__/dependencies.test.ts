/** docs/decisions/0017-dependencies.md gives a reason for each package of others, and says which are in dist. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { bundledPackages, type Bundled, type Manifest } from '../build/supply-chain.ts';

const root = dirname(import.meta.dirname);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const decision = read('docs/decisions/0017-dependencies.md');
const manifest = JSON.parse(read('package.json')) as Manifest & { readonly scripts: object };
const packages = Object.keys(manifest.devDependencies).sort();
const inDist = bundledPackages(JSON.parse(read('dist/packages.json')) as Bundled).map((named) =>
  named.replace(/@[^@]+$/, ''),
);

/** The cells of each row below a heading, without backticks. */
function rowsBelow(heading: string): string[][] {
  const section = decision.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows
    .map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .map((cells) => cells.slice(1, -1));
}
const namesBelow = (heading: string): string[] => rowsBelow(heading).map(([name = '']) => name);

const bundledHere = namesBelow('In dist');
const others = [...namesBelow('To build and to check'), ...namesBelow('Only for tests')];

describe('a dependency', () => {
  it('has one row with its reason, and no row is without a dependency', () => {
    expect(packages.length).toBeGreaterThan(30);
    expect([...bundledHere, ...others].sort()).toEqual(packages);
    const rows = ['In dist', 'To build and to check', 'Only for tests'].flatMap(rowsBelow);
    expect(rows.filter((cells) => cells.length !== 4 || cells.some((cell) => cell === ''))).toEqual([]);
  });

  it('is called a part of dist if the bundler put it there, and else is not', () => {
    expect(inDist.length).toBeGreaterThan(20);
    expect(packages.filter((name) => inDist.includes(name))).toEqual([...bundledHere].sort());
  });

  it('that nobody chose by name is named, too, if it is in dist', () => {
    const section = decision.split(/^## /m).find((text) => text.startsWith('Brought by these')) ?? '';
    const items = section.split('\n').filter((line) => line.startsWith('- '));
    const known = items.flatMap((item) =>
      [...item.replaceAll(/\([^)]*\)/g, '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
    );
    const brought = inDist.filter((name) => !packages.includes(name));
    expect(known.sort()).toEqual(brought);
  });

  const rows = ['In dist', 'To build and to check', 'Only for tests'].flatMap(rowsBelow);
  it.each(rows.map(([name = '', usedIn = '']) => [name, usedIn] as const))(
    'is still used where its row says: %s in %s',
    (name, usedIn) => {
      const used = name.replace('@types/', '').replaceAll('/', String.raw`\/`);
      if (packages.includes(usedIn)) {
        const { peerDependencies = {} } = JSON.parse(read(`node_modules/${usedIn}/package.json`)) as {
          readonly peerDependencies?: object;
        };
        expect(Object.keys(peerDependencies)).toContain(name);
      } else {
        const text = usedIn === 'package.json' ? JSON.stringify(manifest.scripts) : read(usedIn);
        expect(text).toMatch(new RegExp(`['"\`/]${used}['"\`/]`));
      }
    },
  );

  it('that is overridden, or has an install script, has a reason for that', () => {
    const rows = rowsBelow('Settings of package.json');
    const { allowScripts, overrides = {} } = manifest;
    expect(rows.map(([setting, name]) => `${setting} ${name}`)).toEqual([
      ...Object.keys(overrides).map((name) => `overrides ${name}`),
      ...Object.keys(allowScripts).map((name) => `allowScripts ${name}`),
    ]);
    const answers = rows
      .filter(([setting]) => setting === 'allowScripts')
      .map(([, name = '', reason = '']) => [name, reason.startsWith('Yes: ')]);
    expect(Object.fromEntries(answers)).toEqual(allowScripts);
  });
});
