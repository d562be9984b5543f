/**
 * The story of the cold path: what the configuration says, for helper/ssm-ssh to pick from; and the keys that are for this
 * connection, each from its reference to the agent of this user, its public parts beside the agent.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
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
import { keepCompiled, writeWhole } from '../../src/host/kept-files.ts';
import { warningsOnly } from '../../src/host/voice.ts';
import { parseReference, type Reference } from '../../src/keys/reference.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import type { HostKeys } from '../../src/host/read-keys.ts';
import type { LoadedKey } from '../../src/host/open-key.ts';
import { isLive, markFor } from '../../src/host/mark.ts';
import { findStateFolder, unwritable, userOf } from '../../src/host/state-folder.ts';
import { ensureAgent } from '../../src/host/user-agent.ts';
import { addKeys, heldKeys, removeKey } from '../../src/ssh/agent-keys.ts';
import { renderKnownHosts } from '../../src/ssh/known-hosts.ts';
import { visible } from '../../src/keys/visible-text.ts';
import { toAdd } from '../command-line/keys.ts';
import { parseHostPlace, readSeconds, timeLimit } from '../command-line/host-place.ts';

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
  /** The folder of the agent, its keys, and what was compiled. Empty: the user's own, to be found. */
  readonly state: string;
  /** Whoever waits finds in its file `outcome` how it went, and the two lines of a failure. Empty: nobody waits. */
  readonly place: string;
  /** The one key that is wanted, by its folder. Empty: those that are for the host. */
  readonly key: string;
  /** ssh failed with the key, of which the agent had this version. Empty: ssh has not been tried. */
  readonly failed: string;
  /** Empty: the settings alone are wanted. */
  readonly host: string;
  readonly port: string;
  readonly repository: string;
  /** The region that the action was given; empty where there is none. */
  readonly region: string;
  /** Empty: the default key is not wanted. */
  readonly default: string;
}

const questionNames = [
  ...(['state', 'place', 'key', 'failed', 'host', 'port', 'repository', 'region', 'default'] as const),
] as const;

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
  const { place, key: only, repository, region } = question;
  const { env, tell, out } = io;
  try {
    // While git answers.
    if (only || question.host) void import('../../src/host/read-keys.ts');
    const signal = timeLimit(30, 'reading the configuration of git');
    const [listing, state, awsFiles] = await Promise.all([
      listSettings(askedSettings, { env, signal }).catch(noneWithoutGit),
      question.state || findStateFolder(userOf(env)),
      awsFilesOf(env),
    ]);
    const connection = { byGit: repository !== '', jobRegion: region, awsFiles };
    const compiled = compile(listing, env, connection);
    const wanted = only
      ? compiled.keys.filter(({ name }) => join(state, 'keys', name) === only)
      : pickKeys(compiled, question, env);
    let isFetched = false;
    for (const key of wanted) isFetched = (await fetchKey(key, { state, question }, io)) || isFetched;
    const answer = renderAnswer(compiled, state);
    const text = textOf(listing, env, connection);
    const proven = wanted.some(({ pattern }) => !pattern);
    if (text !== undefined && !only && (proven || mayBeWritten(env)))
      // What cannot be kept is made anew the next time.
      await keepCompiled(renderKept(text, answer), state).catch(() => undefined);
    // Before the answer: whoever asked may be gone, and others wait.
    await writeOutcome(place, `ok ${randomUUID()} ${isFetched ? 'fetched' : 'there'}\n`);
    await leave(place, state);
    out(`${answer}_ssm_set_fetched=${isFetched ? 'yes' : ''}\n_ssm_set_found=1\n`);
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
  if (!place) return;
  await mkdir(place, { recursive: true, mode: 0o700 })
    .then(() => writeWhole(join(place, 'outcome'), text))
    .catch(() => undefined);
}

