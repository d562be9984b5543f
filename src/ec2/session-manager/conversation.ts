/**
 * The client's side of a data channel without the socket: frames in, frames out, and bytes. Pure: time is a parameter,
 * in monotonic milliseconds since the epoch.
 */
import { decodeFrame, encodeFrame, fin, messageTypes, payloadTypes, syn, type Frame } from './codec.ts';
import {
  acknowledgement,
  answerHandshake,
  flagPayload,
  flags,
  readAcknowledgement,
  readClosed,
  readFlag,
  sizePayload,
} from './contents.ts';
import { Inbound, Outbound } from './reliability.ts';
import { Silence } from './silence.ts';

/** The payload size that the agent's buffers are made for. */
const payloadSize = 1_024;

/** Bytes that wait in the socket before input stops. On a network slower than ssh, a longer queue only adds delay. */
const inputBacklog = 64 * 1_024;
/** Bytes that wait in the socket before even acknowledgements stop: the other side reads nothing. */
const longestBacklog = 4 * 1_024 * 1_024;

/** Smallest number of acknowledgements that are repeated over a new socket. */
const repeatedAcknowledgements = 256;

/** Milliseconds to wait, at the end, for missing messages. */
const longestGap = 1_000;

/** Why the host's side ended. */
export type End =
  /** The service closed the session. `output` is the agent's message. `complete` is false if messages are missing. */
  | { readonly kind: 'closed'; readonly output: string; readonly complete: boolean }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'connect-failed' }
  /** The agent acknowledged nothing for this time, although data waits. */
  | { readonly kind: 'silent'; readonly milliseconds: number }
  | { readonly kind: 'unsupported'; readonly what: string };

export interface Surroundings {
  /** Sends a frame on the socket. */
  readonly send: (frame: Buffer) => void;
  /** Bytes that wait to be sent. If there are many, `drained` has to be called when none are left. */
  readonly backlog: () => number;
  /** The buffer is a view of the frame: use it at once or copy it. */
  readonly onOutput: (bytes: Buffer) => void;
  /** The handshake is complete. */
  readonly onReady: () => void;
  /** There is room for more input. */
  readonly onRoom: () => void;
  readonly onEnd: (end: End) => void;
  /** A random UUID. */
  readonly newId: () => string;
  /** Milliseconds without an acknowledgement before the agent counts as gone. Default: 5 minutes. */
  readonly patience?: number | undefined;
}

