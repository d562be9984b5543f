/** A direct TCP connection to an instance. */
import { Socket } from 'node:net';
import { anySignal } from '../deadline.ts';
import { Failure } from '../errors.ts';
import type { Ec2Caller } from './caller.ts';
import type { Instance } from './instances.ts';
import type { Tunnel } from './tunnel.ts';

/** Milliseconds for each of its addresses. */
const patience = 10_000;
/** Milliseconds without traffic before TCP keep-alive probes start. */
const keepAlive = 30_000;

export interface DirectTarget {
  readonly instance: Instance;
  readonly port: number;
}

/**
 * Connects to the first address that answers: public IPv4, IPv6, private IPv4, in the order of the AWS CLI.
 *
 * @throws TUNNEL_FAILED
 */
export async function openDirectTunnel(
  { instance, port }: DirectTarget,
  { signal }: Pick<Ec2Caller, 'signal'>,
): Promise<Tunnel> {
  const addresses = [instance.publicIp, instance.ipv6, instance.privateIp].filter((one) => one !== undefined);
  const refusals: Refusal[] = [];
  for (const address of addresses) {
    signal.throwIfAborted();
    const stream = new HostSocket((error) => broken(error, { instance, address }));
    try {
      await connected(stream, { host: address, port, signal });
      // The connection may break before `carry` listens; `carry` checks that.
      stream.on('error', () => undefined);
      return {
        stream,
        close: () => {
          stream.destroy();
          return Promise.resolve();
        },
      };
    } catch (error) {
      signal.throwIfAborted();
      refusals.push({ address, error: error as Error });
    }
  }
  throw unreachable({ instance, port }, refusals);
}

interface Refusal {
  readonly address: string;
  readonly error: Error;
}

/** A socket that reports errors as a Failure, once it is connected. */
class HostSocket extends Socket {
  readonly #explain: (error: Error) => Failure;
  /** Before that, errors stay as they are, because the next address is tried. */
  isConnected = false;

  constructor(explain: (error: Error) => Failure) {
    super();
    this.#explain = explain;
  }

  /** Not in `_destroy`, so that `errored` has the same value as the event. */
  override destroy(error?: Error): this {
    const unexplained = error && this.isConnected && !(error instanceof Failure);
    return super.destroy(unexplained ? this.#explain(error) : error);
  }
}

async function connected(
  socket: HostSocket,
  { host, port, signal }: { readonly host: string; readonly port: number; readonly signal: AbortSignal },
): Promise<void> {
  const limit = anySignal(signal, AbortSignal.timeout(patience));
  const stop = (): void => {
    socket.destroy(new Error('no answer in time'));
  };
  limit.addEventListener('abort', stop);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect({ host, port }, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    socket.isConnected = true;
    socket.setNoDelay(true).setKeepAlive(true, keepAlive);
  } finally {
    limit.removeEventListener('abort', stop);
  }
}

function unreachable({ instance, port }: DirectTarget, refusals: readonly Refusal[]): Failure {
  const { instanceId } = instance;
  const [first] = refusals;
  const tried = refusals.map(({ address, error }) => `${address} (${reasonOf(error)})`).join(', ');
  const what = first ? `does not answer on port ${port}: ${tried}` : 'has no address';
  return new Failure('TUNNEL_FAILED', `the instance ${instanceId} ${what}`, {
    hint: `check that sshd listens there and that the security group allows this machine; via = session-manager needs no open port`,
    cause: first?.error,
  });
}

function broken(
  error: Error,
  { instance, address }: { readonly instance: Instance; readonly address: string },
): Failure {
  const what = `the connection to ${instance.instanceId} at ${address} broke`;
  return new Failure('TUNNEL_FAILED', `${what}: ${reasonOf(error)}`, { hint: 'connect again', cause: error });
}

function reasonOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}
