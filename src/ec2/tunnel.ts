/** A connection to an EC2 host: through Session Manager, through an Instance Connect Endpoint, or direct. */
import type { Duplex } from 'node:stream';

export interface Tunnel {
  /**
   * The bytes to and from the host, at the pace of the slower side. It ends when the host ends, and is destroyed with a
   * Failure if the tunnel breaks.
   */
  readonly stream: Duplex;
  /** Closes everything. It may be called at any time, and repeatedly. */
  close(): Promise<void>;
}
