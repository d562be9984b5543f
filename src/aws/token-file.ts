/** Reads the token in the file of `web-identity-token-file`: of Forgejo, of a pod in EKS, or from an earlier step. */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { Failure } from '../errors.ts';
import { readToken, type Token } from './token.ts';

/** Characters of a token. @source AWS STS API Reference, AssumeRoleWithWebIdentity, `WebIdentityToken` */
const longest = 20_000;

/**
 * Symbolic links are followed: Kubernetes replaces a token by replacing a link. Text that is not a token is not sent.
 *
 * @throws INPUT_INVALID
 */
export async function readTokenFile(path: string): Promise<Token> {
  const text = (await readStart(path)).trim();
  if (text === '') throw fail(path, 'is empty', writer);
  if (text.length > longest) {
    throw fail(path, `has more than ${longest} characters`, 'a token is shorter: write the path of its file');
  }
  const token = compact.test(text) ? readToken(text) : undefined;
  if (token) return { ...token, file: path };
  throw fail(path, 'has no token in it', 'the file must hold one JSON Web Token, and nothing else');
}

/** Three parts in base64url. @source RFC 7515 §7.1 */
const compact = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const writer = 'check that the step or the service that writes the token has run before this step';

/** Reads enough to see that a file is too long. O_NONBLOCK: opening a pipe must not wait for its other end. */
async function readStart(path: string): Promise<string> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) throw fail(path, 'is not a file', 'write the path of a file');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4 * longest), 0, 4 * longest, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    throw error instanceof Failure ? error : unreadable(path, error);
  } finally {
    await file?.close();
  }
}

function unreadable(path: string, error: unknown): Failure {
  const { code = '' } = error as { code?: string };
  if (code === 'ENOENT' || code === 'ENOTDIR') return fail(path, 'is not there', writer);
  const hint = 'give the user that runs this step the right to read the file';
  return fail(path, `cannot be read (${code || 'it is not known why'})`, hint);
}

function fail(path: string, problem: string, hint: string): Failure {
  const message = `the input web-identity-token-file names ${path}, which ${problem}`;
  return new Failure('INPUT_INVALID', message, { hint });
}
