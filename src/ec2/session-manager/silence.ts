/** Measures how long the agent has acknowledged nothing of the waiting data. Pure: time is a parameter, in milliseconds. */

/** AWS's plugin ends after this time, too. @source session-manager-plugin: ResendMaxAttempt, ResendSleepInterval */
const usualPatience = 300_000;
/** Limit of the time that one call adds, because this machine may have been suspended. */
const longestStep = 5_000;
/**
 * The first question to the agent comes after this time. Each pause is twice as long as the one before, up to the
 * longest.
 */
const questions = { first: 1_000, longestPause: 30_000 } as const;

export class Silence {
  readonly patience: number;
  #length = 0;
  #countedAt: number | undefined;
  #nextQuestion: number = questions.first;

  constructor(patience = usualPatience) {
    this.patience = patience;
  }

  /** Continues to measure. */
  goOn(now: number): void {
    this.#countedAt ??= now;
  }

  /** Pauses: nothing waits, or there is no socket. */
  stop(): void {
    this.#countedAt = undefined;
  }

  /** Resets: something was acknowledged. */
  end(now: number): void {
    this.#length = 0;
    this.#nextQuestion = questions.first;
    if (this.#countedAt !== undefined) this.#countedAt = now;
  }

  count(now: number): void {
    if (this.#countedAt === undefined) return;
    this.#length += Math.min(now - this.#countedAt, longestStep);
    this.#countedAt = now;
  }

  get isTooLong(): boolean {
    return this.#length >= this.patience;
  }

  /** Whether it is time for a question to the agent. */
  takeQuestion(): boolean {
    if (this.#length < this.#nextQuestion) return false;
    this.#nextQuestion = this.#length + Math.min(this.#length, questions.longestPause);
    return true;
  }

  /** The latest time for the next call; undefined while it is paused. */
  get deadline(): number | undefined {
    if (this.#countedAt === undefined) return undefined;
    const left = Math.min(this.patience, this.#nextQuestion) - this.#length;
    return this.#countedAt + Math.min(left, longestStep);
  }
}
