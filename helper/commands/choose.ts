/**
 * The story of the cold path: what the configuration says, for helper/ssm-ssh to pick from; and the keys that are for this
 * connection, each from its reference to the agent of this user, its public parts beside the agent.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure, toFailure } from '../../src/errors.ts';
import { listSettings } from '../../src/git/config-file.ts';
import type { Listing } from '../../src/git/listing.ts';
import {
  askedSettings,
  compile,
  mayBeWritten,
  pick,
  renderAnswer,
  renderKept,
  textOf,
  type Compiled,
  type HostKey,
} from '../../src/host/compile.ts';
import { warningsOnly } from '../../src/host/voice.ts';
import { parseReference, type Reference } from '../../src/keys/reference.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import type { HostKeys } from '../../src/host/read-keys.ts';
import type { LoadedKey } from '../../src/host/open-key.ts';
import { addKeys, removeKey } from '../../src/ssh/agent-keys.ts';
import { renderKnownHosts } from '../../src/ssh/known-hosts.ts';
import { tellKeeper } from '../../src/ssh/user-agent.ts';
import { visible } from '../../src/keys/visible-text.ts';
import { toAdd } from '../command-line/keys.ts';
import { parseHostPlace, readSeconds, timeLimit } from '../command-line/host-place.ts';
import { ensureAgent } from '../command-line/user-agent.ts';

const program = 'ssm-ssh';

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person reads along. */
  readonly terminal: boolean;
  readonly tell: (text: string) => void;
  /** Standard output, which the waiting shell evaluates. */
  readonly out: (text: string) => void;
  /** The folder of the programs' scripts. */
  readonly helper: string;
}

/** What the shell asks. It hands it on by the environment, which other users cannot read, and not as arguments. */
export interface Question {
  /** The folder of the agent, its keys, and what was compiled. */
  readonly state: string;
  /** Whoever waits finds in its file `outcome` how it went, and the two lines of a failure. */
  readonly place: string;
  /** The one key that is wanted, by its folder. Empty: those that are for the host. */
  readonly key: string;
  /** Empty: the settings alone are wanted. */
  readonly host: string;
  readonly port: string;
  readonly repository: string;
  /** The region that the action was given; empty where there is none. */
  readonly region: string;
  /** Empty: the default key is not wanted. */
  readonly default: string;
}

const questionNames = ['state', 'place', 'key', 'host', 'port', 'repository', 'region', 'default'] as const;

/** Takes it out of the environment, which programs that the AWS SDK starts get, too. */
export function takeQuestion(env: Record<string, string | undefined>): Question {
  const taken = questionNames.map((name) => {
    const variable = `_SSM_ASKED_${name.toUpperCase()}`;
    const value = env[variable] ?? '';
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the environment is no object of ours
    delete env[variable];
    return [name, value] as const;
  });
  return Object.fromEntries(taken) as unknown as Question;
}

/** Answers the exit code. */
export async function choose(question: Question, io: Terminal): Promise<number> {
  const { state, place, key: only, repository, region } = question;
  const { env, tell, out } = io;
  const keys = join(state, 'keys');
  if (!state || !place) throw new TypeError('no folder was named');
  try {
    // While git answers.
    if (only || question.host) void import('../../src/host/read-keys.ts');
    const signal = timeLimit(30, 'reading the configuration of git');
    const listing = await listSettings(askedSettings, { env, signal }).catch(noneWithoutGit);
    const connection = { byGit: repository !== '', jobRegion: region, awsFiles: await awsFilesOf(env) };
    const compiled = compile(listing, env, connection);
    const wanted = only
      ? compiled.keys.filter(({ name }) => join(keys, name) === only)
      : pickKeys(compiled, question, env);
    const outcomes = [];
    for (const key of wanted) outcomes.push(await fetchKey(key, question, io));
    const answer = renderAnswer(compiled, keys);
    const text = textOf(listing, env, connection);
    const proven = wanted.some(({ pattern }) => !pattern);
    if (text !== undefined && !only && (proven || mayBeWritten(env)))
      // What cannot be kept is made anew the next time.
      await keep(renderKept(text, answer), state).catch(() => undefined);
    // Before the answer: whoever asked may be gone, and others wait.
    await writeOutcome(place, `ok ${randomUUID()}\n`);
    out(`${answer}_ssm_set_fetched=${outcomes.includes('fetched') ? 'yes' : ''}\n_ssm_set_found=1\n`);
    return 0;
  } catch (error) {
    const told = `${toFailure(error).render(program)}\n`;
    tell(told);
    await writeOutcome(place, `failed ${randomUUID()}\n${told}`);
    return 255;
  }
}

