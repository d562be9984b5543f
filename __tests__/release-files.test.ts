/** What the lines of the release workflow make of this project: the package, the list of its parts, the checksums. */
import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, matchesGlob } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lockedAs, type Bundled, type Lock } from '../build/supply-chain.ts';
import { linesOf, uses, workflow } from './support/workflows.ts';

const root = dirname(import.meta.dirname);
const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));
const { version } = json(join(root, 'package.json')) as { readonly version: string };
const lock = json(join(root, 'package-lock.json')) as Lock;
const bundled = json(join(root, 'dist/packages.json')) as Bundled;
const named = `ssm-ssh-agent-${version}`;
let folder: string;

const bash = (script: string, more: Record<string, string> = {}): SpawnSyncReturns<string> =>
  spawnSync('bash', ['-eo', 'pipefail', '-c', script], {
    cwd: folder,
    env: { ...process.env, GITHUB_REF_NAME: `v${version}`, ...more },
    encoding: 'utf8',
  });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'release-files-'));
  const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const paths = execFileSync('git', listed, { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
  for (const path of new Set(paths)) cpSync(join(root, path), join(folder, path));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const { status, stderr } = bash(linesOf('release.yml', 'Make the files of the release', 'build'));
  if (status !== 0) throw new Error(stderr);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Component {
  readonly type: string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly 'bom-ref': string;
  readonly licenses: readonly { readonly license: { readonly id: string } }[];
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
  readonly properties: readonly { readonly name: string; readonly value: string }[];
}
interface Bom {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}
const readBom = (): Bom => json(join(folder, 'release', `${named}.cdx.json`)) as Bom;
const fullName = ({ group, name, version }: Component): string =>
  `${group === undefined ? '' : `${group}/`}${name}@${version}`;

describe('the lines of the release', () => {
  it('make the package, a list of its parts, and checksums that the publishing job accepts', () => {
    expect(readdirSync(join(folder, 'release'))).toEqual(['SHA256SUMS', `${named}.cdx.json`, `${named}.tgz`]);
    const check = linesOf('release.yml', 'Check the files', 'publish');
    expect(bash(check).status).toBe(0);
    const changed = `cp -R release changed && printf x >>changed/${named}.tgz && ${check.replace('cd release', 'cd changed')}`;
    expect(bash(changed).status).toBe(1);
    expect(bash(`rm -r changed && mv release/${named}.cdx.json list.json && ${check}`).status).toBe(1);
    expect(bash(`mv list.json release/${named}.cdx.json && ${check}`).status).toBe(0);
  });

  it('put the attestation beside the files', () => {
    writeFileSync(join(folder, 'bundle.json'), '{"mediaType":"x"}\n');
    const lines = linesOf('release.yml', 'Put the attestation beside the files', 'publish');
    expect(bash(lines, { BUNDLE: join(folder, 'bundle.json') }).status).toBe(0);
    const there = join(folder, 'release', `${named}.intoto.jsonl`);
    expect(readFileSync(there, 'utf8')).toBe('{"mediaType":"x"}\n');
    rmSync(there);
  });
});

describe('the list of the parts', () => {
  it('has the fields that CycloneDX 1.6 requires, and is the same for the same sources', () => {
    const bom = readBom();
    expect(bom).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      serialNumber: expect.stringMatching(
        /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ) as unknown,
      version: 1,
      metadata: { component: { type: 'application', name: 'ssm-ssh-agent', version } },
    });
    expect(JSON.parse(bash('npm run --silent sbom').stdout)).toEqual(bom);
  });

  it('has each package that is in dist, and no other, with the bundles that it is in', () => {
    const bom = readBom();
    const found = Object.fromEntries(
      Object.keys(bundled).map((name) => [
        name,
        bom.components
          .filter(({ properties }) => properties.some(({ value }) => value === `dist/${name}`))
          .map(fullName)
          .sort(),
      ]),
    );
    expect(found).toEqual(bundled);
    expect(bom.components.length).toBe(new Set(Object.values(bundled).flat()).size);
  });

  it('gives each package a version, a package URL, a licence, and the SHA-512 of the lock file', () => {
    for (const component of readBom().components) {
      const name = fullName(component);
      const purl = `pkg:npm/${name.replace('@', (at, index) => (index === 0 ? '%40' : at))}`;
      const { license = '', integrity = '' } = lockedAs(lock, name) ?? {};
      const content = Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex');
      expect(content).toMatch(/^[0-9a-f]{128}$/);
      expect(component).toMatchObject({
        ...{ type: 'library', purl, 'bom-ref': purl, licenses: [{ license: { id: license } }] },
        hashes: [{ alg: 'SHA-512', content }],
      });
    }
  });

  it('says which package needs which, by references that are there', () => {
    const { dependencies, components, metadata } = readBom();
    const refs = [metadata.component, ...components].map((one) => one['bom-ref']);
    expect(dependencies.map(({ ref }) => ref)).toEqual(refs);
    expect(dependencies.flatMap(({ dependsOn }) => dependsOn).filter((ref) => !refs.includes(ref))).toEqual(
      [],
    );
    const bcrypt = dependencies.find(({ ref }) => ref.startsWith('pkg:npm/bcrypt-pbkdf@'));
    expect(bcrypt?.dependsOn).toEqual([expect.stringMatching(/^pkg:npm\/tweetnacl@/)]);
  });

  it('has a licence for each package in dist/licenses, with its text or that of the package beside it', () => {
    for (const name of Object.keys(bundled).filter((one) => bundled[one]?.length)) {
      const text = `\n${readFileSync(join(root, 'dist/licenses', `${name}.txt`), 'utf8')}`;
      const missing = readBom()
        .components.filter(({ properties }) => properties.some(({ value }) => value === `dist/${name}`))
        .filter((one) => {
          const withoutVersion = fullName(one).replace(/@[^@]+$/, '');
          return !text.includes(`\n${withoutVersion}\n${one.licenses[0]?.license.id ?? '?'}\n`);
        });
      expect(missing.map(fullName)).toEqual([]);
    }
  });
});

describe('the attestation', () => {
  const { permissions, steps = [] } = workflow('release.yml').jobs['publish'] ?? {};
  const [attest] = uses('attest-build-provenance', steps);
  const indexOf = (name: string): number => steps.findIndex((step) => step.name === name);

  it('names the package and the list as its subjects', () => {
    const pattern = String(attest?.with?.['subject-path']);
    const files = readdirSync(join(folder, 'release')).filter((name) =>
      matchesGlob(`release/${name}`, pattern),
    );
    expect(files).toEqual([`${named}.cdx.json`, `${named}.tgz`]);
  });

  it('is made with the rights that it needs, of checked files, before anybody can see the release', () => {
    expect(permissions).toMatchObject({ 'id-token': 'write', attestations: 'write' });
    const order = [
      indexOf('Check the files'),
      steps.findIndex((step) => step === attest),
      indexOf('Put the attestation beside the files'),
      indexOf('Publish the release'),
    ];
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order.includes(-1)).toBe(false);
    const beside = steps[indexOf('Put the attestation beside the files')];
    expect(beside?.env?.['BUNDLE']).toBe(`\${{ steps.${attest?.id}.outputs.bundle-path }}`);
  });

  it('is checked by a command of the guide, that names the workflow and the file of the release', () => {
    const guide = readFileSync(join(root, 'docs/install.md'), 'utf8');
    expect(guide).toContain(`gh attestation verify ${named}.tgz --repo`);
    expect(guide).toContain('/ssm-ssh-agent/.github/workflows/release.yml');
  });
});
