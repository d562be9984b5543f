/** Checks keys with the real `ssh-keygen`. Private keys are in a temporary file (0600) for one call. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const keygen = (args: readonly string[], input?: string): string =>
  execFileSync('ssh-keygen', args, {
    encoding: 'utf8',
    stdio: 'pipe',
    ...(input !== undefined && { input }),
  });

/** `SHA256:…` of a public key line. */
export function fingerprintOfLine(publicKey: string): string {
  return keygen(['-lf', '-'], `${publicKey}\n`).split(' ')[1] ?? '';
}

/** `TYPE BASE64` of the public key, which ssh-keygen computes from the private key. */
export function publicHalf(privateKey: string): string {
  return withKeyFile(privateKey, (file) => typeAndBlob(keygen(['-y', '-P', '', '-f', file])));
}

/** The key as PKCS#1 or SEC 1, written by OpenSSL from the integers in ssh-keygen's output. */
export function toPem(privateKey: string): string {
  return withKeyFile(privateKey, (file) => {
    keygen(['-p', '-q', '-m', 'PEM', '-P', '', '-N', '', '-f', file]);
    return readFileSync(file, 'utf8');
  });
}

/** Signs with the key and checks the signature; returns ssh-keygen's output. */
export function signAndCheck(privateKey: string): string {
  return withKeyFile(privateKey, (file) => {
    const signature = keygen(['-Y', 'sign', '-q', '-n', 'test', '-f', file], 'text');
    writeFileSync(`${file}.sig`, signature);
    return keygen(['-Y', 'check-novalidate', '-n', 'test', '-s', `${file}.sig`], 'text');
  });
}

/**
 * An SSH certificate line for a public key, signed by the authority's private key, with additional options of
 * ssh-keygen.
 */
export function certify(publicKey: string, authority: string, options: readonly string[] = []): string {
  return withKeyFile(authority, (file) => {
    writeFileSync(`${file}-user.pub`, `${publicKey}\n`);
    keygen(['-q', '-s', file, '-I', 'test', ...options, `${file}-user.pub`]);
    return readFileSync(`${file}-user-cert.pub`, 'utf8');
  });
}

/** What `ssh-keygen -L` prints, without the name of the file. It verifies the signature first, and fails if it is wrong. */
export function listCertificate(line: string): string {
  return keygen(['-L', '-f', '-'], `${line}\n`).replace(/^.*:\n/, '');
}

/** A public key line in the format that `ssh-keygen -e` calls RFC4716, PKCS8 or PEM. */
export function exported(publicKey: string, format: 'RFC4716' | 'PKCS8' | 'PEM'): string {
  return withKeyFile(`${publicKey}\n`, (file) => keygen(['-e', '-m', format, '-f', file]));
}

/** The lines of a known_hosts file for a host, unchanged. */
export function linesFor(host: string, knownHosts: string): string[] {
  return found(['-F', host], knownHosts);
}

/** `HOST TYPE FINGERPRINT` of a host's keys, without the lines that ssh skips. */
export function readableFor(host: string, knownHosts: string): string[] {
  return found(['-l', '-F', host], knownHosts);
}

function found(args: readonly string[], knownHosts: string): string[] {
  return withKeyFile(knownHosts, (file) => {
    try {
      return keygen([...args, '-f', file])
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'));
    } catch {
      return []; // Exit code 1: not found.
    }
  });
}

export function typeAndBlob(publicKey: string): string {
  return publicKey.trim().split(' ').slice(0, 2).join(' ');
}

function withKeyFile<T>(text: string, use: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'keygen-'));
  try {
    const file = join(folder, 'key');
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
    return use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
