import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { openStage, told, type Stage } from './stage.ts';

describe('behind a proxy', () => {
  let stage: Stage;
  let world: ReadyWorld;
  let proxy: Server;
  let proxyUrl: string;
  /** Where clients asked to be connected to. */
  const tunnels: string[] = [];

  beforeAll(async () => {
    [stage, world] = await Promise.all([openStage(), startReadyWorld({ tls: true })]);
    world.put('/ci/deploy-key', stage.key.privateKey);
    proxy = createServer().on('connect', ({ url = '' }, client) => {
      tunnels.push(url);
      const { hostname, port } = new URL(`http://${url}`);
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
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    proxyUrl = `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`;
  });
  afterAll(async () => {
    proxy.closeAllConnections();
    proxy.close();
    await Promise.all([stage.close(), world.stop()]);
  });

  const load = async (env: Record<string, string>): Promise<string[]> => {
    tunnels.length = 0;
    const inputs = { keys: '/ci/deploy-key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
    const main = await stage.job({ env: { ...world.jobEnvironment(), ...env } }).uses({ with: inputs });
    expect(told(main).text).toBe('');
    return [...new Set(tunnels)].sort();
  };
  const hosts = (): string[] =>
    [world.aws.endpoint, world.aws.oidc.url].map((url) => new URL(url).host).sort();

  it.each(['HTTPS_PROXY', 'https_proxy'])(
    'named by %s, both GitHub and AWS are reached through it',
    async (name) => {
      expect(await load({ [name]: proxyUrl })).toEqual(hosts());
    },
  );

  it('that NO_PROXY excepts them from, both are reached directly', async () => {
    expect(await load({ HTTPS_PROXY: proxyUrl, NO_PROXY: '127.0.0.1' })).toEqual([]);
  });

  it('that accepts and says no more, GitHub is given up on after ten seconds and max-attempts', async () => {
    const mute = createServer().on('connect', () => undefined);
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const HTTPS_PROXY = `http://127.0.0.1:${String((mute.address() as AddressInfo).port)}`;
    const inputs = {
      keys: '/ci/deploy-key',
      'aws-region': REGION,
      'role-to-assume': ROLE_ARN,
      'max-attempts': '1',
    };
    const main = await stage.job({ env: { ...world.jobEnvironment(), HTTPS_PROXY } }).uses({ with: inputs });
    mute.closeAllConnections();
    mute.close();
    expect(told(main).code).toBe('OIDC_REQUEST_FAILED');
    expect(told(main).text).toMatch(/did not answer \(no answer in time\)\nhint: .*HTTPS_PROXY/);
  });
});
