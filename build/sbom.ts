/**
 * The list of the parts that are built into dist, in CycloneDX form (https://cyclonedx.org/docs/1.6/json/). Reads no file.
 *
 * `npm sbom` lists what is installed. All our dependencies are built into dist or are tools, so it would list the tools, too.
 */
import { createHash } from 'node:crypto';
import { bundledPackages, lockedAs, type Bundled, type Lock, type Manifest } from './supply-chain.ts';

type OurManifest = Manifest & { readonly repository: { readonly url: string } };

interface OwnComponent {
  readonly type: 'application';
  /** What other parts of the list call it by. */
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses: readonly object[];
}

/** The same for the same sources: without a time, and with a serial number that is made from the content. */
export function sbomOf(manifest: OurManifest, lock: Lock, bundled: Bundled): object {
  const names = bundledPackages(bundled);
  const components = names.map((named) => component(named, lock, bundled));
  const own = ownComponent(manifest);
  const dependencies = [
    { ref: own['bom-ref'], dependsOn: names.map(purlOf) },
    ...names.map((named) => ({ ref: purlOf(named), dependsOn: needsOf(named, lock, names).map(purlOf) })),
  ];
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: serialNumber(JSON.stringify([own, components, dependencies])),
    version: 1,
    metadata: { component: own },
    components,
    dependencies,
  };
}

/** By its repository: the name on npm's registry may be somebody else's. */
function ownComponent({ name, version, license, repository }: OurManifest): OwnComponent {
  const [, path = ''] = /github\.com\/(.+?)(?:\.git)?$/.exec(repository.url) ?? [];
  const purl = `pkg:github/${path}@v${version}`;
  return {
    type: 'application',
    'bom-ref': purl,
    name,
    version,
    purl,
    licenses: [{ license: { id: license } }],
  };
}

function component(named: string, lock: Lock, bundled: Bundled): object {
  const { license, integrity = '' } = lockedAs(lock, named) ?? {};
  const [, group, name, version] = parts(named);
  return {
    type: 'library',
    'bom-ref': purlOf(named),
    ...(group === undefined ? {} : { group }),
    ...{ name, version, scope: 'required', purl: purlOf(named) },
    licenses: [{ license: { id: license } }],
    // Of the package as the registry has it: what npm ci compares before it unpacks one.
    hashes: [
      { alg: 'SHA-512', content: Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex') },
    ],
    properties: Object.entries(bundled)
      .filter(([, names]) => names.includes(named))
      .map(([folder]) => ({ name: 'ssm-ssh-agent:bundle', value: `dist/${folder}` })),
  };
}

/** Of the packages that it names in package-lock.json, those that are in dist, too. */
function needsOf(named: string, lock: Lock, names: readonly string[]): string[] {
  const needs = Object.keys(lockedAs(lock, named)?.dependencies ?? {});
  return names.filter((other) => needs.some((need) => other.startsWith(`${need}@`)));
}

/** `@GROUP/NAME@VERSION` */
const parts = (named: string): RegExpExecArray | [] => /^(?:(@[^/]+)\/)?([^@]+)@(.+)$/.exec(named) ?? [];

/** A package URL (https://github.com/package-url/purl-spec): `pkg:npm/%40GROUP/NAME@VERSION` */
const purlOf = (named: string): string => `pkg:npm/${named.replace(/^@/, '%40')}`;

/** A UUID of version 8 (RFC 9562 §5.8): its bits are those of a hash. */
function serialNumber(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = '89ab'.charAt(parseInt(hex.charAt(16), 16) % 4);
  const groups = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
  ];
  return `urn:uuid:${[...groups, hex.slice(20, 32)].join('-')}`;
}
