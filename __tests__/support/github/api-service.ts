/** The part of GitHub's REST API for Apps (installations, tokens, and their revocation) and for deploy keys. */
import { AuthenticationError, AwsError } from '../aws/errors.ts';
import type { HttpAnswer, HttpRequest } from '../aws/wire/http-server.ts';
import type { CommonError, Operation, Refused, Service } from '../aws/wire/service.ts';
import type { HostedKeys } from '../git-host/hosted-keys.ts';
import { proveApp, unauthorized } from './app-proof.ts';
import { isForKeys, serveKeys, type Access, type PersonalTokens } from './deploy-keys.ts';
import { covers, sameName, type App, type Installation, type Installations } from './installations.ts';

const common = {
  throttling: [429, 'You have exceeded a secondary rate limit.'],
  'internal-error': [500, 'Server Error'],
  unavailable: [503, 'Unicorn'],
} as const;

/** Milliseconds. */
const tokenLifetime = 3_600_000;

interface Asked {
  readonly repositories?: readonly string[];
  readonly permissions?: Readonly<Record<string, string>>;
}

interface ServiceOptions {
  readonly clock: () => Date;
  readonly prefix: string;
  readonly tokens: PersonalTokens;
  /** Absent: it has no deploy keys. */
  readonly keys: HostedKeys | undefined;
}

export class GitHubApiService implements Service {
  readonly #installations: Installations;
  readonly #clock: () => Date;
  /** GitHub Enterprise Server has the prefix `/api/v3`. */
  readonly #prefix: string;
  readonly #tokens: PersonalTokens;
  readonly #keys: HostedKeys | undefined;

  constructor(installations: Installations, options: ServiceOptions) {
    this.#installations = installations;
    this.#clock = options.clock;
    this.#prefix = options.prefix;
    this.#tokens = options.tokens;
    this.#keys = options.keys;
  }

  identify({ method, url, body }: HttpRequest): Operation {
    const path = url.startsWith(this.#prefix)
      ? url.slice(this.#prefix.length)
      : `not below ${this.#prefix}: ${url}`;
    const parameters = body.length > 0 ? (JSON.parse(body.toString()) as Operation['parameters']) : {};
    return { service: 'github', operation: `${method} ${path}`, region: undefined, parameters };
  }

  async perform({ headers }: HttpRequest, { operation, parameters }: Operation): Promise<HttpAnswer> {
    const [, bearer = ''] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
    if (!headers['user-agent']) throw refusal(403, 'Request forbidden by administrative rules.');
    if (operation === 'DELETE /installation/token') return this.#revoke(bearer);
    if (this.#keys && isForKeys(operation)) {
      return serveKeys({ operation, parameters }, this.#keys, this.#accessOf(bearer));
    }
    const app = await proveApp(bearer, this.#installations, this.#clock());
    const [, place = '', name = ''] = /^GET \/(repos|orgs|users)\/(.+)\/installation$/.exec(operation) ?? [];
    if (place) return this.#find(app, place, decodeURIComponent(name));
    const [, id] = /^POST \/app\/installations\/(\d+)\/access_tokens$/.exec(operation) ?? [];
    if (id === undefined) throw refusal(404, 'Not Found');
    return this.#issue(
      this.#installationOf(app, ({ id: known }) => String(known) === id),
      parameters,
    );
  }

  #accessOf(token: string): Access | undefined {
    const issued = this.#installations.live(token, this.#clock());
    if (!issued) return this.#tokens.find(token);
    const { installation, repositories, permissions } = issued;
    return {
      repositories: repositories.map((name) => `${installation.owner}/${name}`),
      administration: permissions['administration'],
    };
  }

  #installationOf(app: App, wanted: (installation: Installation) => boolean): Installation {
    const found = this.#installations.of(app).find(wanted);
    if (!found) throw refusal(404, 'Not Found');
    return found;
  }

  #find(app: App, place: string, name: string): HttpAnswer {
    const { id, owner, permissions } = this.#installationOf(app, ({ kind, owner, repositories }) =>
      place === 'repos'
        ? repositories.some((one) => sameName(`${owner}/${one}`, name))
        : place === kind && sameName(owner, name),
    );
    return json(200, { id, account: { login: owner }, permissions });
  }

  #issue(installation: Installation, { repositories: named, permissions: wanted }: Asked): HttpAnswer {
    const repositories = named ?? installation.repositories;
    const known = repositories.every((name) => installation.repositories.some((one) => sameName(one, name)));
    if (!known) {
      const what = 'There is at least one repository that does not exist or is not accessible';
      throw refusal(422, `${what} to the parent installation.`);
    }
    const granted = installation.permissions;
    const permissions = wanted ?? granted;
    if (!Object.entries(permissions).every(([name, level]) => covers(granted[name], level))) {
      throw refusal(422, 'The permissions requested are not granted to this installation.');
    }
    const expiresAt = new Date(this.#clock().getTime() + tokenLifetime);
    const { token } = this.#installations.issue(installation, { repositories, permissions, expiresAt });
    const expires = expiresAt.toISOString().replace(/\.\d+Z$/, 'Z');
    return json(201, { token, expires_at: expires, permissions, repository_selection: 'selected' });
  }

  #revoke(token: string): HttpAnswer {
    const issued = this.#installations.live(token, this.#clock());
    if (!issued) throw unauthorized('Bad credentials');
    issued.revoked = true;
    return { status: 204, headers: {}, body: '' };
  }

  refuse(error: AwsError | AuthenticationError): Refused {
    const { code, status } =
      error instanceof AuthenticationError ? { code: error.reason, status: 401 } : error;
    const answer = json(status, {
      message: error.message,
      documentation_url: 'https://docs.github.com/rest',
    });
    const headers = status === 429 ? { ...answer.headers, 'retry-after': '1' } : answer.headers;
    return { code, answer: { ...answer, headers } };
  }

  commonError(kind: CommonError): AwsError {
    const [status, message] = common[kind];
    return refusal(status, message);
  }
}

function refusal(status: number, message: string): AwsError {
  return new AwsError({ code: String(status), message, status });
}

function json(status: number, value: object): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(value),
  };
}
