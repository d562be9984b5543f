/** What the agent in front serves: keys that sign and cannot be read, and how each may be used. Pure. */
import type { RulePlace } from '../../keys/rule-place.ts';
import type { Signer } from '../../keys/signer.ts';
import type { Destination } from '../../ssh/agent-protocol.ts';

/** A host that a key may sign for. `checkableKeysFor` and `revokedKeysFor` find the keys. */
export interface KnownHost extends Destination {
  /** Keys that @revoked lines name for the host: the plain key and the authority of a certificate are looked up. */
  readonly revoked?: readonly Buffer[];
}

export interface Limits {
  /** Seconds until the agent forgets the key; 0 for no limit. */
  readonly lifetime: number;
  /** Number of signatures until the agent forgets the key; undefined for no limit. */
  readonly uses?: number | undefined;
  /** Called before the last one of them counts. If it throws, there is no such signature. */
  readonly onSpent?: (() => void) | undefined;
  /** Whether clients may use it that do not name the host. */
  readonly unbound: 'refuse' | 'allow';
  /** Whether clients on other machines may use it, through a forwarded agent. */
  readonly forwarding: 'refuse' | 'allow';
  /** For hints. Default: a line. */
  readonly writtenIn?: RulePlace | undefined;
  /**
   * The hosts that it may sign for. Read for each signature: with `accept-new`, ssh writes the host key immediately
   * before it authenticates.
   */
  readonly hosts: (signal: AbortSignal) => Promise<readonly KnownHost[]>;
}

export interface FrontIdentity {
  readonly signer: Signer;
  /** In wire form, in the order in which clients offer them: a certificate, the plain key, or both. */
  readonly blobs: readonly Buffer[];
  readonly comment: string;
  readonly limits: Limits;
  /**
   * Called before the identity is listed: replaces a certificate that has ended, or takes it out of the list. Takes a few
   * seconds at most, and never rejects.
   */
  readonly freshen?: (() => Promise<void>) | undefined;
}
