/**
 * The client's side of a data channel, without the socket: frames in, frames out, bytes in between. Pure: time is a
 * parameter, in milliseconds since the epoch that never go back.
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

/** What the agent's buffers are made for. */
const payloadSize = 1_024;

/** Bytes on the socket at which input waits: a network that is slower than ssh shall not make the way longer. */
const inputBacklog = 64 * 1_024;
/** Bytes on the socket at which not even acknowledgements are added: the other side takes nothing. */
const longestBacklog = 4 * 1_024 * 1_024;

/** Acknowledgements that are said again over a new socket, at least. */
const repeatedAcknowledgements = 256;

/** How long to wait, at the end, for messages that others have overtaken. */
const longestGap = 1_000;

/** Why the host's side has ended. */
export type End =
  /** The service has closed the session. The output is what the agent says; complete is false where messages are missing. */
  | { readonly kind: 'closed'; readonly output: string; readonly complete: boolean }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'connect-failed' }
  /** For so long nothing of what waits has been acknowledged. */
  | { readonly kind: 'silent'; readonly milliseconds: number }
  | { readonly kind: 'unsupported'; readonly what: string };

export interface Surroundings {
  /** Puts a frame on the socket. */
  readonly send: (frame: Buffer) => void;
  /** Bytes that wait to be sent. Where there are many, `drained` has to be called when there are none. */
  readonly backlog: () => number;
  /** A view of the frame's bytes, to be used at once or copied. */
  readonly onOutput: (bytes: Buffer) => void;
  /** The handshake is complete. */
  readonly onReady: () => void;
  /** There is room for more input. */
  readonly onRoom: () => void;
  readonly onEnd: (end: End) => void;
  /** A random UUID. */
  readonly newId: () => string;
  /** Milliseconds for an acknowledgement, before the agent is taken to be gone. Default: 5 minutes. */
  readonly patience?: number | undefined;
}

export class Conversation {
  readonly #around: Surroundings;
  readonly #outbound = new Outbound();
  readonly #inbound = new Inbound<Frame>();
  readonly #silence: Silence;
  /** The last ones, to be said again over a new socket: the old one may have lost them, and the agent asks one by one. */
  readonly #acknowledged: Pick<Frame, 'id' | 'sequence'>[] = [];
  #isReady = false;
  #isConnected = false;
  #isPaused = false;
  #isEnded = false;
  /** What the agent said at the end, and when, while messages are missing. */
  #closed: { output: string; at: number } | undefined;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#silence = new Silence(around.patience);
  }

  /** A new socket is open, and its opening message sent. */
  connected(now: number): void {
    this.#isConnected = true;
    this.#isPaused = false;
    this.#outbound.resume();
    for (const message of this.#acknowledged.splice(0)) this.#acknowledge(message, now);
    this.drained(now);
    this.#watch(now);
  }

  /** The socket has room again. */
  drained(now: number): void {
    this.#sendHeld(now);
    this.#around.onRoom();
  }

  /** The socket is gone. What is not acknowledged stays. */
  disconnected(): void {
    this.#isConnected = false;
    this.#silence.stop();
  }

  /** One binary message of the socket. What is no frame is as if it had not come: the agent sends it again. */
  receive(bytes: Buffer, now: number): void {
    const frame = this.#isEnded ? undefined : decodeFrame(bytes);
    if (!frame) return;
    if (frame.type === messageTypes.output) this.#receiveOutput(frame, now);
    else if (frame.type === messageTypes.acknowledge) this.#receiveAcknowledgement(frame, now);
    else if (frame.type === messageTypes.closed) this.#receiveClosed(frame, now);
    else if (frame.type === messageTypes.pause) this.#isPaused = true;
    else if (frame.type === messageTypes.start) this.#startPublication(now);
  }

  /** @returns how many bytes were taken: none before the handshake is complete, fewer than given when there is no more room */
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

  /** Asks the agent to end the session, after everything that was written. */
  terminate(now: number): void {
    this.#sendInput(payloadTypes.flag, flagPayload(flags.terminate), now);
  }

  /** The agent has everything that was written. */
  get isDrained(): boolean {
    return this.#outbound.isDrained;
  }

  /** The handshake is complete. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Messages that are kept: sent and not acknowledged, or early. */
  get kept(): number {
    return this.#outbound.kept + this.#inbound.early;
  }

  /** When to call tick, at the latest; undefined: not at all. */
  get deadline(): number | undefined {
    if (this.#isEnded) return undefined;
    const gap = this.#closed && this.#closed.at + longestGap;
    const resend = this.#isConnected && !this.#isPaused ? this.#outbound.deadline : undefined;
    const earliest = Math.min(gap ?? Infinity, resend ?? Infinity, this.#silence.deadline ?? Infinity);
    return earliest === Infinity ? undefined : earliest;
  }

  /** Does what time asks for. */
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
   * The agent may have had everything: what it acknowledged before a socket was lost it does not acknowledge again. So it
   * gets a message that it has not had, and that changes nothing. Where it answers, what went before is not waited for.
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
    // The agent sends again what is not acknowledged; the memory would not come back.
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

/** An early message outlives the bytes that it came in, which may be a small part of a large buffer. */
function copyPayload(frame: Frame): Frame {
  return { ...frame, payload: Buffer.from(frame.payload) };
}