/** As the AWS SDK finds it. */
async function awsFilesOf(env: Terminal['env']): Promise<string | undefined> {
  const folder = join(env['HOME'] || homedir(), '.aws');
  const names: readonly string[] = await readdir(folder).catch(() => []);
  return names.includes('config') || names.includes('credentials') ? folder : undefined;
}

/** Where there is no room for it, whoever waits finds out by trying. */
async function writeOutcome(place: string, text: string): Promise<void> {
  await mkdir(place, { recursive: true, mode: 0o700 })
    .then(() => write(join(place, 'outcome'), text))
    .catch(() => undefined);
}

function noneWithoutGit(error: unknown): Listing {
  if (error instanceof Failure && error.code === 'GIT_NOT_FOUND') return { entries: [], scoped: true };
  throw error;
}

/** The keys that the connection is sure to need. */
function pickKeys(compiled: Compiled, question: Question, env: Terminal['env']): HostKey[] {
  const { host, port, repository } = question;
  const remote = { host, port: Number(port), path: repository };
  // A command of somebody else's may bring its own key, which the shell finds out.
  const theirs = [compiled.command, env['GIT_SSH'] ?? ''].some(
    (text) => repository !== '' && text !== '' && !text.includes('ssm-ssh'),
  );
  const isWanted = ({ pattern }: HostKey): boolean =>
    pattern !== undefined || (question.default !== '' && !theirs);
  return pick({ keys: compiled.keys.filter(isWanted) }, remote);
}

/** So many configurations stay warm; the oldest goes. */
const mostKept = 16;

async function keep(text: string, state: string): Promise<void> {
  const folder = join(state, 'compiled');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await write(join(folder, randomUUID()), text);
  const names = await readdir(folder);
  const paths = names.filter((name) => !name.startsWith('.')).map((name) => join(folder, name));
  if (paths.length <= mostKept) return;
  const dated = await Promise.all(
    paths.map(async (path) => ({
      path,
      at: await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    })),
  );
  dated.sort((a, b) => a.at - b.at);
  for (const { path } of dated.slice(0, -mostKept)) await rm(path, { force: true });
}

interface Wanted extends HostKeys {
  /** The folder of the key's public parts. */
  readonly into: string;
  readonly socket: string;
  /** Seconds; 0 for no limit. */
  readonly lifetime: number;
}

type Fetching = 'fetched' | 'there';

async function fetchKey(key: HostKey, { state, key: only }: Question, io: Terminal): Promise<Fetching> {
  const into = join(state, 'keys', key.name);
  const wanted = { into, socket: join(state, 'agent'), ...check(key) };
  const [line] = wanted.keys;
  await mkdir(into, { recursive: true, mode: 0o700 });
  // The shell has looked at the agent itself where it asks for one key.
  if (!only && (await held(into)).live) return 'there';
  const waiting = setTimeout(() => {
    if (io.terminal) io.tell(`${program}: reading ${visible(line?.reference.text ?? '')} from AWS\n`);
  }, 1000);
  // It starts while AWS is asked.
  const agent = startAgent(state, key, io);
  try {
    return await load(wanted, agent, io);
  } finally {
    clearTimeout(waiting);
    await agent.catch(() => undefined);
  }
}

/** Seconds: more than a timer holds is no time at all. */
const longestTimer = 2_147_483;

async function startAgent(state: string, { place }: HostKey, { env, helper }: Terminal): Promise<unknown> {
  const { timeoutSeconds } = parseHostPlace(place);
  // The script says itself what it waits for.
  const signal = timeLimit(Math.min(timeoutSeconds + 5, longestTimer), 'starting the agent');
  return await ensureAgent({ helper, folder: state, timeout: place.timeout }, { env, signal });
}

