/** A git host over HTTPS on 127.0.0.1: git http-backend with Basic authentication, and a log of the requests. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Certificates } from '../aws/wire/certificates.ts';
import { createRepository, gitEnvironment, type Repository } from './repository.ts';

export interface HttpsRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** `user:password` of the request; absent without authentication. */
  readonly sent?: string;
  readonly status: number;
}

export interface HttpsGitHost {
  /** `localhost:PORT` */
  readonly place: string;
  url(repository: string): string;
  createRepository(name: string): Promise<Repository>;
  /** Replaces the accepted credentials. */
  letIn(username: string, password: string): void;
  /** The same, by repository. Like GitHub, it answers 404 if a known user may not access a repository. */
  letInBy(opens: (password: string, repository: string, level: 'read' | 'write') => boolean): void;
  /** Redirects every later request to the same path there. */
  redirectTo(origin: string | undefined): void;
  readonly log: readonly HttpsRequest[];
  stop(): Promise<void>;
}

export async function startHttpsGitHost({ key, cert }: Certificates): Promise<HttpsGitHost> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'https-git-')));
  const repositories = join(folder, 'repositories');
  mkdirSync(repositories);
  const log: HttpsRequest[] = [];
  let allows: (sent: string, url: string) => number = () => 401;
  let elsewhere: string | undefined;
  const server = createServer({ key, cert }, (request, response) => {
    const { method = '', url = '' } = request;
    const [, basic] = /^Basic (.+)$/i.exec(request.headers.authorization ?? '') ?? [];
    const sent = basic === undefined ? undefined : Buffer.from(basic, 'base64').toString();
    const answer = (status: number, headers: Record<string, string> = {}): void => {
      log.push({ method, url, ...(sent !== undefined && { sent }), status });
      if (status === 200) void runBackend(repositories, request, response);
      else response.writeHead(status, headers).end();
    };
    if (elsewhere !== undefined) answer(301, { location: elsewhere + url });
    else if (sent === undefined || allows(sent, url) === 401)
      answer(401, { 'www-authenticate': 'Basic realm="git host"' });
    else answer(allows(sent, url));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const place = `localhost:${port}`;
  return {
    ...{ place, log },
    url: (repository) => `https://${place}/${repository}.git`,
    createRepository: (name) => createRepository(repositories, name, { 'README.md': `# ${name}\n` }),
    letIn: (username, password) => (allows = (sent) => (sent === `${username}:${password}` ? 200 : 401)),
    letInBy: (opens) => {
      allows = (sent, url) => {
        const [, repository = ''] = /^\/(.+?)(\.git)?\/(info\/refs|git-)/.exec(url) ?? [];
        const level = url.includes('git-receive-pack') ? 'write' : 'read';
        return opens(sent.slice(sent.indexOf(':') + 1), repository, level) ? 200 : 404;
      };
    },
    redirectTo: (origin) => (elsewhere = origin),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** @source git-http-backend(1), RFC 3875 */
async function runBackend(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, search } = new URL(request.url ?? '/', 'https://localhost');
  const { headers, method = '' } = request;
  const env = {
    ...gitEnvironment(root),
    ...{ GIT_PROJECT_ROOT: root, GIT_HTTP_EXPORT_ALL: '1', REMOTE_USER: 'ci', REMOTE_ADDR: '127.0.0.1' },
    // GitHub's names are case-insensitive.
    ...{ PATH_INFO: pathname.toLowerCase(), QUERY_STRING: search.slice(1), REQUEST_METHOD: method },
    CONTENT_TYPE: headers['content-type'] ?? '',
    HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
    GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
  };
  const child = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => undefined);
  request.pipe(child.stdin);
  const output = await buffer(child.stdout);
  const end = output.indexOf('\r\n\r\n');
  const lines = output.subarray(0, end).toString().split('\r\n');
  const fields = lines.map((line) => line.split(': ') as [string, string]);
  const { Status = '200', ...rest } = Object.fromEntries(fields) as Record<string, string>;
  response.writeHead(Number.parseInt(Status), rest).end(output.subarray(end + 4));
}
