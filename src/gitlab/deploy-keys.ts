/** The deploy keys of a project on GitLab. */
import { Failure, type Code } from '../errors.ts';
import { callHttpApi, readJson, readObject, saidBy, type ApiOptions } from '../http-api.ts';
import type { HttpAnswer, HttpRequest } from '../http-request.ts';
import { blobOf, type DeployKey, type DeployKeys, type NewDeployKey } from '../keys/deploy-key.ts';

export interface GitLabProject {
  /** Its number, or its path: `group/name`. */
  readonly project: string;
  /** Without a slash at its end. */
  readonly apiUrl: string;
  /** Secret. */
  readonly token: string;
  /** The reference of the token, for messages. */
  readonly tokenName: string;
}

/** The most that a page has, the most pages that are read, and the most bytes of a page. */
const [perPage, mostPages, maxBytes] = [100, 100, 1_000_000];

const permission = 'the scope "api" and the role Maintainer in the project';

/** @source GitLab Docs, Deploy keys API; Projects API, `ssh_url_to_repo` */
export function gitLabDeployKeys(target: GitLabProject, options: ApiOptions): DeployKeys {
  return new GitLabDeployKeys(target, options);
}

class GitLabDeployKeys implements DeployKeys {
  readonly place: string;
  readonly #target: GitLabProject;
  readonly #options: ApiOptions;
  readonly #path: string;

  constructor(target: GitLabProject, options: ApiOptions) {
    this.#target = target;
    this.#options = options;
    this.#path = `/projects/${encodeURIComponent(target.project)}`;
    this.place = `project ${target.project} on ${new URL(target.apiUrl).hostname}`;
  }

  async url(): Promise<string> {
    const answer = await this.#call('GET', '');
    const { ssh_url_to_repo: url } = readObject(answer.text);
    if (answer.status === 200 && typeof url === 'string') return url;
    throw this.#refused(answer, 'read the address');
  }

  async list(): Promise<DeployKey[]> {
    const keys: DeployKey[] = [];
    for (let page = 1; page <= mostPages; page++) {
      const answer = await this.#call('GET', `/deploy_keys?per_page=${perPage}&page=${page}`);
      const items = answer.status === 200 ? readJson(answer.text) : undefined;
      if (!Array.isArray(items)) throw this.#refused(answer, 'list the deploy keys');
      keys.push(...items.map(readKey));
      if (items.length < perPage) break;
    }
    return keys;
  }

  async add({ title, publicKey, readOnly }: NewDeployKey): Promise<void> {
    const answer = await this.#call('POST', '/deploy_keys', { title, key: publicKey, can_push: !readOnly });
    if (answer.status === 201) return;
    if (answer.status === 400 && (await this.#has(publicKey))) return;
    throw this.#refused(answer, 'add a deploy key');
  }

  async remove({ id }: DeployKey): Promise<void> {
    const answer = await this.#call('DELETE', `/deploy_keys/${encodeURIComponent(id)}`);
    if (answer.status === 204) return;
    // 404 also means: no access. Then the list is refused, too.
    if (answer.status === 404 && !(await this.list()).some((key) => key.id === id)) return;
    throw this.#refused(answer, 'remove a deploy key');
  }

  async #has(publicKey: string): Promise<boolean> {
    return (await this.list()).some(({ blob }) => blob.equals(blobOf(publicKey)));
  }

  async #call(method: NonNullable<HttpRequest['method']>, rest: string, body?: unknown): Promise<HttpAnswer> {
    const { apiUrl, token } = this.#target;
    const url = new URL(apiUrl + this.#path + rest);
    const headers = { accept: 'application/json', 'private-token': token, 'user-agent': 'ssm-ssh-agent' };
    const call = { product: 'GitLab', maxBytes, method, url, headers };
    return await callHttpApi({ ...call, ...(body !== undefined && { body }) }, this.#options);
  }

  #refused(answer: HttpAnswer, doing: string): Failure {
    const { code, hint } = this.#explain(answer);
    const what = `the token in ${this.#target.tokenName} cannot ${doing} of ${this.place}: it answered ${saidBy(answer)}`;
    return new Failure(code, what, { hint });
  }

  #explain({ status, text }: HttpAnswer): { code: Code; hint: string } {
    const { tokenName, project, apiUrl } = this.#target;
    if (status === 401) {
      const hint = `store a token in ${tokenName} that has not expired, with ${permission}`;
      return { code: 'CREDENTIAL_INVALID', hint };
    }
    if (status === 403) return { code: 'CREDENTIAL_INVALID', hint: `give the token ${permission}` };
    if (status === 404) {
      const hint = `check the project ${project} and --api-url (${apiUrl}), and give the token ${permission}`;
      return { code: 'PROVIDER_FAILED', hint };
    }
    if (status === 429) {
      return { code: 'PROVIDER_FAILED', hint: 'run it again later: GitLab limits the rate of calls' };
    }
    if (status === 400 && /already been taken/.test(text)) {
      const hint = 'the key is in use elsewhere: run rotate with --abort, then run it again for a new key';
      return { code: 'PROVIDER_FAILED', hint };
    }
    const hint = `check that ${apiUrl} is GitLab's API (https://HOST/api/v4), then run it again`;
    return { code: 'PROVIDER_FAILED', hint };
  }
}

function readKey(item: unknown): DeployKey {
  const { id, key, title, can_push: canPush } = (item ?? {}) as Readonly<Record<string, unknown>>;
  return {
    id: String(id),
    title: typeof title === 'string' ? title : '',
    blob: blobOf(typeof key === 'string' ? key : ''),
    readOnly: canPush !== true,
  };
}
