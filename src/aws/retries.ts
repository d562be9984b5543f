/** When a client of the AWS SDK tries a call again: like the SDK, but with more patience if AWS limits the rate of calls. */
import { ConfiguredRetryStrategy, StandardRetryStrategy } from '@smithy/core/retry';
import type { RetryErrorInfo, RetryStrategyV2, StandardRetryToken } from '@smithy/types';
import { waitWhenThrottled } from './back-off.ts';

export interface RetryLimits {
  /** Tries of one call, the first included. */
  readonly maxAttempts: number;
  /** The same for a call that is throttled. */
  readonly throttledAttempts: number;
}

/**
 * For the clients that many hosts use at the same time. Signatures by KMS have shorter waits of their own.
 *
 * @param wait milliseconds before the next try of a throttled call, by the number of tries so far
 */
export function retries(
  limits: RetryLimits,
  wait: (tries: number) => number = waitWhenThrottled,
): { readonly retryStrategy: RetryStrategyV2 } {
  return { retryStrategy: new Retries(limits, wait) };
}

class Retries implements RetryStrategyV2 {
  readonly #usual: StandardRetryStrategy;
  readonly #throttled: StandardRetryStrategy;

  constructor({ maxAttempts, throttledAttempts }: RetryLimits, wait: (tries: number) => number) {
    this.#usual = new StandardRetryStrategy(maxAttempts);
    this.#throttled = new ConfiguredRetryStrategy(throttledAttempts, wait);
  }

  async acquireInitialRetryToken(scope: string): Promise<StandardRetryToken> {
    return await this.#usual.acquireInitialRetryToken(scope);
  }

  async refreshRetryTokenForRetry(
    token: StandardRetryToken,
    error: RetryErrorInfo,
  ): Promise<StandardRetryToken> {
    const strategy = error.errorType === 'THROTTLING' ? this.#throttled : this.#usual;
    return await strategy.refreshRetryTokenForRetry(token, error);
  }

  recordSuccess(token: StandardRetryToken): void {
    this.#usual.recordSuccess(token);
    this.#throttled.recordSuccess(token);
  }
}
