/** A local GitLab API on 127.0.0.1: projects and their deploy keys, for tokens of the header PRIVATE-TOKEN. */
import { randomBytes } from 'node:crypto';
import { AuthenticationError, AwsError } from '../aws/errors.ts';
import { CallLog, type Call } from '../aws/wire/calls.ts';
import { Faults } from '../aws/wire/faults.ts';
import { serve, type HttpAnswer, type HttpRequest } from '../aws/wire/http-server.ts';
import { attend, type CommonError, type Operation, type Refused, type Service } from '../aws/wire/service.ts';
import { HostedKeys, pageOf, type HostedKey, type KeyHostOptions } from '../git-host/hosted-keys.ts';

export interface Project {
  readonly id: number;
  /** `group/name` */
  readonly path: string;
  readonly sshUrl: string;
}

export interface GitLabApi {
  /** The value of `--api-url`. */
  readonly url: string;
  readonly keys: HostedKeys;
  /** Creates a token with the scope `api`, or another one. */
  readonly createToken: (scope?: string) => string;
  readonly calls: readonly Call[];
  readonly faults: Faults;
  readonly stop: () => Promise<void>;
}

export async function startGitLabApi(
  projects: readonly Project[],
  deployKeys: KeyHostOptions,
): Promise<GitLabApi> {
  const [keys, tokens] = [new HostedKeys(deployKeys), new Map<string, string>()];
  const service = new GitLabService(projects, keys, tokens);
  const observation = { calls: new CallLog(), faults: new Faults(), clock: () => new Date() };
  const server = await serve({ handle: (request) => attend(service, request, observation) });
  return {
    url: server.origin + prefix,
    keys,
    createToken: (scope = 'api') => {
      const token = `glpat-${randomBytes(15).toString('base64url')}`;
      tokens.set(token, scope);
      return token;
    },
    calls: observation.calls.calls,
    faults: observation.faults,
    stop: server.close,
  };
}

const prefix = '/api/v4';
const operations = /^(GET|POST|DELETE) \/projects\/([^/?]+)(\/deploy_keys)?(?:\/(\d+))?(?:\?(.*))?$/;

class GitLabService implements Service {
  readonly #projects: readonly Project[];
  readonly #keys: HostedKeys;
  readonly #tokens: ReadonlyMap<string, string>;

  constructor(projects: readonly Project[], keys: HostedKeys, tokens: ReadonlyMap<string, string>) {
    this.#projects = projects;
    this.#keys = keys;
    this.#tokens = tokens;
  }

  identify({ method, url, body }: HttpRequest): Operation {
    const parameters = body.length > 0 ? (JSON.parse(body.toString()) as Operation['parameters']) : {};
    const path = url.slice(prefix.length);
    return { service: 'gitlab', operation: `${method} ${path}`, region: undefined, parameters };
  }

  /** @source GitLab Docs, Deploy keys API; Projects API */
  perform({ headers }: HttpRequest, { operation, parameters }: Operation): Promise<HttpAnswer> {
    const scope = this.#tokens.get(String(headers['private-token']));
    if (scope === undefined) throw refusal(401, '401 Unauthorized');
    const [, method = '', name = '', keys, id = '', query = ''] = operations.exec(operation) ?? [];
    if (scope !== 'api' && !(scope === 'read_api' && method === 'GET')) {
      return Promise.resolve(json(403, { error: 'insufficient_scope', scope: 'api' }));
    }
    const wanted = decodeURIComponent(name);
    const project = this.#projects.find((one) => String(one.id) === wanted || one.path === wanted);
    if (!project) throw refusal(404, '404 Project Not Found');
    if (!keys) return Promise.resolve(json(200, { id: project.id, ssh_url_to_repo: project.sshUrl }));
    return Promise.resolve(this.#serve(project.path, { method, id, query, parameters }));
  }

  #serve(
    repository: string,
    {
      method,
      id,
      query,
      parameters,
    }: Pick<Operation, 'parameters'> & Record<'method' | 'id' | 'query', string>,
  ): HttpAnswer {
    if (method === 'GET') {
      return json(200, pageOf(this.#keys.of(repository), new URLSearchParams(query), 20).map(shown));
    }
    if (method === 'DELETE') {
      if (this.#keys.remove(repository, Number(id))) return { status: 204, headers: {}, body: '' };
      throw refusal(404, '404 Deploy Key Not Found');
    }
    const { title, key, can_push: canPush } = parameters;
    const input = { repository, title: String(title), key: String(key), readOnly: canPush !== true };
    const added = this.#keys.add(input);
    if (added) return json(201, shown(added));
    return json(400, { message: { 'deploy_key.fingerprint_sha256': ['has already been taken'] } });
  }

  refuse(error: AwsError | AuthenticationError): Refused {
    const status = error instanceof AuthenticationError ? 401 : error.status;
    return { code: String(status), answer: json(status, { message: error.message }) };
  }

  commonError(kind: CommonError): AwsError {
    return kind === 'throttling'
      ? refusal(429, 'Retry later')
      : refusal(kind === 'unavailable' ? 503 : 500, '');
  }
}

function shown({ id, key, title, readOnly }: HostedKey): object {
  return { id, title, key, can_push: !readOnly };
}

function refusal(status: number, message: string): AwsError {
  return new AwsError({ code: String(status), message, status });
}

function json(status: number, value: object): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
