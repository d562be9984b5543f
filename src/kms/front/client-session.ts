/** Answers one client of the agent in front: for our identities ourselves, for all others with OpenSSH's agent behind. */
import { string } from '../../keys/wire.ts';
import { answers, readIdentities, requests, type ListedIdentity } from '../../ssh/agent-protocol.ts';
import {
  extensionFailure,
  failure,
  identitiesAnswer,
  queryAnswer,
  readRequest,
  signatureAnswer,
  success,
  type AgentRequest,
  type BindRequest,
  type SignRequest,
} from '../../ssh/agent-requests.ts';
import type { AgentLock } from './agent-lock.ts';
import type { Back } from './back.ts';
import type { Identities } from './identities.ts';
import { SessionBindings } from './session-bindings.ts';
import type { Signing } from './signing.ts';

/** Milliseconds for what OpenSSH's agent answers without asking anybody. */
const patience = 5000;

export interface SessionParts {
  readonly identities: Identities;
  readonly lock: AgentLock;
  readonly signing: Signing;
  readonly back: Back;
}

export class ClientSession {
  readonly #parts: SessionParts;
  readonly #bindings = new SessionBindings();

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /**
   * @param message without its length; changed afterwards
   * @returns the answer with its length
   */
  async answer(message: Buffer): Promise<Buffer> {
    const request = readRequest(message);
    if (this.#parts.lock.isLocked) return await this.#whileLocked(request, message);
    switch (request.kind) {
      case 'list':
        return await this.#list(message);
      case 'sign':
        return await this.#sign(request, message);
      case 'bind':
        return await this.#bind(request, message);
      case 'query':
        return queryAnswer(await this.#parts.back.ask(message, patience));
      case 'remove':
        return await this.#remove(request.blob, message);
      case 'remove all':
        return await this.#removeAll(message);
      case 'lock':
        return await this.#lock(request.passphrase, message);
      case 'unlock':
        return await this.#passOn(message);
      case 'broken':
        // Not passed on: OpenSSH's agent ends at a lock without a passphrase.
        return failure();
      default:
        return await this.#passOn(message);
    }
  }

  /** As in process_message of ssh-agent.c: sessions are still bound, nothing is listed, all else fails. */
  async #whileLocked(request: AgentRequest, message: Buffer): Promise<Buffer> {
    if (request.kind === 'unlock') return await this.#unlock(request.passphrase, message);
    if (request.kind === 'bind') return await this.#bind(request, message);
    return request.kind === 'list' ? identitiesAnswer([]) : failure();
  }

  async #passOn(message: Buffer): Promise<Buffer> {
    const isExtension = message[0] === requests.extension;
    const answer = await this.#parts.back.ask(message);
    if (answer) return string(answer);
    return isExtension ? extensionFailure() : failure();
  }

  /** Ours come first: a host closes the connection after a few keys that it does not know. */
  async #list(message: Buffer): Promise<Buffer> {
    const [answer] = await Promise.all([
      this.#parts.back.ask(message, patience),
      this.#parts.identities.freshen(),
    ]);
    const behind = listedIn(answer);
    if (this.#parts.lock.isLocked) return identitiesAnswer([]);
    const ours = this.#parts.identities.list();
    const others = behind.filter(({ blob }) => !ours.some((own) => own.blob.equals(blob)));
    return identitiesAnswer([...ours, ...others]);
  }

  async #sign(request: SignRequest, message: Buffer): Promise<Buffer> {
    const { identities, signing } = this.#parts;
    const held = identities.find(request.blob);
    if (!held) return await this.#passOn(message);
    const signature = await signing.sign({ held, request, bindings: this.#bindings });
    return signature ? signatureAnswer(signature) : failure();
  }

  /** Both agents keep it. The back's answer does not matter: before OpenSSH 8.9 it knows no bindings. */
  async #bind(request: BindRequest, message: Buffer): Promise<Buffer> {
    const problem = this.#bindings.bind(request);
    await this.#parts.back.ask(message, patience);
    return problem === undefined ? success() : extensionFailure();
  }

  async #remove(blob: Buffer, message: Buffer): Promise<Buffer> {
    const wasOurs = this.#parts.identities.remove(blob);
    const behind = await this.#passOn(message);
    return wasOurs ? success() : behind;
  }

  async #removeAll(message: Buffer): Promise<Buffer> {
    const { back, identities } = this.#parts;
    identities.removeAll();
    const behind = await back.ask(message, patience);
    return behind ? string(behind) : success();
  }

  async #lock(passphrase: Buffer, message: Buffer): Promise<Buffer> {
    const { back, lock } = this.#parts;
    if (!(await lock.lock(Buffer.from(passphrase)))) return failure();
    const behind = await back.ask(message, patience);
    if (!behind || behind[0] === answers.success) return success();
    // Somebody has locked it directly, with a passphrase that we do not know.
    lock.open();
    return string(behind);
  }

  async #unlock(passphrase: Buffer, message: Buffer): Promise<Buffer> {
    const { back, lock } = this.#parts;
    if (!(await lock.unlock(Buffer.from(passphrase)))) return failure();
    // Somebody may have unlocked it directly.
    await back.ask(message, patience);
    return success();
  }
}

/** An agent that breaks the protocol has no identities. */
function listedIn(answer: Buffer | undefined): ListedIdentity[] {
  try {
    return answer ? readIdentities(answer) : [];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [];
  }
}
