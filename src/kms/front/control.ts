/**
 * The way for our own programs to read the log of the agent in front, and to add identities: extensions of the agent
 * protocol with JSON in them, over a socket of their own.
 *
 * Not over the clients' socket, because that one is forwarded: by `ssh -A` to hosts, and by `docker build --ssh` to
 * builds. Neither has to bind a session, so the agent cannot tell them from programs of this machine. A host that can
 * add identities could use every key that the agent's credentials can use.
 */
import { anySignal } from '../../deadline.ts';
import { Failure, toFailure, type Code } from '../../errors.ts';
import { string, WireReader } from '../../keys/wire.ts';
import { ask, breaksProtocol, broken } from '../../ssh/agent-connection.ts';
import { answers, longestMessage, message, requests } from '../../ssh/agent-protocol.ts';
import { extensionAnswer, extensionFailure, readRequest } from '../../ssh/agent-requests.ts';
import type { AgentLock } from './agent-lock.ts';
import { requireOwnFolder } from './listener.ts';
import type { LogPage, Use, UseLog } from './use-log.ts';

/** @param question a JSON value @returns a JSON value */
export type Extension = (question: unknown) => Promise<unknown>;
/** By name, `add@ssm-ssh-agent` for example. */
export type Extensions = Readonly<Record<string, Extension>>;

const logName = 'log@ssm-ssh-agent';
/** Bytes of JSON in an answer, with room for its frame. */
const mostBytes = longestMessage - 8192;

export interface ControlParts {
  readonly log: UseLog;
  readonly lock: AgentLock;
  readonly extensions: Extensions;
}

/** @param request a message without its length @returns the answer with its length */
export async function answerControl(request: Buffer, parts: ControlParts): Promise<Buffer> {
  const asked = readRequest(request);
  if (asked.kind !== 'extension') return extensionFailure();
  const { name, content } = asked;
  const known: Extensions = { ...parts.extensions, [logName]: (question) => readLog(parts.log, question) };
  const extension = Object.hasOwn(known, name) ? known[name] : undefined;
  if (!extension) return extensionFailure();
  return extensionAnswer(name, string(JSON.stringify(await outcome(extension, parts.lock, content))));
}

type Outcome =
  { readonly result: unknown } | { readonly failure: Pick<Failure, 'code' | 'message' | 'hint'> };

async function outcome(extension: Extension, lock: AgentLock, content: Buffer): Promise<Outcome> {
  try {
    if (lock.isLocked) throw locked();
    const question = JSON.parse(new WireReader(content).string().toString()) as unknown;
    return { result: await extension(question) };
  } catch (error) {
    const { code, message, hint } = toFailure(error);
    return { failure: { code, message, hint } };
  }
}

function locked(): Failure {
  return new Failure('AGENT_FAILED', 'the agent is locked', { hint: 'unlock it: ssh-add -X' });
}

function readLog(log: UseLog, question: unknown): Promise<LogPage> {
  const { after } = (question ?? {}) as { readonly after?: unknown };
  return Promise.resolve(log.page(typeof after === 'number' ? after : 0, mostBytes));
}

/**
 * Asks the agent in front. A question may have credentials in it, and callers print the answer as their own. If another
 * agent's socket is in /tmp, any user could answer beside it, so the folder is checked.
 *
 * @param control its control socket
 * @param name of the extension
 * @param question a JSON value
 * @throws STATE_UNSAFE if the folder of the socket is not of this user alone, AGENT_NOT_FOUND, AGENT_FAILED, and the failure that the extension ended with
 */
export async function askFront(control: string, asked: Asked, options: Asking): Promise<unknown> {
  const said = await exchange(control, asked, options);
  if ('result' in said) return said.result;
  const { code, message: what, hint } = said.failure;
  throw new Failure(code satisfies Code, what, { hint });
}

interface Asked {
  readonly name: string;
  readonly question?: unknown;
}

interface Asking {
  readonly signal: AbortSignal;
  readonly patience?: number;
}

/** Milliseconds. */
const briefly = 2000;

/**
 * Whether an agent of ours answers there, a locked one included. Other programs have a socket of this name, too: GNOME's
 * keyring. Ask this before a question with credentials in it, and wherever a silent socket may be another program's.
 *
 * @throws STATE_UNSAFE as askFront
 */
export async function isFront(control: string, signal: AbortSignal): Promise<boolean> {
  await requireOwnFolder([control]);
  // It asks for the uses after the last one, so that the answer is short.
  const asked = { name: logName, question: { after: Number.MAX_SAFE_INTEGER } };
  try {
    const said: object = await exchange(control, asked, {
      signal: anySignal(signal, AbortSignal.timeout(briefly)),
      patience: briefly,
    });
    return 'result' in said || 'failure' in said;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

async function exchange(
  control: string,
  { name, question = {} }: Asked,
  { signal, patience = 30_000 }: Asking,
): Promise<Outcome> {
  await requireOwnFolder([control]);
  const request = message(requests.extension, string(name), string(JSON.stringify(question)));
  const [answer = Buffer.alloc(0)] = await ask(control, [request], { signal, patience });
  if (answer[0] !== answers.extension) throw broken(control, breaksProtocol);
  const reader = new WireReader(answer.subarray(1));
  if (reader.string().toString() !== name) throw broken(control, breaksProtocol);
  return JSON.parse(reader.string().toString()) as Outcome;
}

/** All that the log has, from old to new. @throws as askFront */
export async function readUses(control: string, options: Asking): Promise<Omit<LogPage, 'hasMore'>> {
  const uses: Use[] = [];
  for (;;) {
    const question = { after: uses.at(-1)?.number ?? 0 };
    const page = (await askFront(control, { name: logName, question }, options)) as LogPage;
    uses.push(...page.uses);
    if (!page.hasMore || page.uses.length === 0) return { uses, totals: page.totals };
  }
}

/**
 * Why the agent did not sign.
 *
 * @param key the fingerprint of the plain key; undefined for any key
 * @param since ISO 8601; older failures belong to other connections
 * @returns undefined if a later signature was made
 */
export function lastFailure(
  uses: readonly Use[],
  { key, since }: { readonly key?: string | undefined; readonly since: string },
): Failure | undefined {
  const last = uses.findLast((use) => (key === undefined || use.key === key) && use.time >= since);
  if (!last?.failure) return undefined;
  const { code, message, hint } = last.failure;
  return new Failure(code as Code, message, { hint });
}
