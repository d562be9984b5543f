/** The local AWS, reached over loopback or over TLS with a round-trip time. Each service has a connection of its own. */
import { startReadyWorld, type ReadyWorld } from '../__tests__/support/aws/world.ts';
import { TcpRelay } from '../__tests__/support/tcp-relay.ts';

export interface Network {
  readonly name: string;
  readonly world: ReadyWorld;
  /** The environment of a step in acme/app's workflow. */
  readonly environment: Readonly<Record<string, string>>;
  /** Connections that were used, and round trips from the first connection to the last answer. Resets both. */
  readonly counted: () => number;
  readonly stop: () => Promise<void>;
}

/** Plain HTTP, without relays. */
export async function loopback(): Promise<Network> {
  const world = await startReadyWorld();
  const environment = world.jobEnvironment();
  return { name: 'loopback', world, environment, counted: () => NaN, stop: world.stop };
}

/** @param roundTrip milliseconds that the network adds */
export async function overTls(roundTrip: number): Promise<Network> {
  const world = await startReadyWorld({ tls: true });
  const { AWS_ENDPOINT_URL: endpoint = '', ...others } = world.jobEnvironment();
  const relays: TcpRelay[] = [];
  const relayed = async (address: string): Promise<string> => {
    const url = new URL(address);
    const relay = await TcpRelay.start(Number(url.port), { roundTrip });
    relays.push(relay);
    url.port = String(relay.port);
    return url.href;
  };
  const environment = {
    ...others,
    AWS_ENDPOINT_URL_STS: await relayed(endpoint),
    AWS_ENDPOINT_URL_SSM: await relayed(endpoint),
    ACTIONS_ID_TOKEN_REQUEST_URL: await relayed(others['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? ''),
  };
  return {
    ...{ name: `TLS, ${roundTrip} ms`, world, environment },
    counted: () => {
      const first = Math.min(...relays.map(({ firstAt }) => firstAt));
      const last = Math.max(...relays.map(({ lastAt }) => lastAt));
      for (const relay of relays) [relay.firstAt, relay.lastAt] = [Infinity, -Infinity];
      return Math.floor((last - first) / roundTrip);
    },
    stop: async () => {
      for (const relay of relays) relay.close();
      await world.stop();
    },
  };
}
