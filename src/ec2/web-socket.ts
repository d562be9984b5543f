/** Opens a WebSocket to an AWS service: through the environment's proxy, with a time limit. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import WebSocket from 'ws';
import type { Connection } from '../aws/connection.ts';

/** Milliseconds for the connection and the service's answer. */
const handshakeTimeout = 15_000;
/** Bytes; larger than any message of these services. */
const maxPayload = 16 * 1024 * 1024;
/** Number of characters of a refusal that are read. */
const refusalLimit = 4096;

export interface SocketOptions {
  /** The signature, if it is not in the URL. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly connection: Pick<Connection, 'agents'>;
  readonly signal: AbortSignal;
  /** Called with the TCP or TLS socket, to put several small messages into one packet (`cork`). */
  readonly onTransport?: (transport: Socket) => void;
}

/** The service answered without upgrading to a WebSocket. */
export class UpgradeRefused extends Error {
  readonly status: number;
  /** The first characters of the answer. */
  readonly body: string;

  constructor(status: number, body: string) {
    super(`HTTP status ${status}`);
    this.name = 'UpgradeRefused';
    this.status = status;
    this.body = body;
  }
}

/**
 * Opens a WebSocket. It is paused, so that no message is lost: call `resume()` when there is a listener.
 *
 * @throws UpgradeRefused, Node's network errors, the signal's reason
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
    // Never removed: an error event without a listener ends the process.
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
    // The answer was cut off: use the part that arrived.
  }
  return text.slice(0, refusalLimit);
}
