/** Direct TCP connections to an instance. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { openDirectTunnel } from '../../src/ec2/direct.ts';
import type { Instance } from '../../src/ec2/instances.ts';
import type { Tunnel } from '../../src/ec2/tunnel.ts';
import { failureOf } from './ec2-stage.ts';
import { endOf, read, TcpHost } from './tcp-host.ts';

const host = new TcpHost();
const opened: Tunnel[] = [];
beforeAll(() => host.start());
afterAll(() => {
  host.stop();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((tunnel) => tunnel.close()));
  host.reset();
});

const unaddressed: Instance = {
  ...{ instanceId: 'i-01234567', name: undefined, platform: 'other' },
  ...{ publicIp: undefined, ipv6: undefined, privateIp: undefined },
  ...{ availabilityZone: undefined, vpcId: undefined, subnetId: undefined },
};

describe('a direct connection', () => {
  const direct = async (addresses: Partial<Instance>): Promise<Tunnel> => {
    const instance = { ...unaddressed, ...addresses };
    const tunnel = await openDirectTunnel(
      { instance, port: host.port },
      { signal: new AbortController().signal },
    );
    opened.push(tunnel);
    return tunnel;
  };

  it('uses the first address that answers', async () => {
    const { stream } = await direct({ publicIp: '127.0.0.2', ipv6: '::1', privateIp: '127.0.0.1' });
    const sent = randomBytes(1_000_000);
    stream.write(sent);
    expect((await read(stream, sent.length)).equals(sent)).toBe(true);
  });

  it('without any answer is TUNNEL_FAILED, with the error of each address', async () => {
    const failure = await failureOf(direct({ publicIp: '127.0.0.2', privateIp: '127.0.0.3' }));
    expect(failure).toMatchObject({
      code: 'TUNNEL_FAILED',
      message: `the instance i-01234567 does not answer on port ${host.port}: 127.0.0.2 (ECONNREFUSED), 127.0.0.3 (ECONNREFUSED)`,
    });
    expect(failure.hint).toContain('security group');
  });

  it('to an instance without an address is TUNNEL_FAILED', async () => {
    expect(await failureOf(direct({}))).toMatchObject({
      code: 'TUNNEL_FAILED',
      message: 'the instance i-01234567 has no address',
    });
  });

  it('ends when the host ends it, and is TUNNEL_FAILED when it breaks', async () => {
    host.behave = (socket) => socket.end('bye');
    expect(await endOf(await direct({ privateIp: '127.0.0.1' }))).toBeUndefined();
    host.behave = (socket) => socket.once('data', () => socket.resetAndDestroy());
    const tunnel = await direct({ privateIp: '127.0.0.1' });
    tunnel.stream.write('hello');
    const failure = await endOf(tunnel);
    expect(failure).toMatchObject({ code: 'TUNNEL_FAILED' });
    expect(failure?.message).toContain('i-01234567 at 127.0.0.1 broke: ECONNRESET');
  });

  it('may break before there is a listener, while a key is pushed', async () => {
    host.behave = (socket) => setTimeout(() => socket.resetAndDestroy(), 20);
    const { stream } = await direct({ privateIp: '127.0.0.1' });
    while (!stream.closed) await sleep(5);
    expect(stream.errored).toMatchObject({ code: 'TUNNEL_FAILED' });
  });
});
