/** A way to an EC2 host: Session Manager, an Instance Connect Endpoint, or the network itself. */
import type { Duplex } from 'node:stream';

export interface Tunnel {
  /**
   * What ssh writes goes in, what the host writes comes out, both at the pace of the slower side. It ends where the host
   * ends, and is destroyed with a Failure where the way breaks.
   */
  readonly stream: Duplex;
  /** Leaves nothing open behind it. May be called at any time, and again. */
  close(): Promise<void>;
}
