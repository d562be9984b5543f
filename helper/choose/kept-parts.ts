/** The files beside the agent for a loaded key: its public parts, and the mark with the end of its lifetime. */
import { createHash } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../../src/host/kept-files.ts';
import { isLive } from '../../src/host/mark.ts';
import type { LoadedKey } from '../../src/host/open-key.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';

export interface Place {
  /** The folder for the key's public parts. */
  readonly into: string;
  /** The agent's folder. */
  readonly state: string;
}

export interface Held {
  /** From versionOf. */
  readonly version?: string;
  readonly publicKey?: string;
  readonly certificate?: string;
  /** Whether the agent should still have it. */
  readonly live: boolean;
}

/** Reads the files of the key that was loaded before. */
export async function held(into: string): Promise<Held> {
  const read = (name: string): Promise<string | undefined> =>
    readFile(join(into, name), 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    );
  const [version, publicKey, certificate, mark] = await Promise.all(
    ['version', 'key.pub', 'key-cert.pub', 'live'].map(read),
  );
  return {
    ...(version !== undefined && { version }),
    ...(publicKey !== undefined && { publicKey }),
    ...(certificate !== undefined && { certificate }),
    live: mark !== undefined && (await isLive(mark)),
  };
}

/** The texts of the files. */
export interface Parts {
  /** As ssh gets it: the line of a public key, or of a certificate. */
  readonly publicKey: string;
  /** Of a public key. */
  readonly certificate?: string | undefined;
  readonly fingerprint: string;
  readonly version: string;
}

/** Milliseconds. A login that failed may have read the file before another process has replaced it. */
const recent = 15_000;

/** @returns whether the file had other pinned host keys, those of another version of this program, until a moment ago */
export async function keepPinned(state: string): Promise<boolean> {
  // Loaded here: the pinned keys are large, and a key that is there does not need them.
  const { renderKnownHosts } = await import('../../src/ssh/known-hosts.ts');
  const path = join(state, 'pinned_hosts');
  const pinned = renderKnownHosts('');
  if ((await readFile(path, 'utf8').catch(() => '')) === pinned) {
    const age = Date.now() - (await stat(path)).mtimeMs;
    return age >= 0 && age < recent;
  }
  await writeWhole(path, pinned);
  return true;
}

/** Writes the mark last: it says that all other files are complete. */
export async function note({ into, state }: Place, parts: Parts, mark: string): Promise<void> {
  await keepPinned(state);
  await writeWhole(join(into, 'key.pub'), `${parts.publicKey}\n`);
  const certificate = join(into, 'key-cert.pub');
  if (parts.certificate) await writeWhole(certificate, `${parts.certificate}\n`);
  else await rm(certificate, { force: true });
  await writeWhole(join(into, 'fingerprint'), `${parts.fingerprint}\n`);
  await writeWhole(join(into, 'version'), `${parts.version}\n`);
  await writeWhole(join(into, 'live'), `${mark}\n`);
}

export function partsOf(key: LoadedKey): Parts {
  const { fingerprint, certificate } = key;
  return {
    ...{ publicKey: publicLine(key), fingerprint, version: versionOf(key) },
    certificate: certificate?.line,
  };
}

/** A parameter that was deleted and made anew has version 1 again, and a certificate is renewed without its key. */
export function versionOf({ fingerprint, secret, certificate }: LoadedKey): string {
  const ofCertificate = certificate && createHash('sha256').update(certificate.line).digest('hex');
  return [secret.version, fingerprint, ...(ofCertificate === undefined ? [] : [ofCertificate])].join(' ');
}

export function blobOf(publicKey: string): Buffer {
  const [, blob = ''] = publicKey.split(' ');
  return Buffer.from(blob, 'base64');
}

export function publicLine({ publicKey }: LoadedKey): string {
  return authorizedKeysLine(publicKey);
}

/** Whether AWS was asked for a newer key less than a minute ago, and had none. */
export async function wasAskedLately(into: string): Promise<boolean> {
  const last = await stat(join(into, 'asked')).catch(() => undefined);
  // A time to come is from before the clock was set back.
  const age = last === undefined ? Infinity : Date.now() - last.mtimeMs;
  return age >= 0 && age < 60_000;
}

/** After the answer: a process that is killed while it asks must not keep the next one from asking. */
export async function noteAsked(into: string): Promise<void> {
  await writeWhole(join(into, 'asked'), '').catch(() => undefined);
}
