/** What the agent in front signed and refused. Only in memory, and bounded. */
import { visible } from '../../keys/visible-text.ts';

export interface UseFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export interface Use {
  /** Counts all uses since the start; a reader that has read up to it asks for later ones. */
  readonly number: number;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly outcome: 'signed' | 'refused' | 'failed';
  /** `certificate`: the renewal of one, which is only here if it failed. */
  readonly purpose: 'authentication' | 'git' | 'certificate' | 'unknown';
  /** The fingerprint of the identity's plain key. */
  readonly key: string;
  readonly comment: string;
  /** In known_hosts form; absent if the host key is not a known one. */
  readonly host?: string | undefined;
  /** The fingerprint of the host's key or certificate. */
  readonly hostKey?: string | undefined;
  readonly user?: string | undefined;
  readonly algorithm?: string | undefined;
  readonly failure?: UseFailure | undefined;
}

/** Entries. Refused requests cost nothing, so a flood of them must not displace what was signed. */
const usualSizes = { signed: 1000, others: 200 } as const;
/** Characters of each text. */
const longestText = 300;

export interface LogPage {
  /** From old to new. */
  readonly uses: readonly Use[];
  /** Whether there are later ones. */
  readonly hasMore: boolean;
  /** All since the start, including those that the log no longer has. */
  readonly totals: Readonly<Record<Use['outcome'], number>>;
}

export class UseLog {
  readonly #signed: Use[] = [];
  readonly #others: Use[] = [];
  readonly #totals = { signed: 0, refused: 0, failed: 0 };
  readonly #sizes: { readonly signed: number; readonly others: number };

  constructor(sizes: { readonly signed: number; readonly others: number } = usualSizes) {
    this.#sizes = sizes;
  }

  add(use: Omit<Use, 'number'>): void {
    const { signed, refused, failed } = this.#totals;
    const kept = { number: signed + refused + failed + 1, ...shortened(use) } as Use;
    this.#totals[use.outcome]++;
    const isSigned = use.outcome === 'signed';
    const uses = isSigned ? this.#signed : this.#others;
    uses.push(kept);
    if (uses.length > this.#sizes[isSigned ? 'signed' : 'others']) uses.shift();
  }

  /**
   * @param after the number of the last use that the reader has
   * @param most bytes of the uses as JSON
   */
  page(after: number, most: number): LogPage {
    const later = [...this.#signed, ...this.#others]
      .filter(({ number }) => number > after)
      .sort((one, other) => one.number - other.number);
    let size = 0;
    const end = later.findIndex((use) => (size += Buffer.byteLength(JSON.stringify(use)) + 1) > most);
    const uses = end < 0 ? later : later.slice(0, end);
    return { uses, hasMore: uses.length < later.length, totals: { ...this.#totals } };
  }
}

/** Clients choose the user's name. Texts are shown in terminals and in a job's log. */
function shortened(use: object): object {
  return JSON.parse(JSON.stringify(use), (_, value: unknown) => {
    if (typeof value !== 'string') return value;
    const text = visible(value);
    return text.length > longestText ? `${text.slice(0, longestText)}…` : text;
  }) as object;
}
