/** The deploy keys of a host's repositories: what its API shows, and what its ssh server accepts a moment later. */
import { fingerprintOf } from '../ssh-keys.ts';
import type { GitHost } from './git-host.ts';

export interface HostedKey {
  readonly id: number;
  readonly repository: string;
  readonly title: string;
  /** `TYPE BASE64`: hosts drop the comment. */
  readonly key: string;
  readonly readOnly: boolean;
}

export interface KeyHostOptions {
  readonly git: Pick<GitHost, 'addDeployKey' | 'removeKey'>;
  /** Milliseconds until the ssh server accepts a new key. Default: 0. */
  readonly delay?: number;
}

export class HostedKeys {
  readonly #git: KeyHostOptions['git'];
  readonly #keys: HostedKey[] = [];
  readonly #waiting = new Map<number, NodeJS.Timeout>();
  #made = 100_000;
  /** Milliseconds. */
  delay: number;

  constructor({ git, delay = 0 }: KeyHostOptions) {
    this.#git = git;
    this.delay = delay;
  }

  of(repository: string): readonly HostedKey[] {
    return this.#keys.filter((one) => one.repository.toLowerCase() === repository.toLowerCase());
  }

  /** Whether the API knows the key, for whatever repository. */
  has(publicKey: string): boolean {
    const wanted = fingerprintOf(publicKey);
    return this.#keys.some(({ key }) => fingerprintOf(key) === wanted);
  }

  /** @returns undefined if the key is in use already, here or elsewhere */
  add(input: Omit<HostedKey, 'id'>): HostedKey | undefined {
    if (this.has(input.key)) return undefined;
    const [type = '', base64 = ''] = input.key.trim().split(/\s+/);
    const hosted = { ...input, key: `${type} ${base64}`, id: (this.#made += 1) };
    this.#keys.push(hosted);
    const accept = (): void => {
      this.#waiting.delete(hosted.id);
      const { repository, key: publicKey, readOnly } = hosted;
      this.#git.addDeployKey({ repository, publicKey, write: !readOnly });
    };
    if (this.delay === 0) accept();
    else this.#waiting.set(hosted.id, setTimeout(accept, this.delay).unref());
    return hosted;
  }

  remove(repository: string, id: number): boolean {
    const found = this.of(repository).find((one) => one.id === id);
    if (!found) return false;
    this.#keys.splice(this.#keys.indexOf(found), 1);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting) clearTimeout(waiting);
    else this.#git.removeKey(found.key);
    return true;
  }
}

/** A page of a list. Both hosts count pages from 1, and have 30 or 20 items on a page unless asked for more. */
export function pageOf<T>(items: readonly T[], query: URLSearchParams, usual: number): readonly T[] {
  const size = Math.min(100, Number(query.get('per_page') ?? usual));
  const page = Number(query.get('page') ?? 1);
  return items.slice((page - 1) * size, page * size);
}
