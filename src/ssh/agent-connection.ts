/** A conversation with an agent over its socket. */
import { createConnection } from 'node:net';
import { Failure } from '../errors.ts';
import { MessageReader } from './agent-protocol.ts';

export interface AskOptions {
  readonly signal: AbortSignal;
  /** Milliseconds that the agent may say nothing while answers are due. */
  readonly patience?: number;
}

/** Far more than an agent takes that works, and little enough to be told what it is instead of TIMEOUT. */
const usualPatience = 10_000;

/**
 * All messages go out at once: an agent answers them one after the other, in their order (RFC 9987).
 *
 * @param messages with their lengths; zeroed once the system has them
 * @returns an answer for each, without its length
 * @throws AGENT_NOT_FOUND where nobody listens, AGENT_FAILED where the agent does not keep to the protocol, the signal's
 * reason
 */
export async function ask(
  socket: string,
  messages: readonly Buffer[],
  { signal, patience = usualPatience }: AskOptions,
): Promise<Buffer[]> {
  signal.throwIfAborted();
  if (messages.length === 0) return [];
  return await new Promise<Buffer[]>((resolve, reject) => {
    const reader = new MessageReader();
    const received: Buffer[] = [];
    let connected = false;
    const connection = createConnection({ path: socket });
    const stop = (): void => {
      end(() => {
        reject(signal.reason as Error);
      });
    };
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', stop);
      connection.destroy();
      settle();
    };
    const fail = (failure: Failure): void => {
      end(() => {
        reject(failure);
      });
    };
    signal.addEventListener('abort', stop, { once: true });
    connection.setTimeout(patience, () => {
      fail(broken(socket, `has not answered for ${patience / 1000} seconds`));
    });
    connection.on('connect', () => (connected = true));
    connection.on('error', (error: NodeJS.ErrnoException) => {
      fail(connected ? broken(socket, 'closed the connection', error) : nobody(socket, error));
    });
    connection.on('close', () => {
      fail(broken(socket, 'closed the connection'));
    });
    connection.on('data', (chunk: Buffer) => {
      try {
        received.push(...reader.push(chunk));
        if (received.length < messages.length) return;
        if (received.length > messages.length) throw new RangeError('more answers than messages');
      } catch (error) {
        fail(broken(socket, strange, error));
        return;
      }
      end(() => {
        resolve(received);
      });
    });
    for (const message of messages) connection.write(message, () => message.fill(0));
  });
}

/** What an agent does that answers with anything else. */
export const strange = 'does not speak the protocol of ssh-agent';

function nobody(socket: string, cause: NodeJS.ErrnoException): Failure {
  return new Failure(
    'AGENT_NOT_FOUND',
    `no ssh-agent listens on ${socket} (${cause.code ?? cause.message})`,
    {
      hint: 'it was ended, or never started: use a new one',
      cause,
    },
  );
}

/** @param problem what the agent did, as the end of a sentence */
export function broken(socket: string, problem: string, cause?: unknown): Failure {
  return new Failure('AGENT_FAILED', `the agent at ${socket} ${problem}`, {
    hint: 'see which agent that is, and whether it takes keys: ssh-add -l; OpenSSH 8.4 or newer is needed',
    cause,
  });
}
