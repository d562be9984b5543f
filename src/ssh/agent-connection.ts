/** Sends messages to an agent over its socket and reads the answers. */
import { createConnection } from 'node:net';
import { Failure } from '../errors.ts';
import { MessageReader } from './agent-protocol.ts';

export interface AskOptions {
  readonly signal: AbortSignal;
  /** Milliseconds without any byte from the agent while answers are missing. */
  readonly patience?: number;
}

/** Much longer than a working agent needs, but shorter than the usual time limits, so that the error names the agent. */
const usualPatience = 10_000;

/**
 * Sends all messages at once: an agent answers them one after the other, in order (RFC 9987).
 *
 * @param messages with their lengths; zeroed after they are written
 * @returns one answer for each message, without its length
 * @throws AGENT_NOT_FOUND if nobody listens, AGENT_FAILED if the agent breaks the protocol, the signal's reason
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
        fail(broken(socket, breaksProtocol, error));
        return;
      }
      end(() => {
        resolve(received);
      });
    });
    for (const message of messages) connection.write(message, () => message.fill(0));
  });
}

/** Describes an agent that sends any other answer. */
export const breaksProtocol = 'does not speak the protocol of ssh-agent';

function nobody(socket: string, cause: NodeJS.ErrnoException): Failure {
  return new Failure(
    'AGENT_NOT_FOUND',
    `no ssh-agent listens on ${socket} (${cause.code ?? cause.message})`,
    {
      hint: 'the agent has ended or was never started: start a new one',
      cause,
    },
  );
}

/** @param problem what the agent did, to complete the sentence "the agent at SOCKET …" */
export function broken(socket: string, problem: string, cause?: unknown): Failure {
  return new Failure('AGENT_FAILED', `the agent at ${socket} ${problem}`, {
    hint: 'check which agent it is and that it accepts keys: ssh-add -l; OpenSSH 8.4 or newer is needed',
    cause,
  });
}
