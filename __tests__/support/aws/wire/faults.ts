/** Faults on demand: the fault, the operation, the number of times. */

/**
 * - `throttling`, `internal-error` (500), `unavailable` (503): the service's own errors;
 * - `reset` (RST), `hang` (accepted, never answered), `cut` (the body ends half-way), `torn` (half of the body, then
 *   RST), `stall` (half of the body, then
 *   nothing more, with the connection open), `drip` (a byte every tenth of a second): the wire's;
 * - `malformed` (a proxy's HTML with status 200), `bad-gateway` (the same with 502), `redirect` (302 to a sign-in page),
 *   `huge` (100 MB of white space), `broken` (half of the body, and said to be all of it), `foreign` (the format is right,
 *   the members are not), `mistyped` (the body is right, and said to be HTML): what stands between;
 * - `unanswered`: the call is performed, and its answer never comes;
 * - `{ latency }` in milliseconds, or a promise that it waits for: the answer comes later, and is otherwise as it would
 *   have been;
 * - `{ error }`: any error of the service's, in its own format.
 */
export type Fault =
  | 'throttling'
  | 'internal-error'
  | 'unavailable'
  | 'reset'
  | 'hang'
  | 'cut'
  | 'torn'
  | 'stall'
  | 'drip'
  | 'malformed'
  | 'bad-gateway'
  | 'redirect'
  | 'huge'
  | 'broken'
  | 'foreign'
  | 'mistyped'
  | 'unanswered'
  | { readonly latency: Latency }
  | { readonly error: { readonly code: string; readonly message: string; readonly status?: number } };

type Latency = number | Promise<unknown>;

export interface FaultOrder {
  /** `ssm:GetParameters`, `sts:*`, `*`. Case-sensitive; `*` matches any characters. */
  readonly operation: string;
  /** The Region of the signature, or of AWS's host name. Absent: any. */
  readonly region?: string;
  readonly fault: Fault;
  /** Absent: for ever. */
  readonly times?: number;
  /** Calls without the fault, before the first one with it. Default: 0. */
  readonly skip?: number;
}

export class Faults {
  #orders: { order: FaultOrder; left: number; skip: number }[] = [];

  /** Orders are used in the order in which they were made. A latency combines with one other fault. */
  order(order: FaultOrder): void {
    this.#orders.push({ order, left: order.times ?? Number.POSITIVE_INFINITY, skip: order.skip ?? 0 });
  }

  clear(): void {
    this.#orders = [];
  }

  /** The fault for this call, which is counted. */
  take(operation: string, region: string | undefined): { latency: Latency; fault: Fault | undefined } {
    const mine = this.#orders.filter((one) => {
      if (one.left <= 0 || !concerns(one.order, operation, region)) return false;
      if (one.skip === 0) return true;
      one.skip -= 1;
      return false;
    });
    const delay = mine.find(({ order }) => latencyOf(order.fault) !== undefined);
    const other = mine.find(({ order }) => latencyOf(order.fault) === undefined);
    if (delay) delay.left -= 1;
    if (other) other.left -= 1;
    return { latency: (delay && latencyOf(delay.order.fault)) ?? 0, fault: other?.order.fault };
  }
}

function latencyOf(fault: Fault): Latency | undefined {
  return typeof fault === 'object' && 'latency' in fault ? fault.latency : undefined;
}

function concerns(order: FaultOrder, operation: string, region: string | undefined): boolean {
  if (order.region !== undefined && order.region !== region) return false;
  const parts = order.operation.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(operation);
}
