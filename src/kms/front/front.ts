/**
 * The agent in front of OpenSSH's: serves identities that sign and cannot be read, and passes on everything else.
 *
 * It knows nothing of AWS. Whoever can open its sockets can use it, so their folder must be closed to other users.
 */
import { EventEmitter, once } from 'node:events';
import { uptime } from 'node:os';
import type { Server, Socket } from 'node:net';
import { Failure, toFailure } from '../../errors.ts';
import { heldKeys } from '../../ssh/agent-keys.ts';
import { AgentLock } from './agent-lock.ts';
import { Back } from './back.ts';
import { ClientSession } from './client-session.ts';
import { answerControl, type Extensions } from './control.ts';
import { converse, type Answer } from './conversation.ts';
import { Identities } from './identities.ts';
import { closeListener, listen, requireOwnFolder } from './listener.ts';
import { Signing, type SigningOptions } from './signing.ts';
import { UseLog } from './use-log.ts';

export interface FrontOptions {
  /** For clients: SSH_AUTH_SOCK, IdentityAgent. */
  readonly socket: string;
  /** For our own programs only, in the same folder: control.ts explains why it is another one. */
  readonly control: string;
  /** The socket of OpenSSH's agent; undefined if there is none. */
  readonly back?: string | undefined;
  /** Whether the agent ends when neither it nor the agent behind has an identity left. */
  readonly endWhenEmpty?: boolean | undefined;
  /** What programs can ask for over the control socket, beside the log. */
  readonly extensions?: Extensions | undefined;
  /** Milliseconds of a clock that is never set back. Default: since the start of the machine, with its sleep. */
  readonly now?: (() => number) | undefined;
  readonly time?: (() => Date) | undefined;
  readonly limits?: SigningOptions['limits'];
}

export interface Front {
  readonly identities: Identities;
  readonly log: UseLog;
  /** Resolved when it has ended and its sockets are gone. */
  readonly ended: Promise<void>;
  /** Aborts what is in progress. */
  end(): Promise<void>;
}

/** Connections at the same time. Each one takes two files. */
const mostClients = 256;
/** Milliseconds until the agent behind is asked again whether it has keys. */
export const interval = 5000;
/** Milliseconds for the answer to the client whose request ended the last identity. */
export const grace = 200;

/**
 * The end of this agent is the end of the agent behind: its keys may have more time, or no limit of uses. A locked agent
 * lists nothing, and a busy one says nothing.
 */
async function mayHoldKeys(back: string | undefined, lock: AgentLock): Promise<boolean> {
  if (back === undefined) return false;
  return await heldKeys({ socket: back }, { signal: AbortSignal.timeout(interval) }).then(
    (keys) => keys.length > 0 || lock.isLocked,
    (error: unknown) => toFailure(error).code !== 'AGENT_NOT_FOUND',
  );
}

/** @throws STATE_UNSAFE, AGENT_FAILED */
export async function startFront(options: FrontOptions): Promise<Front> {
  const { socket, control, endWhenEmpty = false } = options;
  await requireOwnFolder([socket, control]);
  const events = new EventEmitter();
  const endIfEmpty = async (): Promise<void> => {
    const isEmpty = (): boolean => parts.identities.isEmpty;
    if (!isEmpty()) return;
    const isNeeded = await mayHoldKeys(options.back, parts.lock);
    // Somebody may have added a key to this agent meanwhile: its end will ask again.
    if (!isEmpty()) return;
    if (isNeeded) setTimeout(() => void endIfEmpty(), interval).unref();
    else events.emit('end');
  };
  const parts = partsOf(options, () => {
    if (endWhenEmpty) setTimeout(() => void endIfEmpty(), grace).unref();
  });
  const clients = new Set<Socket>();
  const ways: readonly (readonly [string, () => Session])[] = [
    [socket, () => clientSession(parts, options.back)],
    [control, () => ({ answer: (message) => answerControl(message, parts.control), end: () => undefined })],
  ];
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    parts.signing.end(ending());
    for (const client of clients) client.destroy();
    await Promise.all(servers.map(closeListener));
  };
  try {
    for (const [path, open] of ways) servers.push(await listen(path, mostClients, serveWith(clients, open)));
  } catch (error) {
    await close();
    throw error;
  }
  const ended = once(events, 'end').then(close);
  return {
    identities: parts.identities,
    log: parts.log,
    ended,
    end: async () => {
      events.emit('end');
      await ended;
    },
  };
}

interface Session {
  readonly answer: Answer;
  readonly end: () => void;
}

function serveWith(clients: Set<Socket>, open: () => Session): (client: Socket) => void {
  return (client) => {
    const session = open();
    clients.add(client);
    client.once('close', () => {
      clients.delete(client);
      session.end();
    });
    void converse(client, session.answer);
  };
}

type Parts = ReturnType<typeof partsOf>;

function partsOf(
  { extensions = {}, now, time = () => new Date(), limits }: FrontOptions,
  onEmpty: () => void,
) {
  const identities = new Identities({ now: now ?? sinceBoot, onEmpty });
  const [lock, log] = [new AgentLock(), new UseLog()];
  const signing = new Signing({ identities, lock, log, time, limits });
  return { identities, lock, log, signing, control: { log, lock, extensions } };
}

/** Linux counts the time of its sleep here. Elsewhere the start is computed from the wall clock. */
const sinceBoot = (): number => (process.platform === 'linux' ? uptime() * 1000 : performance.now());

function clientSession({ identities, lock, signing }: Parts, path: string | undefined): Session {
  const back = new Back(path);
  const session = new ClientSession({ identities, lock, signing, back });
  return {
    answer: (message) => session.answer(message),
    end: () => {
      back.end();
    },
  };
}

function ending(): Failure {
  return new Failure('AGENT_FAILED', 'the agent for KMS keys has ended', { hint: 'add the keys again' });
}
