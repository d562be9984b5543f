/** A key's versions and a repository's deploy keys in memory, to run the steps of a rotation on. */
import { planOf } from '../../helper/rotate/plan.ts';
import { rotateOptions } from '../../helper/rotate/options.ts';
import type { Rotation } from '../../helper/rotate/rotation.ts';
import { storedStore } from '../../helper/rotate/stored-store.ts';
import { refusalsOf, storedWords } from '../../helper/rotate/texts.ts';
import { parseLine } from '../../helper/command-line/parse.ts';
import type { KeyVersion, KeyVersions, KeyVersionStore } from '../../src/host/key-versions.ts';
import { blobOf, type DeployKey, type DeployKeys } from '../../src/keys/deploy-key.ts';
import { generateKey, parseKeyKind } from '../../src/keys/generate-key.ts';
import type { Reference } from '../../src/keys/reference.ts';
import { parsePrivateKey, type PrivateKey } from '../../src/keys/private-key.ts';
import { writeOpensshKey } from '../../src/keys/openssh-key.ts';

export const anyKey = (): Promise<PrivateKey> => generateKey(parseKeyKind(), '');

export class MemoryStore implements KeyVersionStore {
  readonly staging = '/ci/key.next';
  readonly versions: string[];
  readonly labels: { previous?: number; current?: number } = {};
  next: string | undefined;
  isStale = false;

  constructor(old: PrivateKey) {
    this.versions = [writeOpensshKey(old)];
  }

  get #latest(): number {
    return this.versions.length;
  }

  #version(number: number): KeyVersion {
    return { text: this.versions[number - 1] ?? '', version: String(number) };
  }

  read(): Promise<KeyVersions> {
    const { previous, current } = this.labels;
    return Promise.resolve({
      ...{ arn: 'arn', isStale: this.isStale, latest: this.#version(this.#latest) },
      ...(previous !== undefined && { previous: this.#version(previous) }),
      ...(this.next !== undefined && { next: { text: this.next, version: '1' } }),
      ...(current !== undefined && { current: String(current) }),
    });
  }

  stage(text: string): Promise<void> {
    this.next ??= text;
    return Promise.resolve();
  }
  async stageLatest({ latest }: KeyVersions): Promise<void> {
    await this.stage(latest.text);
  }
  unstage(): Promise<void> {
    this.next = undefined;
    return Promise.resolve();
  }
  serveNext({ next }: KeyVersions): Promise<string> {
    return Promise.resolve(this.put(next?.text ?? ''));
  }
  servePrevious({ previous }: KeyVersions): Promise<string> {
    return Promise.resolve(this.put(previous?.text ?? ''));
  }
  /** Stores a version, as anybody may. */
  put(text: string): string {
    this.versions.push(text);
    return String(this.#latest);
  }
  label(label: 'previous' | 'current', version: string): Promise<void> {
    this.labels[label] = Number(version);
    return Promise.resolve();
  }
  unlabel(label: 'previous' | 'current'): Promise<void> {
    Reflect.deleteProperty(this.labels, label);
    return Promise.resolve();
  }

  /** The key that everybody reads. */
  get served(): PrivateKey {
    return parsePrivateKey(this.versions.at(-1) ?? '', 'the latest version');
  }
}

export class MemoryHost implements DeployKeys {
  readonly place = 'acme/lib on github.com';
  keys: DeployKey[] = [];

  constructor(...keys: readonly PrivateKey[]) {
    for (const { publicKey } of keys) this.#push(publicKey.blob, 'CI');
  }

  #push(blob: Buffer, title: string): void {
    this.keys.push({ id: blob.toString('hex'), title, blob, readOnly: true });
  }
  url(): Promise<string> {
    return Promise.resolve('git@github.com:acme/lib.git');
  }
  list(): Promise<readonly DeployKey[]> {
    return Promise.resolve([...this.keys]);
  }
  add({ publicKey, title }: { publicKey: string; title: string }): Promise<void> {
    this.#push(blobOf(publicKey), title);
    return Promise.resolve();
  }
  remove({ id }: DeployKey): Promise<void> {
    this.keys = this.keys.filter((key) => key.id !== id);
    return Promise.resolve();
  }
  has({ publicKey }: Pick<PrivateKey, 'publicKey'>): boolean {
    return this.keys.some(({ blob }) => blob.equals(publicKey.blob));
  }
}

export interface Moments {
  /** What somebody else does while a key is proven. */
  readonly whileProving?: () => unknown;
  /** What somebody else does while a key is made. */
  readonly whileMaking?: () => unknown;
}

/** One process that rotates. The host accepts the keys that it has. */
export function rotationOf(
  { store, host }: { readonly store: MemoryStore; readonly host?: MemoryHost },
  { whileProving, whileMaking }: Moments = {},
  args: readonly string[] = [],
): { rotation: Rotation<KeyVersions>; said: string[] } {
  const said: string[] = [];
  const command = 'ssm-ssh-agent rotate /ci/key --region eu-west-1';
  const makeKey = async (): Promise<PrivateKey> => {
    const made = await anyKey();
    await whileMaking?.();
    return made;
  };
  const words = storedWords(store.staging);
  const plan = planOf(parseLine(['/ci/key', ...args], rotateOptions));
  const refusals = refusalsOf('/ci/key', command, words);
  const rotation: Rotation<KeyVersions> = {
    ...{ plan, host, words, refusals },
    store: storedStore(store, { reference: plan.reference as Reference, makeKey, refusals }),
    prove: async ({ key }, which) => {
      if (host && !host.has(key)) throw new Error(`the host refuses ${which}`);
      await whileProving?.();
    },
    say: (line) => said.push(line),
    today: '2026-11-29',
  };
  return { rotation, said };
}
