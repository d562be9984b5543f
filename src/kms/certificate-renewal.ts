/**
 * Keeps one certificate valid: makes the next one before the present one ends. If that fails it tries again, and the
 * present one serves while it is valid.
 */
import { backOff } from '../back-off.ts';
import { abortable, anySignal } from '../deadline.ts';
import { Failure } from '../errors.ts';
import type { Certificate } from '../keys/certificate.ts';

export interface Clock {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** @returns a function that takes it back */
  readonly after: (milliseconds: number, run: () => void) => () => void;
}

export interface Renewing {
  /** Rejects if the signal is aborted; after that its result does not count. */
  readonly make: (signal: AbortSignal) => Promise<Certificate>;
  /** Milliseconds since the epoch: the end of the key's lifetime. Absent: no end. */
  readonly until?: number | undefined;
  readonly clock: Clock;
  /** As Math.random. */
  readonly random: () => number;
  /** Whether the key is still there. Asked before each renewal; once it is not, nothing is made any more. */
  readonly isWanted?: () => boolean;
  /** Each certificate that was made, as soon as it serves: for files and lists that show it. */
  readonly onMade?: (certificate: Certificate) => void;
  /** A renewal that failed, and the milliseconds until the next one. */
  readonly onFailed?: (error: unknown, milliseconds: number) => void;
}

/** Milliseconds. */
const pauses = { first: 1_000, longest: 60_000 } as const;
/** Milliseconds for one signature, after which the call counts as failed. */
const patience = 10_000;
/** Milliseconds. A longer timer would run at once (setTimeout), or late after the machine slept. */
const longestTimer = 3_600_000;

export class CertificateRenewal {
  readonly #renewing: Renewing;
  readonly #closing = new AbortController();
  #certificate: Certificate | undefined;
  #making: Promise<Certificate> | undefined;
  #failed: { readonly error: unknown; readonly at: number; readonly times: number } | undefined;
  #cancel = (): void => undefined;

  /** @param first one that was made already */
  constructor(renewing: Renewing, first?: Certificate) {
    this.#renewing = renewing;
    if (first) this.#keep(first);
  }

  /**
   * The valid certificate, at once if there is one. Otherwise a new one, for all that wait together.
   *
   * @returns undefined when the key's lifetime is over, and after close()
   * @throws the errors of making one; the signal's reason
   */
  async current(signal: AbortSignal): Promise<Certificate | undefined> {
    if (this.#isOver()) return undefined;
    if (this.#certificate && this.#isValid(this.#certificate)) return this.#certificate;
    const now = this.#renewing.clock.now();
    // Many that ask one after the other must not ask AWS more often than the timer would.
    if (!this.#making && this.#failed && now - this.#failed.at < pauses.first) throw this.#failed.error;
    return await abortable(this.#renew(), signal);
  }

  /** Nothing is made any more. */
  close(): void {
    this.#cancel();
    this.#certificate = undefined;
    this.#closing.abort(new Failure('TIMEOUT', 'the key was removed', { hint: 'load the key again' }));
  }

  #isOver(): boolean {
    const { clock, until = Infinity } = this.#renewing;
    return this.#closing.signal.aborted || clock.now() >= until;
  }

  #isValid({ validFrom, validUntil }: Certificate): boolean {
    const seconds = this.#renewing.clock.now() / 1000;
    return seconds >= validFrom && seconds < validUntil;
  }

  #renew(): Promise<Certificate> {
    this.#cancel();
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  async #make(): Promise<Certificate> {
    const { make, clock, onMade, onFailed } = this.#renewing;
    const limit = new AbortController();
    const stop = clock.after(patience, () => {
      limit.abort(tooSlow);
    });
    const signal = anySignal(limit.signal, this.#closing.signal);
    try {
      const made = await abortable(make(signal), signal);
      this.#keep(made);
      onMade?.(made);
      return made;
    } catch (error) {
      if (this.#isOver()) throw error;
      this.#failed = { error, at: clock.now(), times: (this.#failed?.times ?? 0) + 1 };
      const pause = backOff(pauses, this.#failed.times, this.#renewing.random);
      this.#wait(clock.now() + pause);
      onFailed?.(error, pause);
      throw error;
    } finally {
      stop();
    }
  }

  #keep(made: Certificate): void {
    const { clock, random, until = Infinity } = this.#renewing;
    this.#certificate = made;
    this.#failed = undefined;
    const [now, end] = [clock.now(), made.validUntil * 1000];
    // The lifetime counts in milliseconds and the certificate in seconds.
    if (end + 1000 <= until) this.#wait(now + (end - now) * (2 / 3) * (1 - random() / 10));
  }

  #wait(time: number): void {
    const { clock, isWanted = () => true } = this.#renewing;
    this.#cancel();
    this.#cancel = clock.after(Math.max(0, Math.min(time - clock.now(), longestTimer)), () => {
      if (this.#isOver()) return;
      if (!isWanted()) this.close();
      else if (clock.now() < time) this.#wait(time);
      else this.#renew().catch(() => undefined);
    });
  }
}

const tooSlow = new Failure('TIMEOUT', `no certificate was signed within ${patience / 1000} seconds`, {
  hint: 'check the network of this host, and the quota of KMS',
});

/** Its timers do not keep Node running. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (milliseconds, run) => {
    const timer = setTimeout(run, milliseconds).unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
