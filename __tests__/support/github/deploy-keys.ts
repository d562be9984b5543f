/** GitHub's REST API for the deploy keys of a repository. */
import { randomBytes } from 'node:crypto';
import { AwsError } from '../aws/errors.ts';
import type { HttpAnswer } from '../aws/wire/http-server.ts';
import type { Operation } from '../aws/wire/service.ts';
import { pageOf, type HostedKey, type HostedKeys } from '../git-host/hosted-keys.ts';
import { covers, sameName } from './installations.ts';
import { unauthorized } from './app-proof.ts';

/** What a token may do in the settings of repositories. */
export interface Access {
  /** `owner/name` */
  readonly repositories: readonly string[];
  /** `read` or `write`; undefined: no permission. */
  readonly administration: string | undefined;
}

/** Fine-grained personal access tokens. */
export class PersonalTokens {
  readonly #tokens = new Map<string, Access>();

  create(access: Access): string {
    const token = `github_pat_${randomBytes(30).toString('hex')}`;
    this.#tokens.set(token, access);
    return token;
  }

  find(token: string): Access | undefined {
    return this.#tokens.get(token);
  }
}

const operations = /^(GET|POST|DELETE) \/repos\/([^/]+\/[^/]+)\/keys(?:\/(\d+))?(?:\?(.*))?$/;

export function isForKeys(operation: string): boolean {
  return operations.test(operation);
}

/** @source GitHub Docs, REST API endpoints for deploy keys; "Permissions required for fine-grained personal access tokens" */
export function serveKeys(
  { operation, parameters }: Pick<Operation, 'operation' | 'parameters'>,
  keys: HostedKeys,
  access: Access | undefined,
): HttpAnswer {
  const [, method = '', repository = '', id = '', query = ''] = operations.exec(operation) ?? [];
  if (!access) throw unauthorized('Bad credentials');
  if (!access.repositories.some((name) => sameName(name, repository))) throw notFound();
  if (!covers(access.administration, method === 'GET' ? 'read' : 'write')) {
    throw new AwsError({
      code: '403',
      message: 'Resource not accessible by personal access token',
      status: 403,
    });
  }
  if (method === 'GET') {
    return json(200, pageOf(keys.of(repository), new URLSearchParams(query), 30).map(shown));
  }
  if (method === 'DELETE') {
    if (keys.remove(repository, Number(id))) return { status: 204, headers: {}, body: '' };
    throw notFound();
  }
  const { title = '', key = '', read_only: readOnly = true } = parameters as Partial<Record<string, string>>;
  const added = keys.add({ repository, title, key, readOnly: Boolean(readOnly) });
  return added ? json(201, shown(added)) : inUse();
}

function shown({ id, key, title, readOnly }: HostedKey): object {
  return { id, key, title, read_only: readOnly, verified: true, enabled: true };
}

function inUse(): HttpAnswer {
  const error = { resource: 'PublicKey', code: 'custom', field: 'key', message: 'key is already in use' };
  return json(422, { message: 'Validation Failed', errors: [error], status: '422' });
}

function notFound(): AwsError {
  return new AwsError({ code: '404', message: 'Not Found', status: 404 });
}

function json(status: number, value: object): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(value),
  };
}
