/** Credentials that are renewed before they expire: a connection may last longer than a role's session. */
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import { within } from '../deadline.ts';

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
/** Milliseconds that a caller waits for a renewal while the old credentials are valid: it has a time limit of its own. */
const patience = 2_000;
/** Milliseconds from a failed renewal to the next one. */
const pause = 5_000;

/**
 * All callers share one renewal at a time. If it fails or is slow, the old credentials are used until they expire.
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
  let restsUntil = -Infinity;
  const left = (): number => (held ? (held.expiration?.getTime() ?? Infinity) - clock() : 0);
  const refresh = async (...how: A): Promise<C> => {
    try {
      return (held = await open(...how));
    } catch (error) {
      restsUntil = clock() + pause;
      if (held && left() > 0) return held;
      throw error;
    } finally {
      opening = undefined;
    }
  };
  const current = async (...how: A): Promise<C> => {
    const present = held;
    if (!present || left() <= 0) return await (opening ??= refresh(...how));
    if (left() > early || (!opening && clock() < restsUntil)) return present;
    const renewal = (opening ??= refresh(...how));
    // Nobody may wait for it any more when it fails.
    renewal.catch(() => undefined);
    const renewed = await within(Math.min(patience, left()), renewal);
    if (renewed) return renewed;
    // Meanwhile they may have ended, or been refused.
    return held === present && left() > 0 ? present : await renewal;
  };
  // For credentials that AWS calls expired before their time, because a clock is wrong.
  const forget = (): void => {
    held = undefined;
  };
  return Object.assign(current, { forget });
}

/** The AWS SDK keeps an identity until five minutes before its end. Ours are kept where they can be forgotten. */
export function unkept(ask: AwsCredentialIdentityProvider): AwsCredentialIdentityProvider {
  return async (properties) => ({ ...(await ask(properties)), expiration: new Date() });
}
