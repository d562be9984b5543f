/** Several Regions in order of preference: the next is tried if one cannot be reached. If access is denied, no other is tried. */
import { Failure } from '../errors.ts';
import { withDeadline } from '../deadline.ts';
import { readAwsError } from './failures.ts';

export interface Regions {
  /** In order of preference; at least one. */
  readonly regions: readonly string[];
  /** Milliseconds for a Region that is not the last: if it hangs, time must be left for the next. */
  readonly share: number;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

export interface Turn {
  readonly region: string;
  /** Also aborted when the time of the Region is over. */
  readonly signal: AbortSignal;
  /** This Region, and the ones to try next. */
  readonly regions: readonly string[];
}

export interface Outcome<T> {
  readonly answer: T;
  /** The Region that answered, and the ones after it. The ones before it could not be reached. */
  readonly regions: readonly string[];
}

/** @throws the refusal of the first Region that can be reached, or the failure of the last Region */
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

/** Whether a Region did not answer, throttled, or failed by itself in all attempts. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Failure)) return false;
  const several = error.cause instanceof AggregateError ? error.cause.errors : [];
  // Node throws an AggregateError for a host with several addresses: that is one failure.
  if (several.some((one) => one instanceof Failure)) return several.every(isUnreachable);
  if (error.code === 'PROVIDER_FAILED') return readAwsError(error.cause).status >= 500;
  return error.code === 'NETWORK_UNREACHABLE' || error.code === 'THROTTLED';
}
