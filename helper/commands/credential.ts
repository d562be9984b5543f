/** git-credential-ssm: reads the request of git, finds the section for it, reads or stores the credential, and answers. */
import { Failure, toFailure } from '../../src/errors.ts';
import { abortable } from '../../src/deadline.ts';
import { readProtectedSettings } from '../../src/git/config-file.ts';
import { chooseRoute, readRoutes, type NamedCredential } from '../../src/host/credential-routes.ts';
import { warningsOnly } from '../../src/host/voice.ts';
import { parseRequest, renderCredential, type Credential, type Request } from '../../src/git/credential.ts';
import { isGitHubApp } from '../../src/github/app.ts';
import { readNamedCredential } from '../../src/git/named-credential.ts';
import { visible } from '../../src/keys/visible-text.ts';
import { parseCredentialReference } from '../command-line/settings.ts';
import { parseHostPlace, readTimeLimit, timeLimit } from '../command-line/host-place.ts';
import { markedName } from '../error-mark.ts';
import { OutputClosed } from '../write-text.ts';
import { erase, getStored, store, storageFor, type CredentialStorage } from '../credential/store.ts';

const program = 'git-credential-ssm';

export interface GitIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** All of standard input. */
  input(): Promise<Uint8Array>;
  /** Standard output: git reads it. */
  out(text: string): void;
  /** Standard error: people read it. */
  err(text: string): void;
}

/** Shown to people who start it without git. */
const help = `A git credential helper: tokens for HTTPS remotes from AWS Parameter Store and Secrets Manager.

  git config --global credential.helper ssm
  git config --global ssm.github.com/acme.credential /ci/github-token
  git config --global credential.https://github.com.useHttpPath true
  git clone https://github.com/acme/lib.git

git starts it: git-credential-ssm [--store-prefix /PREFIX] get|store|erase|capability

It answers only for what a section names, and only over https. ssm-ssh-agent setup --global --credential writes the lines
above for you. With a store prefix it also keeps what git stores, as SecureString parameters. docs/https.md has more.
`;

/**
 * After a failure git tries its next helper, or asks the user. `quit=1` would prevent that.
 *
 * @returns the exit code
 */
export async function answerGit(args: readonly string[], io: GitIo): Promise<number> {
  const operation = args.at(-1) ?? '';
  if (operation === '') {
    io.err(help);
    return 2;
  }
  if (['--help', '-h', 'help'].includes(operation)) io.out(help);
  if (operation !== 'get' && operation !== 'store' && operation !== 'erase') return 0;
  try {
    const limit = readTimeLimit(io.env['SSM_SSH_TIMEOUT'] || '30s', 'SSM_SSH_TIMEOUT');
    const request = parseRequest(await abortable(io.input(), timeLimit(limit, 'reading what git asks for')));
    if (!request && operation === 'store') throw unreadable();
    if (request?.protocol === 'https')
      io.out(await operations[operation](request, await look(args, request, io)));
    return 0;
  } catch (error) {
    if (error instanceof OutputClosed) throw error;
    const failure = toFailure(error);
    io.err(`${failure.render(markedName(program, io.env))}\n`);
    return failure.exitCode;
  }
}

function unreadable(): Failure {
  return new Failure('CREDENTIAL_INVALID', 'what is to be stored has a CR or a NUL in it, or is no UTF-8', {
    hint: 'nothing was stored; type the password by hand, or paste it without a line break',
  });
}

/** The settings for the request. */
interface Found extends Surroundings {
  /** A section's, or that of the environment. */
  readonly named: NamedCredential | undefined;
  /** Only if there is a store prefix. */
  readonly storage: CredentialStorage | undefined;
}

async function look(args: readonly string[], request: Request, io: GitIo): Promise<Found> {
  const { env } = io;
  const warn = (message: string): void => {
    io.err(`${program}: warning: ${visible(message)}\n`);
  };
  const { settings, ignored } = await readProtectedSettings({ env });
  const { routes, warnings } = readRoutes(settings, env);
  const { named, warnings: more } = chooseRoute(routes, request);
  // One warning per command of git, although git starts the helper several times.
  if (args.at(-1) === 'get')
    for (const message of [...ignoredWarnings(ignored), ...warnings, ...more]) warn(message);
  return { named, storage: storageFor(args, settings, { env, warn }), env, warn };
}

/** By their names alone, which others chose but for these. */
function ignoredWarnings(ignored: readonly string[]): string[] {
  const known = [
    'credential',
    'username',
    'storePrefix',
    'kmsKeyId',
    'region',
    'roleArn',
    'timeout',
    'cache',
  ];
  const named = ignored.flatMap((name) => {
    const variable = known.find((one) => name.endsWith(`.${one.toLowerCase()}`));
    return variable === undefined ? [] : [`ssm.${/^ssm\.[^.]*$/.test(name) ? '' : '*.'}${variable}`];
  });
  return [...new Set(named)].map(
    (name) =>
      `${name} of the repository's own configuration is ignored: write it with git config --global or --system`,
  );
}

type Operation = (request: Request, found: Found) => Promise<string>;

/** Each answers lines for git; none where this is not ours to answer. What a section names is not ours to write. */
const operations = {
  get: async (request, { named, storage, ...options }) => {
    if (named) return await getNamed(request, named, options);
    const credential = storage && (await getStored(request, storage));
    return credential ? renderCredential(credential, `what is stored below ${storage.prefix}`) : '';
  },
  store: async (request, { named, storage }) => {
    if (!named && storage) await store(request, storage);
    return '';
  },
  erase: async (request, { named, storage }) => {
    if (!named && storage) await erase(request, storage);
    return '';
  },
} as const satisfies Record<string, Operation>;

async function getNamed(
  request: Request,
  named: NamedCredential,
  { env, warn }: Surroundings,
): Promise<string> {
  const credential = await read(named, { request, env, warn });
  // git would also accept the password of another user.
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

interface Surroundings {
  readonly env: GitIo['env'];
  readonly warn: (message: string) => void;
}

/** Importing these files loads the AWS SDK. */
async function read(
  named: NamedCredential,
  { request, env, warn }: Surroundings & { readonly request: Request },
): Promise<Credential> {
  const { username, reference: resource } = named;
  const place = parseHostPlace(named);
  const keys = [{ reference: parseCredentialReference(resource, named.place), repositories: [] }];
  const signal = timeLimit(place.timeoutSeconds, 'reading the credential');
  const voice = warningsOnly(warn);
  const { readHostSecrets, warnOfPlainText } = await import('../../src/host/read-keys.ts');
  const wanted = { keys, ...place };
  const [secret] = await readHostSecrets(wanted, { env, signal, voice });
  if (!secret) throw new TypeError('a reference was answered by no secret');
  warnOfPlainText(secret, voice);
  const { text } = secret;
  if (isGitHubApp(text)) {
    const { appCredential } = await import('../credential/app.ts');
    return await abortable(
      appCredential(text, { request, resource, env, signal, host: place, voice }),
      signal,
    );
  }
  return readNamedCredential({ text, resource, username }, Date.now() / 1000);
}
