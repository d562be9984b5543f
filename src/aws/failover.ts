/** Several regions in order of preference: the next has its turn where one cannot be reached. A refusal is an answer. */
import { Failure } from '../errors.ts';
import { abortable } from '../deadline.ts';
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
  const limit = limitOf(region, share);
  const turn = { region, signal: AbortSignal.any([signal, limit.signal]), regions };
  try {
    return { answer: await abortable(attempt(turn), turn.signal), regions };
  } catch (error) {
    signal.throwIfAborted();
    if (!isUnreachable(error)) throw error;
    warn(`${(error as Failure).message}: trying ${next}`);
  } finally {
    limit.stop();
  }
  return await inTurn(attempt, { regions: others, share, signal, warn });
}

interface Limit {
  readonly signal: AbortSignal;
  readonly stop: () => void;
}

function limitOf(region: string, share: number): Limit {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(
      new Failure('NETWORK_UNREACHABLE', `${region} did not answer within ${share / 1000} seconds`, {
        hint: 'raise timeout-seconds: that is what the regions share',
      }),
    );
  }, share);
  return {
    signal: controller.signal,
    stop: () => {
      clearTimeout(timer);
    },
  };
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
