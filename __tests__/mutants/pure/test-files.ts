/** Which test files reach which source files, by their imports. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { selectTests, startsNothing } from '../../support/suite/selection.ts';

export interface TestFile {
  readonly path: string;
  readonly startsNothing: boolean;
  /** The source files that it reaches, and over how many imports. */
  readonly distances: Readonly<Record<string, number>>;
}

const imports = new Map<string, readonly string[]>();
function importsOf(file: string): readonly string[] {
  const known = imports.get(file);
  if (known !== undefined) return known;
  const text = readFileSync(file, 'utf8');
  const found = [...text.matchAll(/(?:from|import\()\s*'(\.[^']+\.ts)'/g)]
    .map(([, path = '']) => join(dirname(file), path))
    .filter((path) => existsSync(path));
  imports.set(file, found);
  return found;
}

function distancesFrom(root: string, file: string): Record<string, number> {
  const distances: Record<string, number> = {};
  let now = [file];
  for (let distance = 0; now.length > 0; distance += 1) {
    for (const each of now) distances[relative(root, each)] = distance;
    const next = new Set(now.flatMap((each) => importsOf(each)));
    now = [...next].filter((each) => !(relative(root, each) in distances));
  }
  return distances;
}

/** The folder of its tests: `src/kms/front/x.ts` has them in `__tests__/kms/front/`. */
export const folderOfTests = (source: string): string => dirname(source.replace(/^src\//, '__tests__/'));

/** Unit tests that reach one of the sources, and the tests with programs in the folders of these sources. */
export function testFilesFor(root: string, sources: readonly string[]): TestFile[] {
  return selectTests(root, 'usual')
    .map((path) => ({
      path,
      startsNothing: startsNothing(join(root, path)),
      distances: distancesFrom(root, join(root, path)),
    }))
    .filter(({ distances, startsNothing: isUnit, path }) =>
      sources.some((source) => source in distances && (isUnit || dirname(path) === folderOfTests(source))),
    );
}
