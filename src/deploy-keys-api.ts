/** The deploy keys of a repository by the API of its host: the part that is the same for every host. */
import { Failure, type Code } from './errors.ts';
import { readJson, saidBy } from './http-api.ts';
import type { HttpAnswer, HttpRequest } from './http-request.ts';
import { blobOf, type DeployKey, type DeployKeys, type NewDeployKey } from './keys/deploy-key.ts';

/** What all hosts need. */
export interface Access {
  /** Without a slash at its end. */
  readonly apiUrl: string;
  /** Secret. */
  readonly token: string;
  /** The reference of the token, for messages. */
  readonly tokenName: string;
}

export interface Call {
  readonly method: NonNullable<HttpRequest['method']>;
  readonly path: string;
  readonly body?: unknown;
}

export type Item = Readonly<Record<string, unknown>>;

/** How one host differs. */
export interface HostApi {
  /** The product in messages: `GitHub`. */
  readonly product: string;
  /** The repository in messages: `acme/lib on github.com`. */
  readonly place: string;
  /** The path of the list of keys. */
  readonly keysPath: string;
  /** What the token needs to manage deploy keys. */
  readonly permission: string;
  /** The status of an answer that refuses a key which is in use. */
  readonly inUse: number;
  readonly send: (call: Call) => Promise<HttpAnswer>;
  readonly url: () => Promise<string>;
  readonly isReadOnly: (item: Item) => boolean;
  /** The access of a new key, as the host names it. */
  readonly accessOf: (readOnly: boolean) => Item;
  /** Whether the host limits the rate of calls. */
  readonly isLimited: (answer: HttpAnswer) => boolean;
  /** What to do about an answer that is not about the token alone. */
  readonly hintFor: (answer: HttpAnswer) => string;
}

/** The most that a page has, and the most pages that are read. */
const [perPage, mostPages] = [100, 100];

export class ApiDeployKeys implements DeployKeys {
  readonly #host: HostApi;
  readonly #tokenName: string;

  constructor(host: HostApi, { tokenName }: Access) {
    this.#host = host;
    this.#tokenName = tokenName;
  }

  get place(): string {
    return this.#host.place;
  }

  async url(): Promise<string> {
    return await this.#host.url();
  }

  async list(): Promise<DeployKey[]> {
    const { send, keysPath } = this.#host;
    const keys: DeployKey[] = [];
    for (let page = 1; page <= mostPages; page++) {
      const path = `${keysPath}?per_page=${perPage}&page=${page}`;
      const answer = await send({ method: 'GET', path });
      const items = answer.status === 200 ? readJson(answer.text) : undefined;
      if (!Array.isArray(items)) throw this.refused(answer, 'list the deploy keys');
      keys.push(...items.map((item) => this.#read((item ?? {}) as Item)));
      if (items.length < perPage) break;
    }
    return keys;
  }

  async add({ title, publicKey, readOnly }: NewDeployKey): Promise<void> {
    const { send, keysPath, accessOf, inUse } = this.#host;
    const body = { title, key: publicKey, ...accessOf(readOnly) };
    const answer = await send({ method: 'POST', path: keysPath, body });
    if (answer.status === 201) return;
    const has = async (): Promise<boolean> =>
      (await this.list()).some(({ blob }) => blob.equals(blobOf(publicKey)));
    if (answer.status === inUse && (await has())) return;
    throw this.refused(answer, 'add a deploy key');
  }

  async remove({ id }: DeployKey): Promise<void> {
    const { send, keysPath } = this.#host;
    const answer = await send({ method: 'DELETE', path: `${keysPath}/${encodeURIComponent(id)}` });
    if (answer.status === 204) return;
    // 404 also means: no access. Then the list is refused, too.
    if (answer.status === 404 && !(await this.list()).some((key) => key.id === id)) return;
    throw this.refused(answer, 'remove a deploy key');
  }

  /** @param doing what the token cannot do: `list the deploy keys` */
  refused(answer: HttpAnswer, doing: string): Failure {
    const { code, hint } = this.#explain(answer);
    const what = `the token in ${this.#tokenName} cannot ${doing} of ${this.place}: it answered ${saidBy(answer)}`;
    return new Failure(code, what, { hint });
  }

  #explain(answer: HttpAnswer): { code: Code; hint: string } {
    const { product, permission, isLimited, hintFor } = this.#host;
    const { status } = answer;
    if (status === 401) {
      const hint = `store a token in ${this.#tokenName} that has not expired, with ${permission}`;
      return { code: 'CREDENTIAL_INVALID', hint };
    }
    if (isLimited(answer)) {
      return { code: 'PROVIDER_FAILED', hint: `run it again later: ${product} limits the rate of calls` };
    }
    if (status === 403) return { code: 'CREDENTIAL_INVALID', hint: `give the token ${permission}` };
    return { code: 'PROVIDER_FAILED', hint: hintFor(answer) };
  }

  #read(item: Item): DeployKey {
    const { id, key, title } = item;
    return {
      id: typeof id === 'number' || typeof id === 'string' ? String(id) : '',
      title: typeof title === 'string' ? title : '',
      blob: blobOf(typeof key === 'string' ? key : ''),
      readOnly: this.#host.isReadOnly(item),
    };
  }
}
