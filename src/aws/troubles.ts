/** The last trouble with each service. If the time runs out, the message says what took the time. Pure. */
import { Failure } from '../errors.ts';

export interface Trouble {
  /** `ssm did not answer` */
  readonly what: string;
  /** Whether the service limits the rate of calls: then the failure is THROTTLED, not TIMEOUT. */
  readonly throttled: boolean;
}

export class Troubles {
  readonly #latest = new Map<string, Trouble>();

  /** @param trouble undefined: the service answers again */
  note(service: string, trouble: Trouble | undefined): void {
    this.#latest.delete(service);
    if (trouble) this.#latest.set(service, trouble);
  }

  /** Adds the trouble to a TIMEOUT of ours. Any other error is returned as it is. */
  explain(error: unknown): unknown {
    const trouble = [...this.#latest.values()].at(-1);
    if (!trouble || !(error instanceof Failure) || error.code !== 'TIMEOUT') return error;
    // If the runner cancelled the step, the user knows why.
    if (!error.message.includes(' took longer than ')) return error;
    const { message, hint } = error;
    return new Failure(trouble.throttled ? 'THROTTLED' : 'TIMEOUT', `${trouble.what}, and ${message}`, {
      hint: trouble.throttled ? `run it again later, or give it more time: ${hint}` : hint,
      cause: error,
    });
  }
}
