/** The keys of an agent: added, listed and removed by its own protocol. Starting ssh-add would take longer than all the rest. */
import { Failure } from '../errors.ts';
import type { Certificate } from '../keys/certificate.ts';
import type { PrivateKey } from '../keys/private-key.ts';
import { ask, broken, strange, type AskOptions } from './agent-connection.ts';
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
 * The public half of each key that the agent has; of a certificate the certificate.
 *
 * @throws AGENT_NOT_FOUND, AGENT_FAILED
 */
export async function heldKeys({ socket }: Listening, options: AskOptions): Promise<Buffer[]> {
  const [answer] = await ask(socket, [listIdentities()], options);
  try {
    return readIdentities(answer ?? Buffer.alloc(0));
  } catch (error) {
    throw broken(socket, strange, error);
  }
}

export interface AddedKey extends PrivateKey {
  /** How messages call the key. */
  readonly resource: string;
  readonly certificate?: Pick<Certificate, 'type' | 'blob'> | undefined;
  /** Where the agent may sign with it; empty for no restriction. */
  readonly destinations?: readonly Destination[];
}

export interface AddOptions extends AskOptions {
  /** Seconds until the agent forgets the keys; 0 for no limit. */
  readonly lifetime: number;
}

/**
 * By one connection, in their order, which is the order in which the agent offers them. A key that the agent has already
 * gets this lifetime and these destinations instead of its own.
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
    if (answer !== answers.success) throw broken(socket, strange);
  }
}

/** The certificate beside the plain key, as ssh-add does it: hosts differ in which of the two they know. */
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
      hint: 'install OpenSSH 8.9 or newer, or leave restrict-to-hosts out',
    });
  }
  return new Failure('AGENT_FAILED', `the agent at ${socket} refused the key in ${resource}`, {
    hint: 'an agent that is locked takes no key (ssh-add -X unlocks it), and some agents never do: use ssh-agent of OpenSSH',
  });
}

/**
 * Forgets a key by its public half. One that the agent does not have is forgotten already.
 *
 * @throws AGENT_NOT_FOUND, AGENT_FAILED
 */
export async function removeKey({ socket }: Listening, blob: Buffer, options: AskOptions): Promise<void> {
  await ask(socket, [removeIdentity(blob)], options);
}

/**
 * Forgets every key. The agent stays.
 *
 * @throws AGENT_NOT_FOUND, AGENT_FAILED
 */
export async function removeAllKeys({ socket }: Listening, options: AskOptions): Promise<void> {
  const [answer] = await ask(socket, [removeAllIdentities()], options);
  if (answer?.[0] !== answers.success) throw broken(socket, 'did not forget its keys');
}

/** Milliseconds that an agent has to forget its keys at the end of a job. */
const patience = 2000;

/** `refused` by an agent that is locked, or that does not answer. */
export type Forgetting = 'forgotten' | 'refused' | 'nobody';

/** Through its socket: the agent's process may be in a namespace where we cannot see it. */
export async function forgetKeys(socket: string): Promise<Forgetting> {
  try {
    await removeAllKeys({ socket }, { signal: AbortSignal.timeout(patience), patience });
    return 'forgotten';
  } catch (error) {
    return error instanceof Failure && error.code === 'AGENT_NOT_FOUND' ? 'nobody' : 'refused';
  }
}
