/** Credentials that are renewed before they expire: a connection may last longer than a role's session. */

export interface Refreshable {
  /** Absent: they do not expire. */
  readonly expiration?: Date | undefined;
}

export interface RefreshOptions {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** Milliseconds before their end at which the AWS SDK renews credentials, too. */
const early = 300_000;

/**
 * All callers share one renewal at a time. If it fails, the old credentials are used until they expire.
 *
 * @param first absent: there are none yet
 */
export function refreshing<C extends Refreshable, A extends unknown[]>(
  first: C | undefined,
  open: (...how: A) => Promise<C>,
  { clock }: RefreshOptions,
): ((...how: A) => Promise<C>) & { readonly forget: () => void } {
  let held = first;
  let opening: Promise<C> | undefined;
  const left = (): number => (held ? (held.expiration?.getTime() ?? Infinity) - clock() : 0);
  const refresh = async (...how: A): Promise<C> => {
    try {
      return (held = await open(...how));
    } catch (error) {
      if (held && left() > 0) return held;
      throw error;
    } finally {
      opening = undefined;
    }
  };
  const current = async (...how: A): Promise<C> =>
    held && left() > early ? held : await (opening ??= refresh(...how));
  // For credentials that AWS calls expired before their time, because a clock is wrong.
  const forget = (): void => {
    held = undefined;
  };
  return Object.assign(current, { forget });
}
