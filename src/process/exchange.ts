/** One question to a daemon behind a UNIX socket, and its answer: what comes before the daemon closes. */
import { connect } from 'node:net';

/** More than a daemon of ours says. */
const longestAnswer = 65_536;

/** @returns undefined where nobody listens; empty where the answer does not come before the signal, or has no end */
export async function exchange(
  socket: string,
  question: string,
  { signal }: { readonly signal: AbortSignal },
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
      })
      .on('end', () => {
        end(answer);
      });
    connection.end(question);
  });
}
