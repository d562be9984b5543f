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
  if (given && !given.startsWith('file://')) return tokenOf(given, 'AWS_TOKEN');
  if (!given && isFunction && session) return tokenOf(session, 'AWS_SESSION_TOKEN');
  const file = given ? given.slice('file://'.length) : usualFile;
  return tokenOf(await readToken(file, signal), file);
}

const hint =
  'set AWS_TOKEN to the token of the Secrets Manager Agent, or to file:// and the path of its file, which this user has to be able to read (group awssmatokenreader)';

async function readToken(file: string, signal: AbortSignal): Promise<string> {
  try {
    return await readFile(file, { encoding: 'utf8', signal });
  } catch (cause) {
    signal.throwIfAborted();
    const { code = 'it cannot be read' } = cause as NodeJS.ErrnoException;
    throw new Failure('CREDENTIALS_MISSING', `the token of the cache is not in ${file} (${code})`, {
      hint,
      cause,
    });
  }
}

/** Other text could not be sent as a header: the request would fail as if the cache could not be reached. */
function tokenOf(value: string, place: string): CacheToken {
  const text = value.trim();
  if (/^[\x20-\x7e]+$/.test(text)) return { text, place };
  throw new Failure('CREDENTIALS_MISSING', `${place} has no token of the cache`, { hint });
}
