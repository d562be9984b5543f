/** Loads one key into the user's agent, unless the agent already has it. */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../../src/errors.ts';
import { placesOf, type HostKey } from '../../src/host/compile.ts';
import { markFor } from '../../src/host/mark.ts';
import type { HostKeys } from '../../src/host/read-keys.ts';
import { isCached } from '../../src/host/settings.ts';
import { unwritable } from '../../src/host/state-folder.ts';
import type { RulePlace } from '../../src/keys/rule-place.ts';
import { ensureAgent } from '../../src/host/user-agent.ts';
import { addKeys, heldKeys, removeKey } from '../../src/ssh/agent-keys.ts';
import {
  longestTimer,
  parseHostPlace,
  readSeconds,
  timeLimit,
  type HostPlace,
} from '../command-line/host-place.ts';
import { toAdd } from '../command-line/keys.ts';
import { hostVoice, tellOfWaiting, type Question, type Terminal } from './question.ts';
import {
  blobOf,
  held,
  note,
  noteAsked,
  partsOf,
  publicLine,
  versionOf,
  wasAskedLately,
  type Place,
} from './kept-parts.ts';

interface Wanted extends HostKeys, Place {
  readonly socket: string;
  /** Seconds; 0 for no limit. */
  readonly lifetime: number;
}

export interface Asked {
  readonly state: string;
  readonly question: Question;
  /** The file of the setting ssm.knownHosts; empty if there is none. */
  readonly knownHosts: string;
}

/**
 * @returns whether ssh has reason to try again: this call added the key, or a newer version of it. Not if a cache gave it,
 *   which may be too old: the next failure then asks for a newer one
 */
export async function fetchKey(key: HostKey, asked: Asked, io: Terminal): Promise<boolean> {
  const { state, question } = asked;
  // Loaded here: most calls that compile the settings anew need no key.
  const { hostLine } = await import('../../src/host/host-line.ts');
  const line = hostLine(key);
  const { folder: into, agent: socket } = placesOf(key, state);
  const place = { into, state, socket, ...check(key) };
  // For git's commands the mark is enough: if it is wrong, ssh fails and git's command is tried again.
  const isMarked = !question.key && question.repository !== '' && (await held(into)).live;
  if (line.signing) {
    if (isMarked && existsSync(socket)) return false;
    const { serveOnHost } = await import('./serve-key.ts');
    const writtenIn = placeOfRules(key, io.env);
    const { failed } = question;
    return await serveOnHost({ ...place, line, writtenIn, failed, knownHosts: asked.knownHosts }, io);
  }
  const wanted = { ...place, keys: [line] };
  if (!isMarked && !(await isLoaded(wanted))) {
    const isAdded = await loadWithAgent(wanted, io);
    // What a cache returns may be too old: if ssh fails with it, the next question is for a newer version.
    return isAdded && (question.failed !== '' || !isCached(wanted));
  }
  return question.failed !== '' && (await renew(wanted, question.failed, io));
}

/** Checks the mark and asks the agent, because another program may have removed its keys. */
async function isLoaded({ into, socket, timeoutSeconds }: Wanted): Promise<boolean> {
  const { live, publicKey } = await held(into);
  if (!live || publicKey === undefined) return false;
  const signal = timeLimit(timeoutSeconds, 'asking the agent');
  const blobs = await heldKeys({ socket }, { signal }).catch(() => []);
  return blobs.some((blob) => blob.equals(blobOf(publicKey)));
}

/**
 * Looks for a newer version than the one that failed. If there is none, it looks again after a minute at the earliest. An
 * error of the store counts as no newer version.
 */
async function renew(wanted: Wanted, failed: string, io: Terminal): Promise<boolean> {
  const { version } = await held(wanted.into);
  if (version !== failed) return true;
  if (await wasAskedLately(wanted.into)) return false;
  const fresh = { ...wanted, fresh: true };
  const isNew = await loadWithAgent(fresh, { ...io, tell: () => undefined }).catch(() => false);
  if (!isNew) await noteAsked(wanted.into);
  return isNew;
}

async function loadWithAgent(wanted: Wanted, io: Terminal): Promise<boolean> {
  const { state, timeoutSeconds } = wanted;
  await mkdir(wanted.into, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw unwritable(state, error);
  });
  const waiting = tellOfWaiting(wanted.keys[0]?.reference.text ?? '', io);
  // The agent starts during the call to AWS. Its own time limit is longer, because its error message is better.
  const signal = timeLimit(Math.min(timeoutSeconds + 5, longestTimer), 'starting the agent');
  const ensure = (): Promise<void> =>
    ensureAgent(state, { helper: io.helper, seconds: timeoutSeconds, env: io.env, signal });
  const agent = ensure();
  // It may fail while the AWS SDK is loaded, when nobody waits for it yet.
  agent.catch(() => undefined);
  try {
    return await load(wanted, { agent, ensure }, io);
  } finally {
    clearTimeout(waiting);
    await agent.catch(() => undefined);
  }
}

interface Vault {
  readonly agent: Promise<void>;
  readonly ensure: () => Promise<void>;
}

async function load(wanted: Wanted, { agent, ensure }: Vault, { env, tell }: Terminal): Promise<boolean> {
  const { into, state, socket, lifetime, timeoutSeconds } = wanted;
  const signal = timeLimit(timeoutSeconds, 'fetching the key');
  const voice = hostVoice(tell);
  const { readHostKeys } = await import('../../src/host/read-keys.ts');
  const [[key]] = await Promise.all([readHostKeys(wanted, { env, signal, voice }), agent]);
  if (!key) throw new TypeError('one line has one key');
  // A new agent's start removes old folders.
  await mkdir(into, { recursive: true, mode: 0o700 });
  const there = await held(into);
  if (there.version === versionOf(key) && (await isLoaded(wanted))) return false;
  // Read the clock before the key is added: the mark must not outlast the key.
  const mark = await markFor(lifetime);
  await rm(join(into, 'live'), { force: true });
  const add = (): Promise<void> => addKeys({ socket }, [toAdd(key)], { lifetime, signal });
  await add().catch(async (error: unknown) => {
    const isGone = error instanceof Failure && error.code === 'AGENT_NOT_FOUND';
    // The keeper ended the agent at this moment. If the folder is gone, too, `flush` was run.
    if (!isGone || !existsSync(join(state, 'reserved'))) throw error;
    await ensure();
    await add();
  });
  // After that: whoever is killed in between leaves one key too many, and not a login without any.
  const kept = [publicLine(key), key.certificate?.line ?? ''].map(blobOf);
  for (const line of [there.publicKey, there.certificate]) {
    const blob = blobOf(line ?? '');
    if (blob.length > 0 && !kept.some((one) => one.equals(blob)))
      await removeKey({ socket }, blob, { signal });
  }
  await note(wanted, partsOf(key), mark).catch((error: unknown) => {
    throw unwritable(state, error);
  });
  return true;
}

function placeOfRules({ section, reference }: HostKey, env: Terminal['env']): RulePlace {
  if (section !== undefined) return `ssm.${section}.`;
  return env['SSM_SSH_KEY'] === reference ? 'SSM_SSH_KEY' : 'ssm.';
}

/** Of the settings, for all kinds of keys. @throws INPUT_INVALID */
function check(key: HostKey): HostPlace & { readonly lifetime: number } {
  return { ...parseHostPlace(key.place), lifetime: readSeconds(key.lifetime, 'ssm.keyLifetime') };
}