async function load(wanted: Wanted, agent: Promise<unknown>, { env, tell }: Terminal): Promise<Fetching> {
  const { into, socket, lifetime, timeoutSeconds } = wanted;
  const signal = timeLimit(timeoutSeconds, 'fetching the key');
  const voice = warningsOnly((message) => {
    tell(`${program}: ${visible(message)}\n`);
  });
  const { readHostKeys } = await import('../../src/host/read-keys.ts');
  const [[key]] = await Promise.all([readHostKeys(wanted, { env, signal, voice }), agent]);
  if (!key) throw new TypeError('one line has one key');
  // An agent that starts anew takes old folders away.
  await mkdir(into, { recursive: true, mode: 0o700 });
  const there = await held(into);
  if (there.version === key.secret.version && there.live) return 'there';
  // The second in which it is added counts: the mark goes no later than the key.
  const until = lifetime === 0 ? 0 : Math.floor(Date.now() / 1000) + lifetime;
  await rm(join(into, 'live'), { force: true });
  if (there.publicKey !== undefined && there.publicKey !== publicLine(key)) {
    const [, blob = ''] = there.publicKey.split(' ');
    await removeKey({ socket }, Buffer.from(blob, 'base64'), { signal });
  }
  await addKeys({ socket }, [toAdd(key)], { lifetime, signal });
  await note(wanted, key, until);
  return 'fetched';
}

/** What is known of the key that the agent had before. */
async function held(into: string): Promise<{ version?: string; publicKey?: string; live: boolean }> {
  const read = (name: string): Promise<string | undefined> =>
    readFile(join(into, name), 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    );
  const [version, publicKey, live] = await Promise.all([read('version'), read('key.pub'), read('live')]);
  return {
    ...(version !== undefined && { version }),
    ...(publicKey !== undefined && { publicKey }),
    live: live !== undefined,
  };
}

/** The mark comes last: it says that all the rest is there. The keeper of the agent is told of it. */
async function note({ into, socket }: Wanted, key: LoadedKey, until: number): Promise<void> {
  const state = dirname(socket);
  await write(join(state, 'pinned_hosts'), renderKnownHosts(''));
  await write(join(into, 'key.pub'), `${publicLine(key)}\n`);
  if (key.certificate) await write(join(into, 'key-cert.pub'), `${key.certificate.line}\n`);
  await write(join(into, 'fingerprint'), `${key.fingerprint}\n`);
  await write(join(into, 'version'), `${key.secret.version}\n`);
  await write(join(into, 'live'), `${until}\n`);
  await tellKeeper(state);
}

function publicLine({ publicKey }: LoadedKey): string {
  return authorizedKeysLine(publicKey);
}

/** In one step: others read at any time. Until then its name begins with a dot, which the patterns of the shell pass over. */
async function write(path: string, text: string): Promise<void> {
  const fresh = join(dirname(path), `.${randomUUID()}`);
  try {
    await writeFile(fresh, text, { flag: 'wx', mode: 0o600 });
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

/** @throws INPUT_INVALID */
function check(key: HostKey): Omit<Wanted, 'into' | 'socket'> {
  const { reference, passphrase, certificate, lifetime, place } = key;
  return {
    keys: [
      {
        reference: parseReference(reference.trim()),
        ...(passphrase && { passphrase: readReference('passphrase', passphrase) }),
        ...(certificate && { certificate: readReference('certificate', certificate) }),
        repositories: [],
      },
    ],
    ...parseHostPlace(place),
    lifetime: readSeconds(lifetime, 'ssm.keyLifetime'),
  };
}

/** What stands there may be the passphrase itself, and is not repeated. */
function readReference(name: 'passphrase' | 'certificate', text: string): Reference {
  try {
    return parseReference(text.trim());
  } catch (cause) {
    const setting = `ssm.${name} (SSM_SSH_${name.toUpperCase()})`;
    throw new Failure('INPUT_INVALID', `${setting} is not the name of a parameter or a secret`, {
      hint: `write /NAME or secretsmanager:NAME, where the ${name} is stored`,
      cause,
    });
  }
}
