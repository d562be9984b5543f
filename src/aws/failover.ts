/** Several regions in order of preference: the next has its turn where one cannot be reached. A refusal is an answer. */
import { Failure } from '../errors.ts';
import { withDeadline } from '../deadline.ts';
import { readAwsError } from './failures.ts';

export interface Regions {
  /** In order of preference; one at least. */
  readonly regions: readonly string[];
  /** Milliseconds that a region has at a time, unless it is the last: one that hangs must leave time for the next. */
  readonly share: number;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

export interface Turn {
  readonly region: string;
  /** Aborted when the region's share is over, too. */
  readonly signal: AbortSignal;
  /** This one, and those that are left if it cannot be reached. */
  readonly regions: readonly string[];
}

export interface Outcome<T> {
  readonly answer: T;
  /** The one that answered, and those behind it. Those before it are out of the game. */
  readonly regions: readonly string[];
}

/** @throws what the first reachable region refuses with, or the last region's trouble */
export async function inTurn<T>(
  attempt: (turn: Turn) => Promise<T>,
  { regions, share, signal, warn }: Regions,
): Promise<Outcome<T>> {
  const [region = '', ...others] = regions;
  const [next] = others;
  if (next === undefined) return { answer: await attempt({ region, signal, regions }), regions };
  const reason = new Failure(
    'NETWORK_UNREACHABLE',
    `${region} did not answer within ${share / 1000} seconds`,
    { hint: 'raise timeout-seconds: that is what the regions share' },
  );
  try {
    const answer = await withDeadline({ milliseconds: share, reason, signal }, (limited) =>
      attempt({ region, signal: limited, regions }),
    );
    return { answer, regions };
  } catch (error) {
    signal.throwIfAborted();
    if (!isUnreachable(error)) throw error;
    warn(`${(error as Failure).message}: trying ${next}`);
  }
  return await inTurn(attempt, { regions: others, share, signal, warn });
}

/** Down, hanging, throttling or failing by itself, to the end of max-attempts. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Failure)) return false;
  const several = error.cause instanceof AggregateError ? error.cause.errors : [];
  // Node has an AggregateError of its own, for a host with several addresses: that is one trouble.
  if (several.some((one) => one instanceof Failure)) return several.every(isUnreachable);
  if (error.code === 'PROVIDER_FAILED') return readAwsError(error.cause).status >= 500;
  return error.code === 'NETWORK_UNREACHABLE' || error.code === 'THROTTLED';
}
