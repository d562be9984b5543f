/** How a client of the AWS SDK sends a request. A try has a time limit up to the last byte, and an answer must be complete, small and from AWS. */
import type { Readable } from 'node:stream';
import { HttpResponse, type HttpHandler, type HttpRequest } from '@smithy/core/protocols';
import { NodeHttpHandler, type NodeHttpHandlerOptions } from '@smithy/node-http-handler';
import { Failure } from '../errors.ts';
import { withDeadline } from '../deadline.ts';
import { notAws, oddityOf, operationOf, serviceOf, troubleOf } from './answers.ts';
import { isHttp, isOfAws, isPrivate, originOf } from './endpoint.ts';
import { noUrl, variableOf } from './failures.ts';
import type { Troubles } from './troubles.ts';

/** Bytes. Larger than any expected answer: twenty secrets of 64 KB, each character escaped in JSON. */
const largest = 8_000_000;

export interface HandlerOptions extends NodeHttpHandlerOptions {
  /** Milliseconds for one try, from the connection to the last byte of the answer. */
  readonly patience: number;
  readonly troubles: Troubles;
  /** Called once for each endpoint that is not AWS's own. */
  readonly say: (line: string) => void;
  /** Called with the result of each try. */
  readonly debug: (line: string) => void;
}

/** Reads the body itself: the SDK limits only the time to the headers. */
export class RequestHandler implements HttpHandler<NodeHttpHandlerOptions> {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #options: HandlerOptions;
  readonly #inner: NodeHttpHandler;
  readonly #said = new Set<string>();

  constructor(options: HandlerOptions) {
    this.#options = options;
    this.#inner = new NodeHttpHandler(options);
  }

  async handle(
    request: HttpRequest,
    { abortSignal }: Parameters<HttpHandler['handle']>[1] = {},
  ): Promise<{ response: HttpResponse }> {
    const { patience, troubles } = this.#options;
    const service = serviceOf(request);
    const endpoint = isOfAws(request) ? undefined : originOf(request);
    if (endpoint !== undefined) this.#admit(request, { service, endpoint });
    const given = abortSignal as AbortSignal | undefined;
    const tell = this.#timed(request, service);
    const deadline = { milliseconds: patience, reason: timedOut(patience), signal: given };
    try {
      const response = await withDeadline(deadline, (signal) => this.#whole(request, signal));
      const id = response.headers['x-amzn-requestid'];
      tell(`${response.statusCode}${id === undefined ? '' : `, request id ${id}`}`);
      troubles.note(service, troubleOf(service, response));
      return { response: Object.assign(response, { endpoint }) };
    } catch (error) {
      tell(error instanceof Error ? error.message : 'failed');
      if (given?.aborted !== true)
        troubles.note(service, { what: `${service} did not answer`, throttled: false });
      throw typeof error === 'object' && error !== null ? Object.assign(error, { endpoint }) : error;
    }
  }

  /** @returns a function that takes what became of the request, for the debug log */
  #timed(request: HttpRequest, service: string): (outcome: string) => void {
    const since = Date.now();
    const call = `${service}:${operationOf(request)} at ${request.hostname}`;
    return (outcome) => {
      this.#options.debug(`${call}: ${outcome} (${Date.now() - since} ms)`);
    };
  }

  async #whole(request: HttpRequest, abortSignal: AbortSignal): Promise<HttpResponse> {
    const { response } = await this.#inner.handle(request, { abortSignal });
    const { statusCode, headers } = response;
    const body = await readBytes(response.body as Readable);
    const odd = oddityOf({ statusCode, headers, text: () => new TextDecoder().decode(body) });
    if (odd) throw notAws(odd);
    return new HttpResponse({ statusCode, headers, body });
  }

  /** An earlier step or a profile may have set the endpoint. */
  #admit(request: HttpRequest, { service, endpoint }: { service: string; endpoint: string }): void {
    if (!isHttp(request)) throw noUrl(service, `is ${endpoint}, which is not http or https`);
    const token = tokenIn(request);
    if (token !== undefined && !isPrivate(request)) {
      throw new Failure(
        'INPUT_INVALID',
        `the endpoint of ${service} is ${endpoint}, and ${token} would be sent there unencrypted`,
        {
          hint: `an earlier step, GITHUB_ENV or an AWS profile has set it: unset AWS_ENDPOINT_URL, ${variableOf(service)} and endpoint_url, or name an endpoint with https`,
        },
      );
    }
    if (this.#said.has(endpoint)) return;
    this.#said.add(endpoint);
    this.#options.say(`${service} is asked at ${endpoint}, which is not AWS's own endpoint`);
  }

  updateHttpClientConfig(
    ...change: Parameters<HttpHandler<NodeHttpHandlerOptions>['updateHttpClientConfig']>
  ): void {
    this.#inner.updateHttpClientConfig(...change);
  }

  httpHandlerConfigs(): NodeHttpHandlerOptions {
    return this.#inner.httpHandlerConfigs();
  }

  destroy(): void {
    this.#inner.destroy();
  }
}

/**
 * The name of a token in a request, for messages. AssumeRoleWithWebIdentity sends one, and so does a profile that calls IAM
 * Identity Center. The default credential chain makes both calls by itself.
 */
function tokenIn({ headers, body }: HttpRequest): string | undefined {
  const text = typeof body === 'string' ? body : '';
  if (text.includes('WebIdentityToken=')) return 'the OIDC token';
  const ofProfile = 'x-amz-sso_bearer_token' in headers || text.includes('"refreshToken"');
  return ofProfile ? 'the token of IAM Identity Center' : undefined;
}

/** The SDK tries again because of the error's name. */
function timedOut(patience: number): Error {
  return Object.assign(new Error(`no whole answer within ${patience / 1000} seconds`), {
    name: 'TimeoutError',
  });
}

async function readBytes(stream: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > largest) throw notAws(`has more than ${largest} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
