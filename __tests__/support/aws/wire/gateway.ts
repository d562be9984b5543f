/** An HTTPS proxy for every host name. AWS's hosts are forwarded to the local AWS. A Region can be made unreachable. */
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * - `down`: the proxy cannot connect;
 * - `hanging`: it accepts the connection and sends nothing.
 */
export type Trouble = 'down' | 'hanging';

export interface GatewayOptions {
  /** The endpoint of the local AWS for `*.amazonaws.com`. Absent: none. */
  readonly leads?: string;
}

export interface Gateway {
  /** For HTTPS_PROXY. */
  readonly url: string;
  /** `host:port` of each requested connection, in order. */
  readonly tunnels: readonly string[];
  /** Host names that contain this text have the fault. */
  readonly trouble: Map<string, Trouble>;
  readonly forget: () => void;
  readonly close: () => void;
}

export async function startGateway({ leads }: GatewayOptions = {}): Promise<Gateway> {
  const tunnels: string[] = [];
  const trouble = new Map<string, Trouble>();
  const clients = new Set<Duplex>();
  const proxy = createServer().on('connect', ({ url = '' }, client) => {
    tunnels.push(url);
    clients.add(client.once('close', () => clients.delete(client)));
    client.on('error', () => undefined);
    const met = [...trouble].find(([part]) => url.includes(part))?.[1];
    if (met === 'down') client.end('HTTP/1.1 503 Service Unavailable\r\n\r\n');
    if (met === undefined) tunnel(client, targetOf(url, leads));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`,
    tunnels,
    trouble,
    forget: () => {
      tunnels.length = 0;
      trouble.clear();
    },
    close: () => {
      for (const client of clients) client.destroy();
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}

function targetOf(url: string, leads: string | undefined): URL {
  const asked = new URL(`http://${url}`);
  return leads !== undefined && asked.hostname.endsWith('.amazonaws.com') ? new URL(leads) : asked;
}

function tunnel(client: Duplex, { hostname, port }: URL): void {
  const upstream = connect(Number(port), hostname, () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    upstream.pipe(client).pipe(upstream);
  });
  for (const [end, other] of [
    [upstream, client],
    [client, upstream],
  ] as const) {
    end.on('error', () => other.destroy());
    end.on('close', () => other.destroy());
  }
}
