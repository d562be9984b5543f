/** A data channel that survives a lost WebSocket: it resumes the conversation with the agent over a new one. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../../aws/connection.ts';
import { Failure, toFailure } from '../../errors.ts';
import { waitBefore } from './back-off.ts';
import { openingMessage } from './contents.ts';
import { Conversation, type End } from './conversation.ts';
import { Line, type LineOptions } from './line.ts';
import {
  closedAtOnce,
  endFailure,
  isPassing,
  noAnswer,
  notComeBack,
  sessionOver,
  socketFailure,
  type Target,
} from './session-failures.ts';
import type { Access, Sessions, StartedSession } from './sessions.ts';

/** Milliseconds for the agent's part of the handshake. The agent allows the client 15 s for its part. */
const handshakePatience = 20_000;
/** Milliseconds without a working socket before the channel fails: while it opens, and later. */
const openPatience = 3_000;
const resumePatience = 60_000;
/** Milliseconds that a socket without any data has to last to count as working. */
const soundAge = 5_000;

export interface ChannelOptions {
  readonly target: Target;
  readonly session: StartedSession;
  readonly sessions: Sessions;
  readonly connection: Pick<Connection, 'agents'>;
  /** The buffer is a view: use it at once or copy it. */
  readonly onOutput: (bytes: Buffer) => void;
  readonly onRoom: () => void;
  /** Called when the host's side ends; with a Failure if it ended with an error. */
  readonly onEnd: (failure: Failure | undefined) => void;
  readonly keepAlive?: LineOptions['keepAlive'];
  /** Milliseconds without an acknowledgement before the agent counts as gone. Default: 5 minutes. */
  readonly patience?: number;
  /** Milliseconds without a working socket before the channel fails. Default: a minute. */
  readonly resumePatience?: number;
}

