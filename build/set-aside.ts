/** Copies packages to lib, and makes the copies smaller before ncc reads them. build/es-modules leads ncc to the copies. */
import { cpSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export function setPackagesAside(root: string): void {
  setEc2Aside(root);
  setSsmAside(root);
  setCoreAside(root);
  setIoAside(root);
}

/**
 * Copies the used part of EC2's client for ncc. Otherwise ncc's search for assets takes minutes: it follows thousands
 * of constants.
 */
function setEc2Aside(root: string): void {
  const from = join(root, 'node_modules/@aws-sdk/client-ec2');
  const to = join(root, 'lib/client-ec2');
  for (const name of ['package.json', 'LICENSE']) cpSync(join(from, name), join(to, name));
  const isUsed = (path: string): boolean =>
    !/\/(commands|pagination)\/(?!Describe(Instances|InstanceConnectEndpoints)(Command|Paginator)\.js$)./.test(
      path,
    );
  cpSync(join(from, 'dist-es'), join(to, 'dist-es'), { recursive: true, filter: isUsed });
  const schemas = join(to, 'dist-es/schemas/schemas_0');
  mkdirSync(schemas);
  renameSync(`${schemas}.js`, `${schemas}.jsx`);
  writeFileSync(join(schemas, 'package.json'), JSON.stringify({ main: '../schemas_0.jsx' }));
  const used = [
    'EC2Client',
    'pagination/DescribeInstancesPaginator',
    'pagination/DescribeInstanceConnectEndpointsPaginator',
  ];
  writeFileSync(join(to, 'used.js'), used.map((path) => `export * from './dist-es/${path}.js';\n`).join(''));
}

/** Errors of the calls that are made. The SDK gives any other its base class, with the same name and message. */
const usedErrors =
  /^(AccessDenied|InternalServer|InvalidKeyId|Parameter|TargetNotConnected|Throttling|TooManyUpdates)/;

/**
 * Copies Systems Manager's client without the classes of errors that no call of ours can meet. A registry refers to each
 * of its 140 classes, so that a bundler keeps them all: half of the client.
 */
function setSsmAside(root: string): void {
  const from = join(root, 'node_modules/@aws-sdk/client-ssm');
  const to = join(root, 'lib/client-ssm');
  for (const name of ['package.json', 'LICENSE', 'dist-es'])
    cpSync(join(from, name), join(to, name), { recursive: true });
  const file = join(to, 'dist-es/schemas/schemas_0.js');
  const isUsed = (line: string): boolean => {
    const [, name] = /^n0_registry\.registerError\((\w+)\$, /.exec(line) ?? [];
    return name === undefined || usedErrors.test(name);
  };
  const lines = readFileSync(file, 'utf8').split('\n');
  const kept = lines.filter(isUsed);
  if (kept.length === lines.length) throw new Error(`${file} registers its errors in another way`);
  writeFileSync(file, kept.join('\n'));
}

/**
 * Copies @actions/core and marks it as free of side effects, which is true. Then unused parts are left out, above all
 * its HTTP client: 450 kB, and a third of the loading time.
 */
function setCoreAside(root: string): void {
  const from = join(root, 'node_modules/@actions/core');
  const to = join(root, 'lib/actions-core');
  cpSync(from, to, { recursive: true });
  const file = join(to, 'package.json');
  const described = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...described, sideEffects: false }));
}

/** Copies @actions/io without its use of node:assert, in a function that is not called: loading that takes 5 ms. */
function setIoAside(root: string): void {
  const to = join(root, 'lib/actions-io');
  cpSync(join(root, 'node_modules/@actions/io'), to, { recursive: true });
  const file = join(to, 'lib/io.js');
  const text = readFileSync(file, 'utf8');
  const less = text.replace("import { ok } from 'assert';\n", 'const ok = Boolean;\n');
  if (less === text) throw new Error(`${file} imports assert in another way, or no more`);
  writeFileSync(file, less);
}
