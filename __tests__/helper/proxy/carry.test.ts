/** The copying between ssh and a tunnel ends with either of them. */
import { Duplex, PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { carry } from '../../../helper/proxy/carry.ts';

let tunnel: Duplex;
let given: string[];
let ssh: { input: PassThrough; output: PassThrough };
let ended: AbortController;
let seen: string[];

beforeEach(() => {
  [given, seen, ended] = [[], [], new AbortController()];
  ssh = { input: new PassThrough(), output: new PassThrough() };
  tunnel = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _, done) => {
      given.push(chunk.toString());
      done();
    },
  });
});

const abort = (): void => {
  ended.abort();
};
const carried = (): Promise<void> =>
  carry(
    tunnel,
    { ...ssh, signal: ended.signal },
    {
      fromClient: (chunk) => seen.push(`client ${chunk.toString()}`),
      fromHost: (chunk) => seen.push(`host ${chunk.toString()}`),
    },
  );

describe('the copying between ssh and a tunnel', () => {
  it('gives all that was read before the host ended to ssh', async () => {
    const running = carried();
    ssh.input.write('from ssh');
    tunnel.push('from the host');
    tunnel.push(null);
    await running;
    expect([given, String(ssh.output.read())]).toEqual([['from ssh'], 'from the host']);
    expect(seen.sort()).toEqual(['client from ssh', 'host from the host']);
    expect(tunnel.destroyed).toBe(false);
  });

  it.each<[string, () => unknown]>([
    ['the tunnel is closed, and has not ended', () => tunnel.destroy()],
    ['ssh closes its end of the output', () => ssh.output.destroy(new Error('EPIPE'))],
    ['the input of ssh fails', () => ssh.input.destroy(new Error('EIO'))],
    ['the input of ssh ends, and the host says nothing more', () => ssh.input.end()],
    ['a signal ends this process', abort],
  ])(
    'ends when %s',
    async (_, happen) => {
      const running = carried();
      setImmediate(happen);
      await expect(running).resolves.toBeUndefined();
    },
    20_000,
  );

  it.each(['before', 'while'])(
    'fails with the error that destroyed the tunnel: %s it copies',
    async (when) => {
      const error = new Error('the tunnel broke');
      if (when === 'before') tunnel.on('error', () => undefined).destroy(error);
      const running = carried();
      if (when === 'while') tunnel.destroy(error);
      await expect(running).rejects.toBe(error);
    },
  );
});