export class Conversation {
  readonly #around: Surroundings;
  readonly #outbound = new Outbound();
  readonly #inbound = new Inbound<Frame>();
  readonly #silence: Silence;
  /** The latest acknowledgements, to repeat over a new socket: the old socket may have lost them. */
  readonly #acknowledged: Pick<Frame, 'id' | 'sequence'>[] = [];
  #isReady = false;
  #isConnected = false;
  #isPaused = false;
  #isEnded = false;
  /** The agent's message at the end, and its time, while messages are still missing. */
  #closed: { output: string; at: number } | undefined;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#silence = new Silence(around.patience);
  }

  /** Call it when a new socket is open and its opening message is sent. */
  connected(now: number): void {
    this.#isConnected = true;
    this.#isPaused = false;
    this.#outbound.resume();
    for (const message of this.#acknowledged.splice(0)) this.#acknowledge(message, now);
    this.drained(now);
    this.#watch(now);
  }

  /** Call it when the socket has room again. */
  drained(now: number): void {
    this.#sendHeld(now);
    this.#around.onRoom();
  }

  /** Call it when the socket is gone. Unacknowledged messages are kept. */
  disconnected(): void {
    this.#isConnected = false;
    this.#silence.stop();
  }

  /** Handles one binary message of the socket. Invalid frames are ignored: the agent sends them again. */
  receive(bytes: Buffer, now: number): void {
    const frame = this.#isEnded ? undefined : decodeFrame(bytes);
    if (!frame) return;
    if (frame.type === messageTypes.output) this.#receiveOutput(frame, now);
    else if (frame.type === messageTypes.acknowledge) this.#receiveAcknowledgement(frame, now);
    else if (frame.type === messageTypes.closed) this.#receiveClosed(frame, now);
    else if (frame.type === messageTypes.pause) this.#isPaused = true;
    else if (frame.type === messageTypes.start) this.#startPublication(now);
  }

  /** @returns the number of accepted bytes: 0 before the handshake is complete, fewer than given if there is no room */
  write(bytes: Buffer, now: number): number {
    let taken = 0;
    while (taken < bytes.length && this.#hasRoom()) {
      const payload = bytes.subarray(taken, taken + payloadSize);
      this.#sendInput(payloadTypes.output, payload, now);
      taken += payload.length;
    }
    return taken;
  }

  #hasRoom(): boolean {
    return this.#isReady && !this.#outbound.isFull && this.#around.backlog() < inputBacklog;
  }

  /** Asks the agent to end the session, after all written data. */
  terminate(now: number): void {
    this.#sendInput(payloadTypes.flag, flagPayload(flags.terminate), now);
  }

  /** Whether the agent has acknowledged all data. */
  get isDrained(): boolean {
    return this.#outbound.isDrained;
  }

  /** Whether the handshake is complete. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Number of kept messages: unacknowledged ones, and early ones. */
  get kept(): number {
    return this.#outbound.kept + this.#inbound.early;
  }

  /** The latest time for the next tick; undefined: none is needed. */
  get deadline(): number | undefined {
    if (this.#isEnded) return undefined;
    const gap = this.#closed && this.#closed.at + longestGap;
    const resend = this.#isConnected && !this.#isPaused ? this.#outbound.deadline : undefined;
    const earliest = Math.min(gap ?? Infinity, resend ?? Infinity, this.#silence.deadline ?? Infinity);
    return earliest === Infinity ? undefined : earliest;
  }

  /** Does everything that is due at this time. */
  tick(now: number): void {
    if (this.#closed && now >= this.#closed.at + longestGap) {
      this.#end({ kind: 'closed', output: this.#closed.output, complete: false });
    }
    if (this.#isEnded || !this.#isConnected) return;
    this.#silence.count(now);
    if (this.#silence.isTooLong) {
      this.#end({ kind: 'silent', milliseconds: this.#silence.patience });
      return;
    }
    const asks = this.#silence.takeQuestion();
    if (this.#isPaused) return;
    for (const frame of this.#outbound.due(now)) this.#around.send(frame);
    this.#sendHeld(now);
    if (asks) this.#ask(now);
    this.#watch(now);
  }

  /**
   * The agent may have received everything: it does not acknowledge messages again that it acknowledged before a socket
   * was lost. So it gets a new message without effect. If the agent acknowledges this one, the earlier ones are no
   * longer waited for.
   *
   * @source amazon-ssm-agent, agent/session/plugins/port/port_basic.go: HandleStreamMessage
   */
  #ask(now: number): void {
    if (this.#outbound.hasUnsent || this.#around.backlog() >= inputBacklog) return;
    const frame = this.#inputFrame(payloadTypes.size, sizePayload(), now);
    this.#outbound.addSent(frame, now);
    this.#around.send(frame);
  }

  #watch(now: number): void {
    if (this.#isReady && this.#isConnected && !this.#isEnded && !this.#outbound.isDrained)
      this.#silence.goOn(now);
    else this.#silence.stop();
  }

  #receiveOutput(frame: Frame, now: number): void {
    const { acknowledge, ready } = this.#inbound.accept(frame.sequence, frame, copyPayload);
    if (acknowledge) this.#acknowledge(frame, now);
    for (const message of ready) this.#process(message, now);
    if (this.#closed) this.#endWhenComplete(this.#closed.output);
  }

  #process({ payloadType, payload }: Frame, now: number): void {
    if (this.#isEnded) return;
    if (payloadType === payloadTypes.output) this.#around.onOutput(payload);
    else if (payloadType === payloadTypes.handshakeRequest) this.#answerHandshake(payload, now);
    else if (payloadType === payloadTypes.handshakeComplete) this.#completeHandshake();
    else if (payloadType === payloadTypes.flag) this.#receiveFlag(readFlag(payload));
  }

  #answerHandshake(request: Buffer, now: number): void {
    const answer = answerHandshake(request);
    if (!answer) return;
    this.#sendInput(payloadTypes.handshakeResponse, answer.payload, now);
    if (answer.refused !== undefined) this.#end({ kind: 'unsupported', what: answer.refused });
  }

  #completeHandshake(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#around.onReady();
    this.#around.onRoom();
  }

  #receiveFlag(flag: number | undefined): void {
    if (flag === flags.connectFailed) this.#end({ kind: 'connect-failed' });
    else if (flag === flags.disconnect || flag === flags.terminate) {
      this.#end({ kind: 'disconnected' });
    }
  }

  #receiveAcknowledgement({ payload }: Frame, now: number): void {
    const sequence = readAcknowledgement(payload);
    const wasFull = this.#outbound.isFull;
    if (sequence === undefined || !this.#outbound.acknowledge(sequence, now)) return;
    this.#silence.end(now);
    this.#watch(now);
    this.#sendHeld(now);
    if (wasFull || this.#outbound.isDrained) this.#around.onRoom();
  }

  #receiveClosed({ payload }: Frame, now: number): void {
    this.#closed ??= { output: readClosed(payload), at: now };
    this.#endWhenComplete(this.#closed.output);
  }

  #endWhenComplete(output: string): void {
    if (this.#inbound.early === 0) this.#end({ kind: 'closed', output, complete: true });
  }

  #startPublication(now: number): void {
    this.#isPaused = false;
    this.#sendHeld(now);
  }

  #sendHeld(now: number): void {
    while (this.#isConnected && !this.#isPaused && this.#around.backlog() < inputBacklog) {
      const frame = this.#outbound.takeHeld(now);
      if (!frame) return;
      this.#around.send(frame);
    }
  }

  #end(end: End): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#closed = undefined;
    this.#silence.stop();
    this.#around.onEnd(end);
  }

  #acknowledge(frame: Pick<Frame, 'id' | 'sequence'>, now: number): void {
    // Skipping is safe, because the agent repeats unacknowledged messages. A growing queue would use too much memory.
    if (!this.#isConnected || this.#around.backlog() > longestBacklog) return;
    this.#acknowledged.push({ id: frame.id, sequence: frame.sequence });
    if (this.#acknowledged.length === 2 * repeatedAcknowledgements) {
      this.#acknowledged.splice(0, repeatedAcknowledgements);
    }
    const payload = acknowledgement(frame);
    const head = {
      type: messageTypes.acknowledge,
      sequence: 0,
      flags: syn | fin,
      payloadType: payloadTypes.none,
    };
    this.#around.send(encodeFrame({ ...head, id: this.#around.newId(), payload }, now));
  }

  #sendInput(payloadType: number, payload: Buffer, now: number): void {
    this.#outbound.add(this.#inputFrame(payloadType, payload, now));
    this.#sendHeld(now);
    this.#watch(now);
  }

  #inputFrame(payloadType: number, payload: Buffer, now: number): Buffer {
    const sequence = this.#outbound.next;
    const head = { type: messageTypes.input, sequence, flags: sequence === 0 ? syn : 0, payloadType };
    return encodeFrame({ ...head, id: this.#around.newId(), payload }, now);
  }
}

/** Copies an early message's payload: a view would keep the whole receive buffer in memory. */
function copyPayload(frame: Frame): Frame {
  return { ...frame, payload: Buffer.from(frame.payload) };
}
