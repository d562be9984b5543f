/** Serves one key that signs and cannot be read, by an agent in front of its own, unless that agent runs. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../src/errors.ts';
import { isTaken, type SigningOrder } from '../../src/host/front-order.ts';
import { markFor } from '../../src/host/mark.ts';
import { startFrontProcess, type StartedFront } from '../../src/host/start-front.ts';
import { unwritable } from '../../src/host/state-folder.ts';
import { identityOf, servedKey } from '../../src/host/usable-key.ts';
import type { SigningKeyLine } from '../../src/keys/key-line.ts';
import { usesHint, type RulePlace } from '../../src/keys/rule-place.ts';
import { lastFailure, readUses } from '../../src/kms/front/control.ts';
import { fitsSocket, stopAgent } from '../../src/ssh/agent.ts';
import { heldKeys } from '../../src/ssh/agent-keys.ts';
import { longestTimer, timeLimit, type HostPlace } from '../command-line/host-place.ts';
import { knownHostsOf } from '../command-line/known-hosts-of.ts';
import { held, keepPinned, note, noteAsked, wasAskedLately, type Place } from './kept-parts.ts';
import { hostVoice, tellOfWaiting, type Terminal } from './question.ts';

interface Wanted extends HostPlace, Place {
  readonly socket: string;
  readonly line: SigningKeyLine;
  readonly writtenIn: RulePlace;
  /** Seconds; 0 for no limit. */
  readonly lifetime: number;
  /** The file of the setting ssm.knownHosts; empty if there is none. */
  readonly knownHosts: string;
  /** Of a question: empty unless a login has failed. */
  readonly failed: string;
}

/**
 * One process for each key: credentials, roles and Regions differ by key. It ends with the lifetime of its key.
 *
 * @returns whether this call started it, or whether another certificate is there after a login that failed
 */
export async function serveOnHost(wanted: Wanted, io: Terminal): Promise<boolean> {
  const { into, state, line } = wanted;
  requireShort(controlOf(wanted));
  if (await isServed(wanted)) {
    const { version } = await held(into);
    if (wanted.failed === '' || line.signing.certificate) return await wasRenewed(wanted);
    if (version !== wanted.failed) return true;
    if (!(await hasMoved(wanted, io))) return false;
    await stopAgent(wanted.socket);
  }
  await throwIfSpent(wanted);
  await throwWhyNotListed(wanted);
  try {
    await mkdir(into, { recursive: true, mode: 0o700 });
    await removeOld(dirname(into));
    // The agent reads this one when it signs.
    await keepPinned(state);
  } catch (error) {
    throw unwritable(state, error);
  }
  const waiting = tellOfWaiting(line.reference.text, io);
  try {
    return await startOrWait(wanted, io);
  } finally {
    clearTimeout(waiting);
  }
}

/** Whether the mark is valid, and the agent lists the key. */
async function isServed({ into, socket, timeoutSeconds }: Wanted): Promise<boolean> {
  return (await held(into)).live && (await list({ socket, timeoutSeconds })).length > 0;
}

/** Milliseconds. A login that failed may have had the certificate before. */
const recent = 15_000;

/** Whether ssh may have read another certificate than the agent has now. */
async function wasRenewed({ into, line, failed }: Wanted): Promise<boolean> {
  if (failed === '' || !line.signing.certificate) return false;
  const file = await stat(join(into, 'key.pub')).catch(() => undefined);
  return file !== undefined && Date.now() - file.mtimeMs < recent;
}

/** Whether the alias is another KMS key than the one that the agent has, as after a rotation. If not, it asks again after a minute. */
async function hasMoved({ line, into, failed, ...place }: Wanted, { env }: Terminal): Promise<boolean> {
  const { reference } = line;
  if (reference.kind !== 'kms' || (await wasAskedLately(into))) return false;
  const { openHostSigners } = await import('../../src/host/kms.ts');
  const signal = timeLimit(place.timeoutSeconds, 'asking KMS for the key');
  const options = { env, signal, voice: hostVoice(() => undefined) };
  const [signer] = await openHostSigners([reference], place, options).catch(() => []);
  const isAnother = signer !== undefined && signer.keyArn !== failed;
  if (!isAnother) await noteAsked(into);
  return isAnother;
}

/** The agent has ended with the last use of the key. Another one would begin to count again. */
async function throwIfSpent({ into, writtenIn, line: { reference, signing } }: Wanted): Promise<void> {
  if (!existsSync(join(into, 'spent')) || !(await held(into)).live) return;
  const { uses = 0 } = signing;
  throw new Failure(
    'SIGNATURE_REFUSED',
    `all uses of ${reference.text} are taken (uses=${uses}) until its lifetime is over`,
    { hint: `${usesHint(writtenIn)}, or shorten keyLifetime; ssm-ssh-agent flush ends the lifetime now` },
  );
}

