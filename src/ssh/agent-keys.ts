/** Adds, lists and removes an agent's keys with the agent protocol, because starting ssh-add takes much longer. */
import { Failure } from '../errors.ts';
import type { Certificate } from '../keys/certificate.ts';
import type { PrivateKey } from '../keys/private-key.ts';
import { ask, broken, breaksProtocol, type AskOptions } from './agent-connection.ts';
import {
  addIdentity,
  answers,
  certifiedIdentityOf,
  identityOf,
  listIdentities,
  readIdentities,
  removeAllIdentities,
  removeIdentity,
  type Constraints,
  type Destination,
} from './agent-protocol.ts';
import type { Listening } from './agent.ts';

/**
 * The public key or the certificate of each identity in the agent.
 *
 * @throws AGENT_NOT_FOUND, AGENT_FAILED
 */
export async function heldKeys({ socket }: Listening, options: AskOptions): Promise<Buffer[]> {
  const [answer] = await ask(socket, [listIdentities()], options);
  try {
    return readIdentities(answer ?? Buffer.alloc(0)).map(({ blob }) => blob);
  } catch (error) {
    throw broken(socket, breaksProtocol, error);
  }
}

export interface AddedKey extends PrivateKey {
  /** The key's name in messages. */
  readonly resource: string;
  readonly certificate?: Pick<Certificate, 'type' | 'blob'> | undefined;
  /** The hosts that the agent may sign for; empty for no restriction. */
  readonly destinations?: readonly Destination[];
}

export interface AddOptions extends AskOptions {
  /** Seconds until the agent forgets the keys; 0 for no limit. */
  readonly lifetime: number;
}

/**
 * Adds the keys over one connection. The agent offers them in the given order. If the agent already has a key, the new
 * lifetime and destinations replace the old ones.
 *
 * @throws AGENT_NOT_FOUND, AGENT_FAILED
 */
export async function addKeys(
  { socket }: Listening,
  keys: readonly AddedKey[],
  { lifetime, ...options }: AddOptions,
): Promise<void> {
  const adding = keys.flatMap((key) => {
    const constraints = { lifetime, destinations: key.destinations ?? [] };
    return messagesFor(key, constraints).map((message) => ({ key, message }));
  });
  const messages = adding.map(({ message }) => message);
  const received = await ask(socket, messages, options);
  for (const [number, { key }] of adding.entries()) {
    const [answer] = received[number] ?? [];
    if (answer === answers.failure) throw refused(socket, key);
    if (answer !== answers.success) throw broken(socket, breaksProtocol);
  }
}

/** Adds the plain key and its certificate, as ssh-add does: some hosts only accept the certificate, others only the key. */
function messagesFor(key: AddedKey, constraints: Constraints): Buffer[] {
  const identities = [
    identityOf(key),
    ...(key.certificate ? [certifiedIdentityOf(key, key.certificate)] : []),
  ];
  return identities.map((identity) => {
    const message = addIdentity(identity, constraints);
    identity.fields.fill(0);
    return message;
  });
}

function refused(socket: string, { resource, destinations = [] }: AddedKey): Failure {
  if (destinations.length > 0) {
    return new Failure('AGENT_FAILED', `the agent refused to restrict ${resource} to hosts`, {
      hint: 'install OpenSSH 8.9 or newer, or remove restrict-to-hosts',
    });
  }
  return new Failure('AGENT_FAILED', `the agent at ${socket} refused the key in ${resource}`, {
    hint: 'a locked agent accepts no keys (unlock it with ssh-add -X), and some agents never accept keys: use ssh-agent of OpenSSH',
  });
}

/**
 * Removes a key by its public key. Succeeds if the agent does not have it.
 *
 * @throws AGENT_NOT_FOUND, AGENT_FAILED
 */
export async function removeKey({ socket }: Listening, blob: Buffer, options: AskOptions): Promise<void> {
  await ask(socket, [removeIdentity(blob)], options);
}

/**
 * Removes every key. The agent keeps running.
 *
 * @throws AGENT_NOT_FOUND, AGENT_FAILED
 */
export async function removeAllKeys({ socket }: Listening, options: AskOptions): Promise<void> {
  const [answer] = await ask(socket, [removeAllIdentities()], options);
  if (answer?.[0] !== answers.success) throw broken(socket, 'did not remove its keys');
}

/** Milliseconds for the agent's answer at the end of a job. */
const patience = 2000;

/** `refused`: the agent is locked, or does not answer. */
export type Forgetting = 'forgotten' | 'refused' | 'nobody';

/** Uses the socket, because the agent's process may be in another namespace and not visible. */
export async function forgetKeys(socket: string): Promise<Forgetting> {
  try {
    await removeAllKeys({ socket }, { signal: AbortSignal.timeout(patience), patience });
    return 'forgotten';
  } catch (error) {
    return error instanceof Failure && error.code === 'AGENT_NOT_FOUND' ? 'nobody' : 'refused';
  }
}
