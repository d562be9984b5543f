/**
 * An HTTP or HTTPS server on a free port of 127.0.0.1 that can simulate network faults, accepts WebSockets, and stops
 * at once.
 */
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer, type WebSocket } from 'ws';

export interface HttpRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /**
   * How the body is sent. `cut`: half of the announced bytes, then the socket closes; `stall`: only half of them;
   * `drip`: a byte every tenth of a second; `huge`: 100 MB of white space instead. Default: `whole`.
   */
  readonly delivery?: 'whole' | 'cut' | 'torn' | 'stall' | 'drip' | 'huge' | 'reset' | 'never';
  /** For a WebSocket request, with status 101: called when the WebSocket is open. */
  readonly webSocket?: (socket: WebSocket) => void;
}

/** A request that asks for another protocol on its socket. */
export interface Upgrade {
  readonly incoming: http.IncomingMessage;
  /** Without a body. */
  readonly request: HttpRequest;
  readonly socket: Duplex;
  readonly head: Buffer;
}

export interface Upgrades {
  readonly takes: (request: HttpRequest) => boolean;
  /** The answer of a refusal; undefined if the socket was accepted. */
  readonly answer: (upgrade: Upgrade) => Promise<HttpAnswer | undefined>;
}

export interface ServerOptions {
  readonly handle: (request: HttpRequest) => Promise<HttpAnswer>;
  /** For upgrades that need more than an answer with `webSocket`. */
  readonly upgrade?: Upgrades | undefined;
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
}

export interface HttpServer {
  /** `http://127.0.0.1:PORT`, without a slash at its end. */
  readonly origin: string;
  /** Connections that were opened since the start. */
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

/** Larger than any accepted request of these services. */
const MAX_BODY_BYTES = 1_000_000;
const HUGE_BYTES = 100_000_000;

export async function serve({ handle, upgrade, tls }: ServerOptions): Promise<HttpServer> {
  const sockets = new Map<number, Socket>();
  let connections = 0;
  const listener = (incoming: http.IncomingMessage, response: http.ServerResponse): void => {
    void answer(incoming, response);
  };
  async function answer(incoming: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    try {
      const body = await readBody(incoming);
      const { method = 'GET', url = '/', headers } = incoming;
      deliver(await handle({ method, url, headers, body }), response, sockets);
    } catch {
      // The client disconnected while it sent its request.
      incoming.destroy();
    }
  }
  const server = tls === undefined ? http.createServer(listener) : https.createServer(tls, listener);
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on('upgrade', (incoming: http.IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined);
    const { method = 'GET', url = '/', headers } = incoming;
    const request = { method, url, headers, body: Buffer.alloc(0) };
    const refuse = (answer: HttpAnswer): void => {
      deliverRaw(answer, socket, sockets.get(incoming.socket.remotePort ?? 0));
    };
    if (upgrade?.takes(request)) {
      void upgrade.answer({ incoming, request, socket, head }).then((answer) => {
        if (answer) refuse(answer);
      });
      return;
    }
    void handle(request).then((given) => {
      if (given.webSocket === undefined) refuse(given);
      else webSockets.handleUpgrade(incoming, socket, head, given.webSocket);
    });
  });
  server.on('connection', (socket: Socket) => {
    connections++;
    const port = socket.remotePort ?? 0;
    sockets.set(port, socket);
    socket.unref();
    // The next connection may have got the same port before this event.
    socket.once('close', () => {
      if (sockets.get(port) === socket) sockets.delete(port);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${String(port)}`,
    connections: () => connections,
    close: () => stop(server, sockets.values()),
  };
}

async function readBody(incoming: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new RangeError('request body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function deliver(answer: HttpAnswer, response: http.ServerResponse, sockets: Map<number, Socket>): void {
  const delivery = answer.delivery ?? 'whole';
  if (delivery === 'never') return;
  if (delivery === 'reset') {
    // The TCP socket, not the TLS one on top of it: only the TCP socket can send RST.
    sockets.get(response.socket?.remotePort ?? 0)?.resetAndDestroy();
    return;
  }
  const body = Buffer.from(answer.body);
  const length = delivery === 'huge' ? HUGE_BYTES : body.length;
  response.writeHead(answer.status, { ...answer.headers, 'content-length': length });
  if (delivery === 'whole') {
    response.end(body);
    return;
  }
  // The client may disconnect at any time.
  if (delivery === 'huge' || delivery === 'drip') {
    const sent = delivery === 'huge' ? whiteSpace() : drops(body);
    pipeline(Readable.from(sent), response).catch(() => undefined);
    return;
  }
  const connection: Duplex | null = response.socket;
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => {
    if (delivery === 'cut') connection?.end();
    if (delivery === 'torn') sockets.get(response.socket?.remotePort ?? 0)?.resetAndDestroy();
  });
}

function* whiteSpace(): Generator<Buffer> {
  const chunk = Buffer.alloc(100_000, ' ');
  for (let sent = 0; sent < HUGE_BYTES; sent += chunk.length) yield chunk;
}

async function* drops(body: Buffer): AsyncGenerator<Buffer> {
  for (let sent = 0; sent < body.length; sent++) {
    yield body.subarray(sent, sent + 1);
    await sleep(100, undefined, { ref: false });
  }
}

/** Refuses a WebSocket request. The connection cannot be used afterwards. */
function deliverRaw(answer: HttpAnswer, socket: Duplex, tcp: Socket | undefined): void {
  const { delivery = 'whole', status, headers, body } = answer;
  if (delivery === 'never') return;
  if (delivery === 'reset') {
    tcp?.resetAndDestroy();
    return;
  }
  const fields = { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const sent = delivery === 'cut' ? body.slice(0, Math.floor(body.length / 2)) : body;
  socket.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ''}\r\n${head.join('')}\r\n${sent}`);
}

async function stop(server: http.Server | https.Server, sockets: Iterable<Socket>): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  for (const socket of sockets) socket.destroy();
  server.closeAllConnections();
  await closed;
}