/** The agent is there, and has the key, but no valid certificate for it. @throws why the last renewal failed */
async function throwWhyNotListed(wanted: Wanted): Promise<void> {
  if (!wanted.line.signing.certificate || !(await held(wanted.into)).live) return;
  const since = new Date(Date.now() - recent).toISOString();
  const signal = timeLimit(wanted.timeoutSeconds, 'asking the agent');
  const page = await readUses(controlOf(wanted), { signal }).catch(() => undefined);
  const failure = page && lastFailure(page.uses, { since });
  if (failure) throw failure;
}

/** What the agent lists; nothing if none answers. */
async function list({
  socket,
  timeoutSeconds,
}: Pick<Wanted, 'socket' | 'timeoutSeconds'>): Promise<Buffer[]> {
  return await heldKeys({ socket }, { signal: timeLimit(timeoutSeconds, 'asking the agent') }).catch(
    () => [],
  );
}

/** Milliseconds for an agent that another process has just started, or whose lifetime is nearly over. */
const patience = 10_000;

/** Another process may start the agent of this key at the same moment. */
async function startOrWait(wanted: Wanted, io: Terminal): Promise<boolean> {
  const { socket, timeoutSeconds } = wanted;
  const until = Date.now() + timeoutSeconds * 1000 + patience;
  for (;;) {
    try {
      await start(wanted, io);
      return true;
    } catch (error) {
      if (!isTaken(error) || Date.now() > until + patience) throw error;
    }
    await sleep(50);
    if (await isServed(wanted)) return false;
    // It has the key, and lost its files.
    if (Date.now() > until) await stopAgent(socket);
  }
}

async function start(wanted: Wanted, { env, helper, tell }: Terminal): Promise<void> {
  const { into, state, socket, line, lifetime, writtenIn, region, roles, timeoutSeconds } = wanted;
  const { hostOrder } = await import('../../src/host/host-order.ts');
  const order: SigningOrder = {
    ...{ line, lifetime, writtenIn, knownHosts: knownHostsFiles(wanted, env) },
    certificateFile: join(into, 'key.pub'),
    spentFile: join(into, 'spent'),
  };
  // Its own time limit is shorter, because its error message is better.
  const signal = timeLimit(Math.min(timeoutSeconds + 5, longestTimer), 'starting the agent');
  // Read the clock before the key is added: the mark must not outlast the key.
  const mark = await markFor(lifetime);
  for (const name of ['live', 'spent']) await rm(join(into, name), { force: true });
  const front = await startFrontProcess(
    { socket, control: controlOf(wanted), installation: dirname(helper), node: process.execPath },
    await hostOrder([order], { region, roles, timeoutSeconds }, env),
    { env, signal, voice: hostVoice(tell) },
  );
  try {
    await note({ into, state }, partsOf(line, front), mark);
  } catch (error) {
    await stopAgent(socket);
    throw unwritable(state, error);
  }
}

function partsOf(line: SigningKeyLine, { keys: [served] }: StartedFront): Parameters<typeof note>[1] {
  if (!served) throw new TypeError('one line has one key');
  const key = servedKey(line, served);
  const { version, arn } = key.secret;
  return {
    publicKey: identityOf(key, true).publicKey,
    ...{ fingerprint: key.fingerprint, version: version || arn || 'made here' },
  };
}

function controlOf({ into }: Wanted): string {
  return join(into, 'control');
}

function requireShort(socket: string): void {
  if (fitsSocket(socket)) return;
  throw new Failure('STATE_UNSAFE', `the path of the socket ${socket} is too long for this system`, {
    hint: 'set HOME to a folder with a shorter path; a key in KMS needs a socket of its own there',
  });
}

/** The files in which ssh looks. It writes new host keys to the second one. */
function knownHostsFiles({ state, knownHosts }: Wanted, env: Terminal['env']): string[] {
  const own = knownHosts.replace(/^~(?=\/)/, env['HOME'] ?? '~');
  return [
    join(state, 'pinned_hosts'),
    join(state, 'known_hosts'),
    ...(own === '' ? [] : [isAbsolute(own) ? own : resolve(own)]),
    ...knownHostsOf(env),
  ];
}

/** Folders that were not used for a day: credentials that change hourly make a new one each time. */
async function removeOld(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const into = join(folder, name);
    const written = await stat(join(into, 'fingerprint')).catch(() => undefined);
    if (!written || Date.now() - written.mtimeMs < day || (await held(into)).live) continue;
    await rm(into, { recursive: true, force: true });
  }
}

const day = 86_400_000;
