/** Reads a client's messages and writes the answers, one after the other. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as otherClients } from 'node:timers/promises';
import { MessageReader } from '../../ssh/agent-protocol.ts';

/** @param message without its length @returns the answer with its length */
export type Answer = (message: Buffer) => Promise<Buffer>;

/** Milliseconds for the rest of a message that has begun. A client may wait as long as it likes between messages. */
const patience = 30_000;

/**
 * Ends when the client has closed its side and has all answers, or when it breaks the protocol. Never throws. Memory is
 * bounded: nothing is read from a client that does not read its answers.
 */
export async function converse(socket: Socket, answer: Answer): Promise<void> {
  socket.on('error', () => socket.destroy());
  socket.on('timeout', () => socket.destroy());
  try {
    await readAll(socket, answer);
    socket.end();
  } catch {
    socket.destroy(); // The client broke the protocol, or closed the connection.
  }
}

async function readAll(socket: Socket, answer: Answer): Promise<void> {
  const reader = new MessageReader();
  // A client that has closed its side still wants its answers.
  const chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of chunks) {
    for (const message of reader.push(chunk)) {
      socket.setTimeout(0);
      const framed = await answer(message);
      if (socket.destroyed) return;
      if (!socket.write(framed)) await drained(socket);
      await otherClients();
    }
    socket.setTimeout(reader.isInside ? patience : 0);
  }
}

async function drained(socket: Socket): Promise<void> {
  const closed = new AbortController();
  const stop = (): void => {
    closed.abort();
  };
  socket.once('close', stop);
  try {
    await once(socket, 'drain', { signal: closed.signal });
  } finally {
    socket.off('close', stop);
  }
}
