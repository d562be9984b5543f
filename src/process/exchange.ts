/** One question to a daemon behind a UNIX socket, and its answer. */
import { connect } from 'node:net';

export interface ExchangeOptions {
  readonly signal: AbortSignal;
  /** Whether the answer is whole. Without it, it is what comes before the daemon closes, and the question ends with our side. */
  readonly isWhole?: (answer: Buffer) => boolean;
}

/** More than a daemon of ours says. */
const longestAnswer = 65_536;

/** @returns undefined where nobody listens; empty where the answer does not come before the signal, or has no end */
export async function exchange(
  socket: string,
  question: Buffer | string,
  { signal, isWhole }: ExchangeOptions,
): Promise<Buffer | undefined> {
  if (signal.aborted) return Buffer.alloc(0);
  return await new Promise((resolve) => {
    let answer = Buffer.alloc(0);
    const connection = connect({ path: socket, allowHalfOpen: true });
    const end = (result: Buffer | undefined): void => {
      signal.removeEventListener('abort', giveUp);
      connection.destroy();
      resolve(result);
    };
    const giveUp = (): void => {
      end(Buffer.alloc(0));
    };
    signal.addEventListener('abort', giveUp);
    connection
      .on('error', () => {
        end(undefined);
      })
      .on('data', (chunk) => {
        answer = Buffer.concat([answer, chunk]);
        if (answer.length > longestAnswer) giveUp();
        else if (isWhole?.(answer)) end(answer);
      })
      .on('end', () => {
        end(answer);
      });
    if (isWhole) connection.write(question);
    else connection.end(question);
  });
}
