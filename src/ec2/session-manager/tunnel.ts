/** A tunnel through Session Manager: one session for one TCP connection to the instance. */
import { Duplex } from 'node:stream';
import type { Failure } from '../../errors.ts';
import { abortable, within } from '../../deadline.ts';
import type { Ec2Caller } from '../caller.ts';
import type { Tunnel } from '../tunnel.ts';
import type { Channel } from './channel.ts';
import { Sessions, type StartedSession } from './sessions.ts';

export interface SessionTarget {
  /** `i-…` or `mi-…` */
  readonly instanceId: string;
  readonly port: number;
}

/** Milliseconds at the end: for a pending StartSession, for written data, for TerminateSession. Less than 4 s in total. */
const patience = { start: 700, drain: 500, terminate: 2500 };

/**
 * @returns after the agent's handshake: its connection to the port may still fail
 * @throws SESSION_FAILED, TUNNEL_FAILED, and the errors of any AWS call (src/aws/failures.ts)
 */
export async function openSessionTunnel(target: SessionTarget, caller: Ec2Caller): Promise<Tunnel> {
  const { region, signal } = caller;
  const place = { ...target, region };
  const sessions = new Sessions(place, caller);
  const starting = start(sessions, signal);
  // Loads during the call to AWS.
  const loading = import('./channel.ts');
  const session = await starting;
  const { Channel } = await loading;
  const stream = new SessionStream({
    sessions,
    session,
    open: (listener) =>
      new Channel({ ...{ target: place, session, sessions, connection: caller.connection }, ...listener }),
  });
  const stop = (): void => {
    stream.destroy(signal.reason as Failure);
  };
  stream.on('error', () => undefined);
  signal.addEventListener('abort', stop, { once: true });
  stream.once('close', () => {
    signal.removeEventListener('abort', stop);
  });
  try {
    signal.throwIfAborted();
    await abortable(stream.ready, signal);
  } catch (error) {
    await stream.close();
    throw error;
  }
  return {
    stream,
    close: async () => {
      await stream.close();
    },
  };
}

/** An aborted call may still have started a session. Waits for the answer, so that the session can be terminated. */
async function start(sessions: Sessions, signal: AbortSignal): Promise<StartedSession> {
  signal.throwIfAborted();
  const giveUp = new AbortController();
  const starting = sessions.start(giveUp.signal);
  try {
    return await abortable(starting, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    const late = await within(
      patience.start,
      starting.catch(() => undefined),
    );
    giveUp.abort(error);
    if (late) await endOf(sessions, late.id);
    throw error;
  }
}

async function endOf(sessions: Sessions, id: string): Promise<void> {
  const signal = AbortSignal.timeout(patience.terminate);
  await abortable(sessions.terminate(id, signal), signal).catch(() => undefined);
}

type Listener = Pick<ConstructorParameters<typeof Channel>[0], 'onOutput' | 'onRoom' | 'onEnd'>;

interface StreamOptions {
  readonly sessions: Sessions;
  readonly session: StartedSession;
  readonly open: (listener: Listener) => Channel;
}

/** The bytes of the connection. The session ends with the stream, however it ends. */
class SessionStream extends Duplex {
  readonly #options: StreamOptions;
  readonly #channel: Channel;
  #rest: Buffer | undefined;
  #written: (() => void) | undefined;
  #onDrained: (() => void) | undefined;
  #ending: Promise<void> | undefined;
  #hasEnded = false;

  constructor(options: StreamOptions) {
    super({ allowHalfOpen: false });
    this.#options = options;
    this.#channel = options.open({
      onOutput: (bytes) => {
        if (!this.#hasEnded && !this.push(bytes)) this.#pause();
      },
      onRoom: () => {
        this.#writeRest();
      },
      onEnd: (failure) => {
        this.#onDrained?.();
        // After endSession, the end is expected.
        if (failure && !this.#ending) this.destroy(failure);
        else this.#finishReading();
      },
    });
  }

  get ready(): Promise<void> {
    return this.#channel.ready;
  }

  /** Resolves when the session is over, within 2 s. */
  endSession(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async close(): Promise<void> {
    const ended = this.endSession();
    await ended;
    this.destroy();
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#rest = chunk;
    this.#written = callback;
    this.#writeRest();
  }

  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'binary', callback);
  }

  /** The end of ssh's output is the end of ssh. */
  override _final(callback: () => void): void {
    void this.endSession().then(() => {
      this.#finishReading();
      callback();
    });
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    void this.endSession();
    callback(error);
  }

  #writeRest(): void {
    if (this.#channel.isDrained) this.#onDrained?.();
    if (!this.#rest) return;
    const taken = this.#channel.write(this.#rest);
    this.#rest = taken === this.#rest.length ? undefined : this.#rest.subarray(taken);
    if (this.#rest) return;
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  #finishReading(): void {
    if (!this.#hasEnded) this.push(null);
    this.#hasEnded = true;
  }

  /** Not at the end, because acknowledgements come over the same socket. */
  #pause(): void {
    if (!this.#ending) this.#channel.pause();
  }

  async #end(): Promise<void> {
    const { sessions, session } = this.#options;
    this.#channel.terminate();
    this.#channel.resume();
    await this.#drained();
    const { isClosedByService } = this.#channel;
    await Promise.all([this.#channel.close(), isClosedByService ? undefined : endOf(sessions, session.id)]);
  }

  /** Resolves when the agent has all written data, or after the time limit. */
  async #drained(): Promise<void> {
    if (this.#channel.isDrained) return;
    const drained = new Promise<void>((resolve) => {
      this.#onDrained = resolve;
    });
    await within(patience.drain, drained);
  }
}
