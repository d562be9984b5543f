/** The story of a git credential: what git asks for, the section that names it, what is stored, and the answer. */
import { toFailure } from '../../src/errors.ts';
import { inTime } from '../../src/in-time.ts';
import { readOwnSettings } from '../../src/git/config-file.ts';
import { chooseRoute, readRoutes, type NamedCredential } from '../../src/git/credential-routes.ts';
import { parseRequest, renderCredential, type Credential, type Request } from '../../src/git/credential.ts';
import { readStoredCredential } from '../../src/git/stored-credential.ts';
import { membersOf } from '../../src/keys/json-secret.ts';
import { parseCredentialReference } from '../command-line/credential-reference.ts';
import { readSeconds, timeLimit } from '../command-line/time-limit.ts';

const program = 'git-credential-ssm';

export interface GitIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** All of standard input. */
  input(): Uint8Array;
  /** Standard output: git reads it. */
  out(text: string): void;
  /** Standard error: people do. */
  err(text: string): void;
}

/**
 * A failure leaves git to its next helper, or to asking; `quit=1` would take that away from people who have one.
 *
 * @returns the exit code
 */
export async function answerGit(args: readonly string[], io: GitIo): Promise<number> {
  try {
    if (args.at(-1) !== 'get') return 0;
    const request = parseRequest(io.input());
    if (request?.protocol === 'https') io.out(await get(request, io));
    return 0;
  } catch (error) {
    const failure = toFailure(error);
    io.err(`${failure.render(program)}\n`);
    return failure.exitCode;
  }
}

/** @returns lines for git; none where this is not ours to answer */
async function get(request: Request, io: GitIo): Promise<string> {
  const { env } = io;
  const warn = (message: string): void => {
    io.err(`${program}: warning: ${message}\n`);
  };
  const settings = await readOwnSettings({ env, signal: timeLimit(30, 'reading the configuration of git') });
  const { routes, warnings } = readRoutes(settings, env);
  const { named, warnings: more } = chooseRoute(routes, request);
  for (const message of [...warnings, ...more]) warn(message);
  if (!named) return '';
  const credential = await read(named, { request, env, warn });
  // git would take another user's password, too.
  if (request.username !== undefined && credential.username !== undefined) {
    if (request.username !== credential.username) return '';
  }
  const { reference, place } = named;
  if (credential.authtype !== undefined && !request.capability.includes('authtype')) {
    warn(`${reference} is for git 2.46 or newer: it has an "authtype", which this git does not know`);
    return '';
  }
  return renderCredential(credential, `${reference} (${place})`);
}

interface ReadOptions {
  readonly request: Request;
  readonly env: GitIo['env'];
  readonly warn: (message: string) => void;
}

/** All that hangs on the AWS SDK is loaded here. */
async function read(named: NamedCredential, { request, env, warn }: ReadOptions): Promise<Credential> {
  const { region, roles, username, reference: resource } = named;
  const timeoutSeconds = Math.max(1, readSeconds(named.timeout, 'ssm.timeout'));
  const keys = [{ reference: parseCredentialReference(resource, named.place), repositories: [] }];
  const signal = timeLimit(timeoutSeconds, 'reading the credential');
  const voice = { info: () => undefined, mask: () => undefined, warn };
  const { readHostSecrets, warnOfPlainText } = await import('../../src/loading/host-keys.ts');
  const wanted = { keys, region, roles, timeoutSeconds };
  const [secret] = await inTime(readHostSecrets(wanted, { env, signal, voice }), signal);
  if (!secret) throw new TypeError('a reference was answered by no secret');
  warnOfPlainText(secret, voice);
  const { text } = secret;
  if (membersOf(text)) {
    const { appCredential } = await import('./app-credential.ts');
    const made = await inTime(appCredential(text, { request, resource, env, signal }), signal);
    if (made) return made;
  }
  return readStoredCredential({ text, resource, username }, Date.now() / 1000);
}
