/** Makes the signatures that clients ask for: decides, signs, checks the signature, and keeps a log. */
import { abortable, abortAfter, within } from '../../deadline.ts';
import { Failure, toFailure } from '../../errors.ts';
import { fingerprint } from '../../keys/public-key.ts';
import { usesHint } from '../../keys/rule-place.ts';
import { verifiedAlgorithm } from '../../keys/signature-check.ts';
import type { SignRequest } from '../../ssh/agent-requests.ts';
import type { AgentLock } from './agent-lock.ts';
import { namedHost, permittedHost } from './host-permission.ts';
import type { HeldIdentity, Identities } from './identities.ts';
import type { SessionBindings } from './session-bindings.ts';
import { readSignatureRequest, refused, type SignatureRequest } from './signature-request.ts';
import type { Use, UseLog } from './use-log.ts';

/** Milliseconds for one signature, and how many may be in progress at the same time. */
const usualLimits = { patience: 10_000, waiting: 128 } as const;

/** Milliseconds, at the end of the patience, in which the signer can say why it has no signature. */
const lastWord = 100;

export interface SigningOptions {
  readonly identities: Identities;
  readonly lock: AgentLock;
  readonly log: UseLog;
  /** The wall clock. */
  readonly time: () => Date;
  readonly limits?: { readonly patience: number; readonly waiting: number } | undefined;
}

export interface Asked {
  readonly held: HeldIdentity;
  readonly request: SignRequest;
  readonly bindings: SessionBindings;
}

/** What is known about a request for the log. */
type Facts = { -readonly [Name in 'purpose' | 'host' | 'hostKey' | 'user' | 'algorithm']?: Use[Name] };

export class Signing {
  readonly #options: SigningOptions;
  readonly #limits: { readonly patience: number; readonly waiting: number };
  /** One for each signature in progress. Node 20 leaks memory if they are joined with another signal. */
  readonly #running = new Set<AbortController>();

  constructor(options: SigningOptions) {
    this.#options = options;
    this.#limits = options.limits ?? usualLimits;
  }

  /** @returns the signature in wire form; undefined if there is none, and the log has the reason */
  async sign(asked: Asked): Promise<Buffer | undefined> {
    const facts: Facts = {};
    try {
      const signature = await this.#inTime((signal) => this.#signed(asked, facts, signal));
      this.#note(asked, facts);
      return signature;
    } catch (error) {
      this.#note(asked, facts, toFailure(error));
      return undefined;
    }
  }

  /** Aborts the signatures in progress. */
  end(reason: Error): void {
    for (const controller of this.#running) controller.abort(reason);
  }

  /** @param work rejects when its signal is aborted */
  async #inTime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { patience, waiting } = this.#limits;
    if (this.#running.size >= waiting) throw busy(waiting);
    const controller = new AbortController();
    const timer = abortAfter(patience - lastWord, controller, tooLate(patience));
    this.#running.add(controller);
    try {
      return await work(controller.signal);
    } finally {
      clearTimeout(timer);
      this.#running.delete(controller);
    }
  }

  async #signed(asked: Asked, facts: Facts, signal: AbortSignal): Promise<Buffer> {
    const { held, request, bindings } = asked;
    const { signer, limits } = held.identity;
    const wanted = describe(facts, readSignatureRequest(request, signer.publicKey.type));
    if (!signer.algorithms.includes(wanted.algorithm)) {
      const hint = `use a client that knows ${signer.algorithms.join(' or ')}`;
      throw refused(`the key does not sign by ${wanted.algorithm}`, hint);
    }
    const judged = wanted.purpose === 'git' ? undefined : (wanted.hostKey ?? bindings.last?.hostKey);
    if (judged) facts.hostKey = fingerprint({ blob: judged });
    const hostKey = namedHost(wanted, bindings, limits);
    if (hostKey) {
      const now = Math.floor(this.#options.time().getTime() / 1000);
      const { writtenIn } = limits;
      facts.host = permittedHost(hostKey, await abortable(limits.hosts(signal), signal), {
        ...{ now, writtenIn },
      });
    }
    // The host keys may have been read slowly.
    signal.throwIfAborted();
    if (!held.takeUse()) throw refused('all uses of the key are taken', usesHint(limits.writtenIn ?? 'line'));
    try {
      const signature = await withLastWord(signer.sign(request.data, wanted.algorithm, signal), signal);
      this.#check(asked, wanted, signature);
      this.#options.identities.countUse(held);
      return signature;
    } catch (error) {
      held.giveUseBack();
      throw error;
    }
  }

  #check({ held, request }: Asked, { algorithm }: SignatureRequest, signature: Buffer): void {
    const { blob } = held.identity.signer.publicKey;
    if (verifiedAlgorithm(blob, { data: request.data, signature }) !== algorithm) {
      throw refused(
        `the signature does not belong to the key ${fingerprint({ blob })}`,
        'the key has changed since it was read: read it again',
      );
    }
    if (!held.isHeld || this.#options.lock.isLocked) {
      throw refused(
        'the key was removed or locked meanwhile',
        'add the key again, or unlock the agent: ssh-add -X',
      );
    }
  }

  #note({ held }: Asked, facts: Facts, failure?: Failure): void {
    const { signer, comment } = held.identity;
    const outcome = !failure ? 'signed' : failure.code === 'SIGNATURE_REFUSED' ? 'refused' : 'failed';
    this.#options.log.add({
      time: this.#options.time().toISOString(),
      outcome,
      purpose: 'unknown',
      key: fingerprint(signer.publicKey),
      comment,
      ...facts,
      failure: failure && { code: failure.code, message: failure.message, hint: failure.hint },
    });
  }
}

/** KMS that limits the rate, for example, is a better reason than the end of the patience. */
async function withLastWord<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await abortable(work, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    const reason = work.then(
      () => error,
      (why: unknown) => why,
    );
    throw (await within(lastWord, reason)) ?? error;
  }
}

function describe(facts: Facts, wanted: SignatureRequest): SignatureRequest {
  facts.purpose = wanted.purpose;
  facts.algorithm = wanted.algorithm;
  if (wanted.purpose === 'authentication') facts.user = wanted.user;
  return wanted;
}

function tooLate(patience: number): Failure {
  return new Failure('TIMEOUT', `a signature took longer than ${patience / 1000} seconds`, {
    hint: 'check that the machine reaches the service that has the key; then try again',
  });
}

function busy(waiting: number): Failure {
  return new Failure('THROTTLED', `${waiting} signatures are in progress already`, {
    hint: 'start fewer connections at the same time',
  });
}
