/** What add does: reads the keys, and loads them into the agent of the caller, or into a new one. */
import { rm } from 'node:fs/promises';
import { Failure } from '../../src/errors.ts';
import {
  isStoredLine,
  type KeyLine,
  type SigningKeyLine,
  type StoredKeyLine,
} from '../../src/keys/key-line.ts';
import { visible } from '../../src/keys/visible-text.ts';
import { authorizedKeysLine } from '../../src/keys/public-key.ts';
import type { LoadedKey } from '../../src/host/open-key.ts';
import type { UsableKey } from '../../src/host/usable-key.ts';
import { inTime } from '../../src/process/in-time.ts';
import { quoteForShell } from '../../src/process/quote.ts';
import { run } from '../../src/process/run.ts';
import { startAgent, stopAgent, type Agent } from '../../src/ssh/agent.ts';
import { addKeys, heldKeys } from '../../src/ssh/agent-keys.ts';
import { invalid, type Line } from '../command-line/parse.ts';
import type { Running } from '../command-line/command.ts';
import { describeKey, readKeys, toAdd, type Speech } from '../command-line/keys.ts';
import type { Account } from '../command-line/account.ts';
import { parseAnyKey, parseCachedAccount, parseDuration } from '../command-line/settings.ts';
import { nameTemporarySocket } from '../command-line/temporary-folder.ts';
import type { addOptions } from './options.ts';

export async function runAdd(line: Line<typeof addOptions>, running: Running): Promise<number> {
  const { values } = line;
  const lines = keysOf(line);
  const lifetime = parseDuration('--lifetime', values.lifetime ?? '1h');
  if (values.agent && values.json) {
    throw invalid('--agent and --json both print on standard output', 'leave one of them out');
  }
  const adding = { ...running, account: { ...values, ...parseCachedAccount(values) }, lifetime };
  const keys = values.agent ? await addToNew(lines, adding) : await addToPresent(lines, adding);
  if (!values.quiet) for (const key of keys) running.err(`ssm-ssh-agent: ${visible(describeKey(key))}\n`);
  if (values.json)
    running.out(
      `${JSON.stringify(
        keys.map((key) => record(key, lifetime)),
        null,
        2,
      )}\n`,
    );
  return 0;
}

function keysOf({ words, behind = [] }: Line<typeof addOptions>): KeyLine[] {
  const keys = [...words, ...behind].map((text) => parseAnyKey(text, `"${text.split(/\s/, 1)[0] ?? ''}"`));
  if (keys.length === 0) throw invalid('add has no key to load', 'write its name: add /ci/deploy-key');
  // The repositories of a key that signs limit its hosts.
  const routed = keys.find((key) => isStoredLine(key) && key.repositories.length > 0);
  if (!routed) return keys;
  throw invalid(
    `add cannot lead repositories to ${routed.reference.text}: an agent offers all its keys to every host`,
    'use exec for one command, or setup for this host',
  );
}

type Adding = Running & {
  readonly account: Account & Speech;
  /** Seconds. */
  readonly lifetime: number;
};

async function addToPresent(lines: readonly KeyLine[], adding: Adding): Promise<readonly UsableKey[]> {
  const socket = adding.env['SSH_AUTH_SOCK'] ?? '';
  const signing = lines.find((line): line is SigningKeyLine => !isStoredLine(line));
  const stored = lines.filter(isStoredLine);
  if (!signing) {
    await requireAgent(socket, adding);
    return await addAll(stored, { socket }, adding);
  }
  const { addToServing, isOurs } = await import('./present-agent.ts');
  if (!(await isOurs(socket, adding.signal))) throw notForOthers(signing);
  await requireAgent(socket, adding);
  const { account, lifetime } = adding;
  const addStored = async (): Promise<LoadedKey[]> =>
    stored.length > 0 ? await addAll(stored, { socket }, adding) : [];
  return await addToServing(lines, { running: adding, account, lifetime, addStored });
}

function notForOthers({ reference: { text }, signing }: SigningKeyLine): Failure {
  const why = signing.certificate ? 'its certificate is made anew' : 'the key never leaves KMS';
  return invalid(
    `${text} cannot be added to the agent of this session: ${why}, so an agent of ours has to serve it`,
    `start one: eval "$(ssm-ssh-agent add --agent '${text}')", with the options and repositories of the key`,
  );
}

/**
 * Whether an agent answers: asks for its list of keys, before AWS is called.
 *
 * @throws AGENT_NOT_FOUND, AGENT_FAILED
 */
async function requireAgent(socket: string, { signal }: Adding): Promise<void> {
  const nobody = (cause?: unknown): Failure =>
    new Failure('AGENT_NOT_FOUND', `no ssh-agent answers at SSH_AUTH_SOCK, ${socket || 'which is not set'}`, {
      hint: 'start one that gets the keys at once: eval "$(ssm-ssh-agent add --agent REF)"',
      cause,
    });
  if (socket === '') throw nobody();
  try {
    await heldKeys({ socket }, { signal });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'AGENT_NOT_FOUND') throw error;
    throw nobody(error);
  }
}

/** If the keys cannot be added, the new agent is ended, and nothing is printed on standard output. */
async function addToNew(lines: readonly KeyLine[], adding: Adding): Promise<readonly UsableKey[]> {
  const stored = lines.filter(isStoredLine);
  if (stored.length < lines.length) {
    const { startServingAgent } = await import('./serving-agent.ts');
    const { account, lifetime } = adding;
    const addStored = async (some: readonly StoredKeyLine[], agent: Agent): Promise<LoadedKey[]> =>
      some.length > 0 ? await addAll(some, agent, adding) : [];
    const serving = await startServingAgent(lines, { running: adding, account, lifetime, addStored });
    adding.out(exportLines(serving));
    return serving.keys;
  }
  const socket = nameTemporarySocket('add');
  try {
    const waiting = { program: 'ssh-agent', env: adding.env, signal: adding.signal };
    const agent = await inTime(waiting, (signal) => startAgent(socket, { env: adding.env, signal, run }));
    const keys = await addAll(stored, agent, adding);
    adding.signal.throwIfAborted();
    adding.out(exportLines(agent));
    return keys;
  } catch (error) {
    await stopAgent(socket);
    await rm(socket, { force: true });
    throw error;
  }
}

/** As `ssh-agent -s` prints them, for bash, dash and similar shells. */
function exportLines({ socket, pid }: Agent): string {
  return `export SSH_AUTH_SOCK=${quoteForShell(socket)};\nexport SSH_AGENT_PID=${pid};\n`;
}

/** Milliseconds: some agents ask a person before they add a key. */
const patience = 120_000;

async function addAll(
  lines: readonly StoredKeyLine[],
  agent: Pick<Agent, 'socket'>,
  adding: Adding,
): Promise<LoadedKey[]> {
  const keys = await readKeys(lines, adding.account, adding);
  const { lifetime, signal } = adding;
  await addKeys(agent, keys.map(toAdd), { lifetime, signal, patience });
  return keys;
}

function record({ secret, publicKey, fingerprint }: UsableKey, lifetime: number): object {
  const { reference, version } = secret;
  return {
    ...{ reference: reference.text, version: version || null, type: publicKey.type, fingerprint },
    ...{ publicKey: authorizedKeysLine(publicKey), lifetime },
  };
}