/** What those who waited before the folder of the agent was found have made elsewhere. */
async function leave(place: string, state: string): Promise<void> {
  const folder = dirname(dirname(place));
  if (!place || folder === state) return;
  await rm(place, { recursive: true, force: true }).catch(() => undefined);
  await rmdir(dirname(place)).catch(() => undefined);
  await rm(join(folder, 'node-path'), { force: true }).catch(() => undefined);
  await rmdir(folder).catch(() => undefined);
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

interface Wanted extends HostKeys {
  /** The folder of the key's public parts. */
  readonly into: string;
  /** The folder of the agent. */
  readonly state: string;
  readonly socket: string;
  /** Seconds; 0 for no limit. */
  readonly lifetime: number;
}

interface Asked {
  readonly state: string;
  readonly question: Question;
}

/** @returns whether the agent has the key, or this version of it, only now */
async function fetchKey(key: HostKey, { state, question }: Asked, io: Terminal): Promise<boolean> {
  const into = join(state, 'keys', key.name);
  const wanted = { into, state, socket: join(state, 'agent'), ...check(key) };
  // Of a command of git's, a mark that is wrong costs another try, and no question to the agent.
  const isMarked = !question.key && question.repository !== '' && (await held(into)).live;
  if (!isMarked && !(await isLoaded(wanted))) return await loadWithAgent(wanted, io);
  return question.failed !== '' && (await renew(wanted, question.failed, io));
}

/** By its mark, and by what the agent itself says: somebody may have emptied it. */
async function isLoaded({ into, socket, timeoutSeconds }: Wanted): Promise<boolean> {
  const { live, publicKey } = await held(into);
  if (!live || publicKey === undefined) return false;
  const signal = timeLimit(timeoutSeconds, 'asking the agent');
  const blobs = await heldKeys({ socket }, { signal }).catch(() => []);
  return blobs.some((blob) => blob.equals(blobOf(publicKey)));
}

/** Asks the store, at most once a minute, for a version that is newer than the one that failed. A store that fails has none. */
async function renew(wanted: Wanted, failed: string, io: Terminal): Promise<boolean> {
  const { version } = await held(wanted.into);
  if (version !== failed) return true;
  const asked = join(wanted.into, 'asked');
  const last = await stat(asked).catch(() => undefined);
  if (last && Date.now() - last.mtimeMs < 60_000) return false;
  await writeWhole(asked, '').catch(() => undefined);
  return await loadWithAgent(wanted, { ...io, tell: () => undefined }).catch(() => false);
}

async function loadWithAgent(wanted: Wanted, io: Terminal): Promise<boolean> {
  const { state, timeoutSeconds } = wanted;
  await mkdir(wanted.into, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw unwritable(state, error);
  });
  const [line] = wanted.keys;
  const waiting = setTimeout(() => {
    if (io.terminal) io.tell(`${program}: reading ${visible(line?.reference.text ?? '')} from AWS\n`);
  }, 1000);
  // It starts while AWS is asked, and says itself what it waits for.
  const signal = timeLimit(Math.min(timeoutSeconds + 5, longestTimer), 'starting the agent');
  const ensure = (): Promise<void> =>
    ensureAgent(state, { helper: io.helper, seconds: timeoutSeconds, env: io.env, signal });
  const agent = ensure();
  try {
    return await load(wanted, { agent, ensure }, io);
  } finally {
    clearTimeout(waiting);
    await agent.catch(() => undefined);
  }
}

/** Seconds: more than a timer holds is no time at all. */
const longestTimer = 2_147_483;

interface Vault {
  readonly agent: Promise<void>;
  readonly ensure: () => Promise<void>;
}

async function load(wanted: Wanted, { agent, ensure }: Vault, { env, tell }: Terminal): Promise<boolean> {
  const { into, state, socket, lifetime, timeoutSeconds } = wanted;
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
  if (there.version === key.secret.version && (await isLoaded(wanted))) return false;
  // The second in which it is added counts: the mark goes no later than the key.
  const mark = await markFor(lifetime);
  await rm(join(into, 'live'), { force: true });
  if (there.publicKey !== undefined && there.publicKey !== publicLine(key))
    await removeKey({ socket }, blobOf(there.publicKey), { signal });
  const add = (): Promise<void> => addKeys({ socket }, [toAdd(key)], { lifetime, signal });
  await add().catch(async (error: unknown) => {
    const isGone = error instanceof Failure && error.code === 'AGENT_NOT_FOUND';
    // Its keeper was about to end it when it was asked; or somebody has flushed all.
    if (!isGone || !existsSync(join(state, 'reserved'))) throw error;
    await ensure();
    await add();
  });
  await note(wanted, key, mark).catch((error: unknown) => {
    throw unwritable(state, error);
  });
  return true;
}

/** What is known of the key that the agent had before. */
async function held(into: string): Promise<{ version?: string; publicKey?: string; live: boolean }> {
  const read = (name: string): Promise<string | undefined> =>
    readFile(join(into, name), 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    );
  const [version, publicKey, mark] = await Promise.all([read('version'), read('key.pub'), read('live')]);
  return {
    ...(version !== undefined && { version }),
    ...(publicKey !== undefined && { publicKey }),
    live: mark !== undefined && (await isLive(mark)),
  };
}

/** The mark comes last: it says that all the rest is there. */
async function note({ into, state }: Wanted, key: LoadedKey, mark: string): Promise<void> {
  await writeWhole(join(state, 'pinned_hosts'), renderKnownHosts(''));
  await writeWhole(join(into, 'key.pub'), `${publicLine(key)}\n`);
  if (key.certificate) await writeWhole(join(into, 'key-cert.pub'), `${key.certificate.line}\n`);
  await writeWhole(join(into, 'fingerprint'), `${key.fingerprint}\n`);
  await writeWhole(join(into, 'version'), `${key.secret.version}\n`);
  await writeWhole(join(into, 'live'), `${mark}\n`);
}

function blobOf(publicKey: string): Buffer {
  const [, blob = ''] = publicKey.split(' ');
  return Buffer.from(blob, 'base64');
}

function publicLine({ publicKey }: LoadedKey): string {
  return authorizedKeysLine(publicKey);
}

/** @throws INPUT_INVALID */
function check(key: HostKey): Omit<Wanted, 'into' | 'state' | 'socket'> {
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
