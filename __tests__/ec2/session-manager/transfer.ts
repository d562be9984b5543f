/** Sends bytes in both directions at the same time through a tunnel with faults, and compares them. */
import { createCipheriv } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Ec2Caller } from '../../../src/ec2/caller.ts';
import { openSessionTunnel } from '../../../src/ec2/session-manager/tunnel.ts';
import type { Tunnel } from '../../../src/ec2/tunnel.ts';
import type { AgentInput, LocalAws, SessionFaults } from '../../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, startReadyWorld } from '../../support/aws/world.ts';
import { callerOf } from '../ec2-stage.ts';

export interface Trouble {
  readonly faults: SessionFaults;
  readonly agent?: Partial<AgentInput>;
}

/**
 * The faults for a transfer of this size in both directions. An agent repeats one message in 100 ms, so losses towards
 * the client are rarer than others, and a run takes seconds. If sockets are lost, the agent pauses like the real one,
 * so that the loss happens during the transfer.
 */
export function troublesFor(size: number): Readonly<Record<string, Trouble>> {
  const pace = { agent: { pace: 1 } };
  /** A part of the `size / 1000` milliseconds that a transfer takes at that pace. */
  const share = (part: number): number => (size / 1000) * part;
  return {
    nothing: { faults: {} },
    drop: { faults: { drop: { toAgent: 0.05, toClient: 0.005 } } },
    duplicate: { faults: { duplicate: 0.1 } },
    reorder: { faults: { reorder: 0.2 } },
    delay: { faults: { delay: 10 } },
    'lost acknowledgements': { faults: { lostAcknowledgements: { toAgent: 0.005, toClient: 0.05 } } },
    'cut sockets': { faults: { cutAfterBytes: size * 0.7 }, ...pace },
    'resets up': { faults: { resetAfterBytes: { toAgent: size * 0.3 } }, ...pace },
    'resets down': { faults: { resetAfterBytes: { toClient: size * 0.3 } }, ...pace },
    'closed by the hour': { faults: { closeEvery: Math.max(share(0.4), 400) }, ...pace },
    pauses: { faults: { pause: { every: share(0.1), for: share(0.07) } } },
    'a stalled service': { faults: { stall: { afterBytes: size / 2, for: share(0.3) } } },
    'a late connection': { faults: {}, agent: { connectDelay: 400 } },
    'all together': {
      agent: { connectDelay: 100, pace: 1 },
      faults: {
        drop: { toAgent: 0.02, toClient: 0.001 },
        lostAcknowledgements: { toAgent: 0.001, toClient: 0.02 },
        ...{
          duplicate: 0.05,
          reorder: 0.1,
          delay: 3,
          cutAfterBytes: size * 1.5,
          closeEvery: Math.max(share(1), 600),
        },
        pause: { every: share(0.45), for: share(0.05) },
        stall: { afterBytes: size / 2, for: share(0.07) },
      },
    },
  };
}

/** Bytes that look random, and are the same for the same name. */
export function madeBytes(name: string, size: number): Buffer {
  const key = Buffer.alloc(16, name);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

export interface TransferWorld {
  readonly aws: LocalAws;
  readonly caller: Ec2Caller;
  /** Launches an instance with a handler for connections to its port 22. Returns its id. */
  readonly launch: (connection: (socket: Socket) => void, more?: Partial<AgentInput>) => Promise<string>;
  readonly openTunnel: (instanceId: string) => Promise<Tunnel>;
  readonly stop: () => Promise<void>;
}

/** One at a time, because the AWS SDK reads its endpoint from this process's environment. */
export async function startTransferWorld(): Promise<TransferWorld> {
  const { aws, stop } = await startReadyWorld();
  const servers: Server[] = [];
  const caller = callerOf(aws, [allow(['ssm:*', 'ssmmessages:*'], '*')]);
  process.env['AWS_ENDPOINT_URL'] = aws.endpoint;
  return {
    ...{ aws, caller },
    launch: async (connection, more = {}) => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined).unref();
        connection(socket);
      }).unref();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const instanceId = `i-${String(servers.push(server)).padStart(17, '0')}`;
      const ports = { 22: (server.address() as AddressInfo).port };
      aws.sessions.connectAgent({ account: ACCOUNT, region: REGION, instanceId, ports, ...more });
      return instanceId;
    },
    openTunnel: (instanceId) => openSessionTunnel({ instanceId, port: 22 }, caller),
    stop: async () => {
      delete process.env['AWS_ENDPOINT_URL'];
      for (const server of servers) server.close();
      await stop();
    },
  };
}

export interface Transfer {
  readonly trouble: Trouble;
  readonly size: number;
  readonly seed?: number;
}

export interface TransferOutcome {
  /** Whether the received bytes are correct: at the host, and at the client. */
  readonly right: { readonly up: boolean; readonly down: boolean };
  readonly violations: readonly string[];
  /** Whether the session is over. */
  readonly ended: boolean;
  /** Number of sockets that were used. */
  readonly sockets: number;
  readonly milliseconds: number;
}

/** Throws if the tunnel breaks. */
export async function transfer(
  { aws, launch, openTunnel }: TransferWorld,
  { trouble, size, seed = 1 }: Transfer,
): Promise<TransferOutcome> {
  const [up, down] = [madeBytes(`up ${seed}`, size), madeBytes(`down ${seed}`, size)];
  let taken: Promise<Buffer> | undefined;
  const instanceId = await launch(
    (socket) => {
      socket.write(down);
      taken = read(socket, size);
      // If the tunnel breaks, its own error says why.
      taken.catch(() => undefined);
    },
    { ...trouble.agent, faults: { ...trouble.faults, seed } },
  );
  const since = performance.now();
  const tunnel = await openTunnel(instanceId);
  tunnel.stream.write(up);
  const received = await read(tunnel.stream, size);
  const arrived = await taken;
  await tunnel.close();
  const milliseconds = Math.round(performance.now() - since);
  // TerminateSession is sent, but not waited for.
  for (let waited = 0; waited < 3000 && isOpen(aws, instanceId); waited += 50) await sleep(50);
  const { id, sockets = 0 } = aws.sessions.ended.find(({ target }) => target === instanceId) ?? {};
  const violations = aws.sessions.violations.filter(({ sessionId }) => sessionId === id);
  return {
    right: { up: arrived?.equals(up) === true, down: received.equals(down) },
    violations: violations.map(({ what }) => what),
    ...{ ended: id !== undefined, sockets, milliseconds },
  };
}

export function isOpen({ sessions }: LocalAws, instanceId: string): boolean {
  return sessions.open.some(({ target }) => target === instanceId);
}

/** The first `size` bytes. */
export async function read(stream: Duplex, size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  return await new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= size) resolve(Buffer.concat(chunks));
    });
    stream.once('error', reject);
    stream.once('close', () => {
      reject(new Error(`closed after ${length} of ${size} bytes`));
    });
  });
}