export class Channel {
  readonly #options: ChannelOptions;
  readonly #conversation: Conversation;
  readonly #closing = new AbortController();
  readonly #clientId = randomUUID();
  #line: Line | undefined;
  #isPaused = false;
  #hasSpoken = false;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;
  /** The service has closed the session, so TerminateSession is not needed. */
  isClosedByService = false;
  /** Resolves after the handshake; rejects with a Failure if the handshake fails. */
  readonly ready: Promise<void>;
  #settleReady!: { resolve: () => void; reject: (failure: Failure) => void };

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.ready.catch(() => undefined);
    this.#conversation = new Conversation({
      send: (frame) => this.#line?.send(frame),
      backlog: () => this.#line?.backlog ?? 0,
      onOutput: (bytes) => {
        this.#hasSpoken = true;
        options.onOutput(bytes);
      },
      onReady: () => {
        this.#settleReady.resolve();
      },
      onRoom: options.onRoom,
      onEnd: (end) => {
        this.#ended(end);
      },
      newId: randomUUID,
      patience: options.patience,
    });
    void this.#run();
  }

  /** @returns the number of accepted bytes; onRoom tells when to write the rest */
  write(bytes: Buffer): number {
    if (this.#isOver) return bytes.length;
    const taken = this.#conversation.write(bytes, now());
    this.#schedule();
    return taken;
  }

  /** Stops reading from the socket while nobody takes the output. Output that was already read still arrives. */
  pause(): void {
    this.#isPaused = true;
    this.#line?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#line?.resume();
  }

  /** Whether the agent has everything that was written, or the session is over. */
  get isDrained(): boolean {
    return this.#isOver || !this.#line || this.#conversation.isDrained;
  }

  /** Asks the agent to end the session after all written data. */
  terminate(): void {
    if (this.#isOver || !this.#conversation.isReady) return;
    this.#conversation.terminate(now());
    this.#schedule();
  }

  /** Resolves soon, when nothing is open any more. */
  async close(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#closing.abort(closed);
    this.#settleReady.reject(closed);
    await this.#line?.close();
  }

  /** Opens one socket after the other. */
  async #run(): Promise<void> {
    const patience = setTimeout(() => {
      if (!this.#conversation.isReady) this.#fail(noAnswer(this.#options.target, handshakePatience / 1000));
    }, handshakePatience).unref();
    try {
      await this.#keepOpen();
    } catch (error) {
      this.#fail(toFailure(error));
    } finally {
      clearTimeout(patience);
    }
  }

  async #keepOpen(): Promise<void> {
    let access: Access | undefined = this.#options.session;
    let lostAt = now();
    for (let tries = 0; !this.#isOver; tries++) {
      try {
        if (tries > 0) await sleep(waitBefore(tries), undefined, { signal: this.#closing.signal });
        access ??= await this.#resume();
        if (await this.#carry(access)) {
          tries = 0;
          lostAt = now();
        } else if (this.#conversation.isReady) {
          this.#requireHope(closedAtOnce(this.#options.target), now() - lostAt);
        }
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        if (!(error instanceof Failure) || !isPassing(error, this.#conversation.isReady)) throw error;
        this.#requireHope(error, now() - lostAt);
      }
      access = undefined;
    }
  }

  /** @param time milliseconds without a working socket */
  #requireHope(failure: Failure, time: number): void {
    if (!this.#conversation.isReady && time > openPatience) throw failure;
    const most = this.#options.resumePatience ?? resumePatience;
    if (time > most) throw notComeBack(this.#options.target, most / 1000, failure);
  }

  async #resume(): Promise<Access> {
    const { sessions, session, target } = this.#options;
    const access = await sessions.resume(session.id, this.#closing.signal);
    if (!access) {
      this.isClosedByService = true;
      throw sessionOver(target);
    }
    return access;
  }

  /** @returns when the socket is gone: whether it worked */
  async #carry(access: Access): Promise<boolean> {
    let heard = 0;
    const line = await this.#open(access, (frame) => {
      heard++;
      this.#receive(frame);
    });
    if (this.#isOver) {
      await line.close();
      return false;
    }
    this.#line = line;
    if (this.#isPaused) line.pause();
    const since = now();
    this.#conversation.connected(since);
    this.#schedule();
    await line.gone;
    this.#line = undefined;
    this.#conversation.disconnected();
    this.#options.onRoom();
    return heard > 0 || now() - since > soundAge;
  }

  async #open({ url, token }: Access, onFrame: (frame: Buffer) => void): Promise<Line> {
    const { target, sessions, connection, keepAlive } = this.#options;
    const opening = openingMessage({ token, clientId: this.#clientId, requestId: randomUUID() });
    try {
      const headers = await sessions.sign(url);
      const { signal } = this.#closing;
      return await Line.open({
        ...{ url, headers, opening, connection, signal, onFrame },
        onDrain: () => {
          this.#conversation.drained(now());
          this.#schedule();
        },
        ...(keepAlive && { keepAlive }),
      });
    } catch (error) {
      throw socketFailure(error, target, url.host);
    }
  }

  #receive(frame: Buffer): void {
    this.#conversation.receive(frame, now());
    this.#schedule();
  }

  #ended(end: End): void {
    const { target } = this.#options;
    this.isClosedByService = end.kind === 'closed';
    this.#fail(endFailure(end, target, { spoke: this.#hasSpoken, opened: this.#conversation.isReady }));
  }

  #fail(failure: Failure | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#settleReady.reject(failure ?? closed);
    this.#options.onEnd(failure);
  }

  /** One timer for all messages, set to the earliest deadline. */
  #schedule(): void {
    const deadline = this.#isOver ? undefined : this.#conversation.deadline;
    if (deadline === undefined || deadline >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = deadline;
    this.#timer = setTimeout(
      () => {
        this.#timerAt = Infinity;
        if (!this.#isOver) this.#conversation.tick(now());
        this.#schedule();
      },
      Math.max(1, Math.ceil(deadline - now())),
    );
  }
}

const closed = new Failure('TUNNEL_FAILED', 'the tunnel was closed', { hint: 'connect again' });

/** Monotonic milliseconds since the epoch: clock changes do not affect them. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
