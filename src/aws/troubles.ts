/** What stands between us and a service just now: for whoever runs out of time, to say what the time went into. Pure. */
import { Failure } from '../errors.ts';

export interface Trouble {
  /** `ssm did not answer` */
  readonly what: string;
  /** Whether the service limits the rate of calls: then that is what is wrong, and not the time. */
  readonly throttled: boolean;
}

export class Troubles {
  readonly #latest = new Map<string, Trouble>();

  /** @param trouble undefined: the service answers again */
  note(service: string, trouble: Trouble | undefined): void {
    this.#latest.delete(service);
    if (trouble) this.#latest.set(service, trouble);
  }

  /** A failure for want of time, with what it went into. Any other is passed on: nobody else's limit is explained by it. */
  explain(error: unknown): unknown {
    const trouble = [...this.#latest.values()].at(-1);
    if (!trouble || !(error instanceof Failure) || error.code !== 'TIMEOUT') return error;
    // Who was interrupted knows why.
    if (!error.message.includes(' took longer than ')) return error;
    const { message, hint } = error;
    return new Failure(trouble.throttled ? 'THROTTLED' : 'TIMEOUT', `${trouble.what}, and ${message}`, {
      hint: trouble.throttled ? `run it again later, or give it more time: ${hint}` : hint,
      cause: error,
    });
  }
}
