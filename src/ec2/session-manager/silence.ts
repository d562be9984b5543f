/** How long the agent has acknowledged nothing of what waits for it. Pure: time is a parameter, in milliseconds. */

/** After this AWS's plugin gives up as well. @source session-manager-plugin: ResendMaxAttempt, ResendSleepInterval */
const usualPatience = 300_000;
/** How much one call can add: this machine may have slept in between. */
const longestStep = 5_000;
/** The first question comes after so long, each next one after twice the time, and at most so much later. */
const questions = { first: 1_000, longestPause: 30_000 } as const;

export class Silence {
  readonly patience: number;
  #length = 0;
  #countedAt: number | undefined;
  #nextQuestion: number = questions.first;

  constructor(patience = usualPatience) {
    this.patience = patience;
  }

  /** Counts on from where it stopped. */
  goOn(now: number): void {
    this.#countedAt ??= now;
  }

  /** There is nothing to wait for, or no way to hear it. */
  stop(): void {
    this.#countedAt = undefined;
  }

  /** Something was acknowledged. */
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

  /** Whether it is time to ask whether anybody is there. */
  takeQuestion(): boolean {
    if (this.#length < this.#nextQuestion) return false;
    this.#nextQuestion = this.#length + Math.min(this.#length, questions.longestPause);
    return true;
  }

  /** When to count, at the latest; undefined while it does not count. */
  get deadline(): number | undefined {
    if (this.#countedAt === undefined) return undefined;
    const left = Math.min(this.patience, this.#nextQuestion) - this.#length;
    return this.#countedAt + Math.min(left, longestStep);
  }
}
