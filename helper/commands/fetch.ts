/** The story of the cold path: one key, from its reference to the agent of this user; its public parts beside the agent. */
import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Failure, toFailure } from '../../src/errors.ts';
import { rolesIn } from '../../src/host/settings.ts';
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

const program = 'ssm-ssh';

export interface Terminal {
  /** What people wrote: the shell hands it on by the environment, which other users cannot read, and not as arguments. */
  readonly settings: FetchSettings;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person reads along. */
  readonly terminal: boolean;
  readonly tell: (text: string) => void;
  /** Whether the agent that was starting meanwhile is there; waits until that is known. If not, the reason was told. */
  readonly agentIsUp: () => boolean;
}

interface Wanted extends HostKeys {
  /** The folder of the key's public parts. */
  readonly into: string;
  readonly socket: string;
  /** Seconds; 0 for no limit. */
  readonly lifetime: number;
}

/** Answers the exit code. Whoever waits for the same key finds in `outcome` how it went, and the two lines of a failure. */
export async function fetchKey(args: readonly string[], io: Terminal): Promise<number> {
  const { terminal, tell, settings } = io;
  const { into, socket } = parseArgs({ args: [...args], options, strict: true }).values;
  if (!into) throw new TypeError('no folder was given for the public parts');
  try {
    const wanted = { into, socket, ...check(settings) };
    const [line] = wanted.keys;
    const waiting = setTimeout(() => {
      if (terminal) tell(`${program}: reading ${visible(line?.reference.text ?? '')} from AWS\n`);
    }, 1000);
    const loaded = await load(wanted, io);
    clearTimeout(waiting);
    if (!loaded) return 255;
    await write(join(into, 'outcome'), `ok ${randomUUID()}\n`);
    return 0;
  } catch (error) {
    const told = `${toFailure(error).render(program)}\n`;
    tell(told);
    // Where there is no room for it, whoever waits finds out by trying.
    await write(join(into, 'outcome'), `failed ${randomUUID()}\n${told}`).catch(() => undefined);
    return 255;
  }
}

/** @returns false where there is no agent to load it into */
async function load(wanted: Wanted, { env, tell, agentIsUp }: Terminal): Promise<boolean> {
  const { into, socket, lifetime, timeoutSeconds } = wanted;
  const signal = timeLimit(timeoutSeconds, 'fetching the key');
  const voice = {
    info: () => undefined,
    mask: () => undefined,
    warn: (message: string) => {
      tell(`${program}: ${visible(message)}\n`);
    },
  };
  const { readHostKeys } = await import('../../src/host/read-keys.ts');
  const [key] = await readHostKeys(wanted, { env, signal, voice });
  if (!key) throw new TypeError('one line has one key');
  const there = await held(into);
  if (there.version === key.secret.version && there.live) return true;
  if (!agentIsUp()) return false;
  // The second in which it is added counts: the mark goes no later than the key.
  const until = lifetime === 0 ? 0 : Math.floor(Date.now() / 1000) + lifetime;
  await rm(join(into, 'live'), { force: true });
  if (there.publicKey !== undefined && there.publicKey !== publicLine(key)) {
    const [, blob = ''] = there.publicKey.split(' ');
    await removeKey({ socket }, Buffer.from(blob, 'base64'), { signal });
  }
  await addKeys({ socket }, [toAdd(key)], { lifetime, signal });
  await note(wanted, key, until);
  return true;
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

/** In one step: others read at any time. */
async function write(path: string, text: string): Promise<void> {
  const fresh = `${path}.${randomUUID()}`;
  try {
    await writeFile(fresh, text, { flag: 'wx', mode: 0o600 });
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

const text = { type: 'string', default: '' } as const;

const options = { into: text, socket: text } as const;

const settingNames = [
  'reference',
  'passphrase',
  'certificate',
  'region',
  'roles',
  'lifetime',
  'timeout',
] as const;

/** As they were written. Empty: not set. */
export type FetchSettings = Readonly<Record<(typeof settingNames)[number], string>>;

/** Takes them out of the environment, which programs that the AWS SDK starts get, too. */
export function takeSettings(env: Record<string, string | undefined>): FetchSettings {
  const taken = settingNames.map((name) => {
    const variable = `SSM_SSH_FETCH_${name.toUpperCase()}`;
    const value = env[variable] ?? '';
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the environment is no object of ours
    delete env[variable];
    return [name, value] as const;
  });
  return Object.fromEntries(taken) as FetchSettings;
}

/** @throws INPUT_INVALID */
function check(given: FetchSettings): Omit<Wanted, 'into' | 'socket'> {
  const { reference, passphrase, certificate, region, roles, timeout } = given;
  return {
    keys: [
      {
        reference: parseReference(reference.trim()),
        ...(passphrase && { passphrase: readReference('passphrase', passphrase) }),
        ...(certificate && { certificate: readReference('certificate', certificate) }),
        repositories: [],
      },
    ],
    ...parseHostPlace({ region: region || undefined, roles: rolesIn(roles), timeout }),
    lifetime: readSeconds(given.lifetime, 'ssm.keyLifetime'),
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
