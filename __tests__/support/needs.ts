/** For tests with requirements on the machine: a program, root, an unused folder. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { hasRest, it, itInRest } from './parts.ts';
import { notRunFile } from './suite/leftovers.ts';

type Test = (name: string, run: () => void | Promise<void>, timeout?: number) => void;
type Group = (name: string, define: () => void) => void;
type Need = readonly [debianPackage: string, works: () => boolean];

const runs = (program: string, ...args: readonly string[]): boolean => spawnSync(program, args).status === 0;

/** AWS_ENDPOINT_URL leads the AWS CLI to the AWS of a test. Older ones would ask the real AWS. */
export function awsTakesEndpoint(): boolean {
  const { stdout } = spawnSync('aws', ['--version'], { encoding: 'utf8' });
  const [, major = '0', minor = '0'] = /^aws-cli\/(\d+)\.(\d+)/.exec(stdout) ?? [];
  return (
    Number(major) > 2 || (major === '2' && Number(minor) >= 13) || (major === '1' && Number(minor) >= 29)
  );
}

/** Where Debian has the sources of Go's packages, for GOPATH. */
export const goPath = '/usr/share/gocode';
/** Debian's packages are for this Python, and not for another one on PATH. */
export const systemPython = '/usr/bin/python3';

const programs = {
  aws: ['awscli, or pip install awscli: 1.29 or 2.13, or newer', awsTakesEndpoint],
  // The set-up of the run has tried a login: a running sshd may still refuse all logins.
  sshd: ['openssh-server', () => process.env['SUITE_SSH_SERVERS']?.startsWith('openssh') === true],
  bash: ['bash', () => runs('bash', '-c', ':')],
  busybox: ['busybox', () => runs('busybox', 'ash', '-c', ':')],
  cargo: ['cargo', () => runs('cargo', '--version')],
  dash: ['dash', () => runs('dash', '-c', ':')],
  fish: ['fish', () => runs('fish', '--version')],
  go: ['golang-go', () => runs('go', 'version')],
  'golang.org/x/crypto': [
    'golang-golang-x-crypto-dev',
    () => existsSync(join(goPath, 'src/golang.org/x/crypto')),
  ],
  jq: ['jq', () => runs('jq', '--version')],
  mandoc: ['mandoc', () => spawnSync('mandoc', ['-V']).error === undefined],
  npm: ['npm', () => runs('npm', '--version')],
  paramiko: ['python3-paramiko', () => runs(systemPython, '-c', 'import paramiko')],
  pip: ['python3-pip', () => runs('python3', '-c', 'import pip')],
  rsync: ['rsync', () => runs('rsync', '--version')],
  // macOS has another one.
  script: ['bsdutils', () => runs('script', '-qec', 'true', '/dev/null')],
  shellcheck: ['shellcheck', () => runs('shellcheck', '--version')],
  strace: ['strace', () => runs('strace', '-V')],
  // GNU's and busybox's; macOS has none.
  timeout: ['coreutils', () => runs('timeout', '1', 'true')],
  zsh: ['zsh', () => runs('zsh', '-f', '-c', 'zmodload zsh/zpty')],
  'systemd-analyze': ['systemd', () => runs('systemd-analyze', '--version')],
} as const satisfies Readonly<Record<string, Need>>;

export type Program = keyof typeof programs;

/** Whether a program works here. If not, the end of the run prints what to install; with CI=true this throws. */
export function installed(name: Program): boolean {
  const [debianPackage, works] = programs[name];
  if (works()) return true;
  const why = `${name} is missing: apt-get install ${debianPackage}`;
  // Other systems do not have every program, and .ci/run installs none there.
  if (process.env['CI'] === 'true' && process.platform === 'linux') throw new Error(why);
  tellNotRun(why);
  return false;
}

/** `it`, if these programs work. */
export const itWith = (...names: readonly Program[]): Test => (names.every(installed) ? it : neverRun);
/** `itInRest`, if these programs work. */
export const itInRestWith = (...names: readonly Program[]): Test =>
  hasRest && names.every(installed) ? itInRest : neverRun;
/** `describe`, if these programs work. */
export const describeWith = (...names: readonly Program[]): Group =>
  names.every(installed) ? describe : neverRun;

/** `it`, if it is possible; otherwise the end of the run prints what is missing. */
export const itWhere = (possible: boolean, missing: string): Test => (possible ? it : notHere(missing));
export const describeWhere = (possible: boolean, missing: string): Group =>
  possible ? describe : notHere(missing);

function notHere(missing: string): typeof neverRun {
  tellNotRun(missing);
  return neverRun;
}

/** Replaces `describe` and `it`: nothing is collected, so reports show no skipped tests. */
function neverRun(): void {}

function tellNotRun(why: string): void {
  const folder = process.env['SUITE_FOLDER'];
  if (folder !== undefined) appendFileSync(notRunFile(folder), `${why}\n`);
}
