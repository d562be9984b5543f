/** The token that a cache on this machine asks for. It proves that the request comes from this machine. */
import { readFile } from 'node:fs/promises';
import { Failure } from '../errors.ts';

/** Where the Secrets Manager Agent's service writes it. */
const usualFile = '/var/run/awssmatoken';

export interface CacheToken {
  /** Secret. */
  readonly text: string;
  /** The variable or the file that has it. */
  readonly place: string;
}

/**
 * AWS_TOKEN names the token or its file, as for the agent itself. In a Lambda function the token is that of its session.
 *
 * @throws CREDENTIALS_MISSING
 * @source AWS Secrets Manager User Guide, "Using the AWS Secrets Manager Agent" and "Use AWS Secrets Manager secrets in AWS
 *   Lambda functions"
 */
export async function cacheToken(
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<CacheToken> {
  const isFunction = Boolean(env['AWS_LAMBDA_FUNCTION_NAME']);
  const given = env['AWS_TOKEN'];
  const session = env['AWS_SESSION_TOKEN'];
  if (given && !given.startsWith('file://')) return { text: given.trim(), place: 'AWS_TOKEN' };
  if (!given && isFunction && session) return { text: session, place: 'AWS_SESSION_TOKEN' };
  const file = given ? given.slice('file://'.length) : usualFile;
  try {
    return { text: (await readFile(file, { encoding: 'utf8', signal })).trim(), place: file };
  } catch (error) {
    signal.throwIfAborted();
    const { code = 'it cannot be read' } = error as NodeJS.ErrnoException;
    throw new Failure('CREDENTIALS_MISSING', `the token of the cache is not in ${file} (${code})`, {
      hint: 'set AWS_TOKEN to the token of the Secrets Manager Agent, or to file:// and the path of its file, which this user has to be able to read (group awssmatokenreader)',
      cause: error,
    });
  }
}
