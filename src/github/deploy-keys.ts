/** The deploy keys of a repository on GitHub. */
import { Failure, type Code } from '../errors.ts';
import { readJson } from '../http-api.ts';
import type { HttpAnswer } from '../http-request.ts';
import { blobOf, type DeployKey, type DeployKeys, type NewDeployKey } from '../keys/deploy-key.ts';
import { callApi, longestAnswer, saidBy, type ApiOptions, type Call } from './api.ts';
import { hostOfApi } from './api-url.ts';

export interface GitHubRepository {
  /** `owner/name` */
  readonly repository: string;
  /** Without a slash at its end. */
  readonly apiUrl: string;
  /** Secret. */
  readonly token: string;
  /** The reference of the token, for messages. */
  readonly tokenName: string;
}

/** The most that a page has, and the most pages that are read. */
const [perPage, mostPages] = [100, 100];

const permission =
  'the repository permission "Administration" with write access (a classic token: the scope "repo"; a GitHub App: the permission "Administration", which the owner has to accept)';

/** @source GitHub Docs, REST API endpoints for deploy keys */
export function gitHubDeployKeys(target: GitHubRepository, options: ApiOptions): DeployKeys {
  return new GitHubDeployKeys(target, options);
}

class GitHubDeployKeys implements DeployKeys {
  readonly place: string;
  readonly #target: GitHubRepository;
  readonly #options: ApiOptions;
  readonly #host: string;
  readonly #path: string;

  constructor(target: GitHubRepository, options: ApiOptions) {
    this.#target = target;
    this.#options = options;
    this.#host = hostOfApi(target.apiUrl) ?? new URL(target.apiUrl).hostname;
    this.#path = `/repos/${target.repository.split('/').map(encodeURIComponent).join('/')}/keys`;
    this.place = `${target.repository} on ${this.#host}`;
  }

  url(): Promise<string> {
    return Promise.resolve(`git@${this.#host}:${this.#target.repository}.git`);
  }

  async list(): Promise<DeployKey[]> {
    const keys: DeployKey[] = [];
    for (let page = 1; page <= mostPages; page++) {
      const answer = await this.#call('GET', `?per_page=${perPage}&page=${page}`);
      const items = answer.status === 200 ? readJson(answer.text) : undefined;
      if (!Array.isArray(items)) throw this.#refused(answer, 'list the deploy keys');
      keys.push(...items.map(readKey));
      if (items.length < perPage) break;
    }
    return keys;
  }

  async add({ title, publicKey, readOnly }: NewDeployKey): Promise<void> {
    const answer = await this.#call('POST', '', { title, key: publicKey, read_only: readOnly });
    if (answer.status === 201) return;
    if (answer.status === 422 && (await this.#has(publicKey))) return;
    throw this.#refused(answer, 'add a deploy key');
  }

  async remove({ id }: DeployKey): Promise<void> {
    const answer = await this.#call('DELETE', `/${encodeURIComponent(id)}`);
    if (answer.status === 204) return;
    // 404 also means: no access. Then the list is refused, too.
    if (answer.status === 404 && !(await this.list()).some((key) => key.id === id)) return;
    throw this.#refused(answer, 'remove a deploy key');
  }

  async #has(publicKey: string): Promise<boolean> {
    return (await this.list()).some(({ blob }) => blob.equals(blobOf(publicKey)));
  }

  async #call(method: Call['method'], rest: string, body?: unknown): Promise<HttpAnswer> {
    const { apiUrl, token: bearer } = this.#target;
    const call = { method, apiUrl, path: this.#path + rest, bearer, maxBytes: longestAnswer.usual };
    return await callApi({ ...call, ...(body !== undefined && { body }) }, this.#options);
  }

  #refused(answer: HttpAnswer, doing: string): Failure {
    const { code, hint } = this.#explain(answer);
    const what = `the token in ${this.#target.tokenName} cannot ${doing} of ${this.place}: it answered ${saidBy(answer)}`;
    return new Failure(code, what, { hint });
  }

  #explain({ status, headers, text }: HttpAnswer): { code: Code; hint: string } {
    const { tokenName, repository, apiUrl } = this.#target;
    if (status === 401) {
      const hint = `store a token in ${tokenName} that has not expired, with ${permission}`;
      return { code: 'CREDENTIAL_INVALID', hint };
    }
    const limited = headers['x-ratelimit-remaining'] === '0' || headers['retry-after'] !== undefined;
    if (status === 429 || (status === 403 && limited)) {
      return { code: 'PROVIDER_FAILED', hint: 'run it again later: GitHub limits the rate of calls' };
    }
    if (status === 403) return { code: 'CREDENTIAL_INVALID', hint: `give the token ${permission}` };
    if (status === 404) {
      const hint = `check the name ${repository} and --api-url (${apiUrl}), and give the token access to the repository and ${permission}`;
      return { code: 'PROVIDER_FAILED', hint };
    }
    if (status === 422 && /already in use/.test(text)) {
      const hint =
        'GitHub allows a key for one repository or user only: run rotate with --abort, then run it again for a new key';
      return { code: 'PROVIDER_FAILED', hint };
    }
    const hint = `check that ${apiUrl} is GitHub's API, and that the owner allows deploy keys; then run it again`;
    return { code: 'PROVIDER_FAILED', hint };
  }
}

function readKey(item: unknown): DeployKey {
  const { id, key, title, read_only: readOnly } = (item ?? {}) as Readonly<Record<string, unknown>>;
  return {
    id: String(id),
    title: typeof title === 'string' ? title : '',
    blob: blobOf(typeof key === 'string' ? key : ''),
    readOnly: readOnly !== false,
  };
}
