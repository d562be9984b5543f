/** Credentials that are asked for again before they end: a connection may last longer than a role's session. */
import type { Credentials } from './caller.ts';

export interface RefreshOptions {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Milliseconds before their end from which on the AWS SDK asks for others. */
const early = 300_000;

/** One that is under way serves all who ask meanwhile. Where it fails, what there is serves to its end. */
export function refreshing(
  first: Credentials,
  open: () => Promise<Credentials>,
  { clock }: RefreshOptions,
): () => Promise<Credentials> {
  let held = first;
  let opening: Promise<Credentials> | undefined;
  const left = (): number => (held.expiration?.getTime() ?? Infinity) - clock();
  const renew = async (): Promise<Credentials> => {
    try {
      return (held = await open());
    } catch (error) {
      if (left() > 0) return held;
      throw error;
    } finally {
      opening = undefined;
    }
  };
  return async () => (left() > early ? held : await (opening ??= renew()));
}
