/** A WebSocket to an AWS service: through the proxy that the environment names, with a limit to its patience. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import WebSocket from 'ws';
import type { Connection } from '../aws/connection.ts';

/** Milliseconds for connecting and for the service's word on it. */
const handshakeTimeout = 15_000;
/** More than any message of these services. */
const maxPayload = 16 * 1024 * 1024;
/** Characters of a refusal that are read. */
const refusalLimit = 4096;

export interface SocketOptions {
  /** What signs the request, where the URL does not. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly connection: Pick<Connection, 'agents'>;
  readonly signal: AbortSignal;
  /** Given the socket below, to put many small messages into one packet (`cork`). */
  readonly onTransport?: (transport: Socket) => void;
}

/** The service answered, and not with a WebSocket. */
export class UpgradeRefused extends Error {
  readonly status: number;
  /** The answer's first characters. */
  readonly body: string;

  constructor(status: number, body: string) {
    super(`HTTP status ${status}`);
    this.name = 'UpgradeRefused';
    this.status = status;
    this.body = body;
  }
}

/**
 * An open WebSocket. It is paused, so that nothing is lost before somebody listens: call `resume()` then.
 *
 * @throws UpgradeRefused, Node's errors of the network, the signal's reason
 */
export async function openWebSocket(
  url: URL,
  { headers = {}, connection, signal, onTransport }: SocketOptions,
): Promise<WebSocket> {
  signal.throwIfAborted();
  const agent = url.protocol === 'ws:' ? connection.agents.http : connection.agents.https;
  const socket = new WebSocket(url, {
    agent,
    headers,
    handshakeTimeout,
    maxPayload,
    perMessageDeflate: false,
  });
  if (onTransport) {
    socket.once('upgrade', (response) => {
      onTransport(response.socket);
    });
  }
  const stop = (): void => {
    socket.terminate();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    await opened(socket);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return socket;
}

async function opened(socket: WebSocket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => {
      socket.pause();
      resolve();
    });
    // Stays: a socket without a listener for errors ends the process.
    socket.on('error', (error) => {
      if (error.message.includes('handshake has timed out')) error.name = 'TimeoutError';
      reject(error);
    });
    socket.once('unexpected-response', (request, response) => {
      void readRefusal(response).then((body) => {
        reject(new UpgradeRefused(response.statusCode ?? 0, body));
        request.destroy();
      });
    });
  });
}

async function readRefusal(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk;
      if (text.length >= refusalLimit) break;
    }
  } catch {
    // Cut off: what came has to do.
  }
  return text.slice(0, refusalLimit);
}
