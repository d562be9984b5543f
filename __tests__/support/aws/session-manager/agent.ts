/**
 * The agent's part in a session: the handshake, then one TCP connection in both directions. Source: amazon-ssm-agent,
 * agent/session/datachannel and agent/session/plugins/port (port.go, port_basic.go).
 */
import { randomUUID } from 'node:crypto';

import { encodeFrame, flags, payloadTypes, type Frame } from './frame.ts';
import { Inbox, type Outcome } from './inbox.ts';
import { Outbox } from './outbox.ts';
import { PortConnection } from './port-connection.ts';

export interface AgentOptions {
  /** Milliseconds for the client's answer to the handshake. Default: 15,000. */
  readonly handshakeLimit?: number;
  /** Milliseconds from the end of the handshake to the connection to the port; data is refused meanwhile. Default: 0. */
  readonly connectDelay?: number;
  /** Milliseconds of sleep after each payload, 1 in the real agent. Default: 0, as fast as the socket drains. */
  readonly pace?: number;
  /** Milliseconds to wait for acknowledgements at the end. Default: 2,000. */
  readonly drainLimit?: number;
  /** Limit of messages that wait for an earlier one. Default: 100,000, as in the real agent. */
  readonly capacity?: number;
  /** Also asks for KMS encryption, which the real agent does not do for ports. Default: false. */
  readonly encryption?: boolean;
}

/** The service's interface for the agent. */
export interface AgentSide {
  readonly options: AgentOptions;
  readonly portNumber: string;
  /** The address of that port; undefined: nobody listens. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
  /** Calls `gone` when the frame has left this machine's buffers, or is lost. */
  readonly send: (kind: 'data' | 'acknowledgement', bytes: Buffer, gone: () => void) => void;
  /** Accepts no more client data until `drained`. */
  readonly hold: () => void;
  readonly drained: () => void;
  /** The session is over; the client gets the output. */
  readonly ended: (output: string) => void;
}

const resendInterval = 100;
const drainInterval = 10;
const outboxCapacity = 100_000;
const agentVersion = '3.3.3883.0';
const handshakeTimedOut =
  'Handshake timed out. Please ensure that you have the latest version of the session manager plugin.';

export class Agent {
  readonly #side: AgentSide;
  readonly #outbox = new Outbox();
  readonly #inbox: Inbox;
  readonly #messageIds = new Map<number, string>();
  readonly #startedAt = Date.now();
  readonly #timers = new Set<NodeJS.Timeout>();
  #port: PortConnection | undefined;
  #state: 'handshake' | 'open' | 'ending' | 'ended' = 'handshake';
  #paused = false;

  constructor(side: AgentSide) {
    this.#side = side;
    this.#inbox = new Inbox({
      process: (frame) => this.#process(frame),
      acknowledge: (frame) => {
        this.#acknowledge(frame);
      },
      capacity: side.options.capacity ?? 100_000,
    });
    this.#every(resendInterval, () => {
      const overdue = this.#paused ? undefined : this.#outbox.overdue(Date.now());
      if (overdue) side.send('data', overdue, () => undefined);
    });
    this.#sendJson(payloadTypes.handshakeRequest, handshakeRequest(side));
    this.#after(side.options.handshakeLimit ?? 15_000, () => {
      if (this.#state === 'handshake') this.#end(handshakeTimedOut);
    });
  }

  /** Whether the handshake is over: data before that is lost. */
  get ready(): boolean {
    return this.#state !== 'handshake';
  }

  /** The id of a sent message; undefined for an unknown one. */
  messageId(sequence: number): string | undefined {
    return this.#messageIds.get(sequence);
  }

  /** Handles a valid frame. */
  receive(frame: Frame): void {
    if (this.#state === 'ended') return;
    if (frame.messageType !== 'acknowledge') {
      this.#inbox.receive(frame);
      return;
    }
    const { AcknowledgedMessageSequenceNumber: sequence } = JSON.parse(frame.payload.toString()) as {
      AcknowledgedMessageSequenceNumber: number;
    };
    const full = this.#isFull();
    this.#outbox.acknowledge(sequence, Date.now());
    if (full) this.#port?.resume();
  }

  /** pause_publication, start_publication. */
  publish(allowed: boolean): void {
    const resumed = allowed && this.#paused;
    this.#paused = !allowed;
    if (resumed) this.#port?.resume();
  }

  /** channel_closed: the service ends the session. */
  cancel(): void {
    this.#stop();
  }

  #process(frame: Frame): Outcome {
    if (frame.payloadType === payloadTypes.handshakeResponse) return this.#finishHandshake(frame);
    if (this.#state === 'handshake') return 'processed';
    if (this.#port?.connected !== true) return 'refused';
    if (frame.payloadType === payloadTypes.output) this.#port.write(frame.payload);
    // The port of an SSH session is not connected again, so a disconnect ends it.
    if (frame.payloadType === payloadTypes.flag && frame.payload.readUInt32BE(0) <= flags.terminateSession) {
      this.#end('');
    }
    return 'processed';
  }

  #finishHandshake(frame: Frame): Outcome {
    if (this.#state !== 'handshake') return 'processed';
    const failed = failedAction(frame.payload);
    if (failed !== undefined) {
      this.#end(failed);
      return 'processed';
    }
    const took = (Date.now() - this.#startedAt) * 1_000_000;
    this.#sendJson(payloadTypes.handshakeComplete, { HandshakeTimeToComplete: took, CustomerMessage: '' });
    this.#state = 'open';
    this.#after(this.#side.options.connectDelay ?? 0, () => {
      this.#dial();
    });
    return 'processed';
  }

  #dial(): void {
    if (this.#state !== 'open') return;
    const { address, options, hold, drained } = this.#side;
    if (address === undefined) {
      this.#end('');
      return;
    }
    this.#port = new PortConnection({
      address,
      pace: options.pace ?? 0,
      mayRead: () => !this.#paused && !this.#isFull(),
      read: (payload, gone) => {
        this.#send(payloadTypes.output, payload, gone);
      },
      full: hold,
      drained,
      closed: () => {
        this.#end('');
      },
    });
  }

  /** The real agent would send anyway, and keep no copy of the message. */
  #isFull(): boolean {
    return this.#outbox.size >= outboxCapacity;
  }

  #acknowledge({ messageType, messageId, sequence }: Frame): void {
    const content = {
      AcknowledgedMessageType: messageType,
      AcknowledgedMessageId: messageId,
      AcknowledgedMessageSequenceNumber: sequence,
      IsSequentialMessage: true,
    };
    const frame = {
      ...{
        messageType: 'acknowledge',
        createdAt: Date.now(),
        sequence: 0,
        flags: 3,
        messageId: randomUUID(),
      },
      ...{ payloadType: payloadTypes.none, payload: Buffer.from(JSON.stringify(content)) },
    };
    this.#side.send('acknowledgement', encodeFrame(frame), () => undefined);
  }

  #sendJson(payloadType: number, content: object): void {
    this.#send(payloadType, Buffer.from(JSON.stringify(content)), () => undefined);
  }

  #send(payloadType: number, payload: Buffer, gone: () => void): void {
    const sequence = this.#outbox.next;
    const messageId = randomUUID();
    const frame = { messageType: 'output_stream_data', createdAt: Date.now(), sequence, messageId };
    const bytes = encodeFrame({ ...frame, flags: sequence === 0 ? 1 : 0, payloadType, payload });
    this.#messageIds.set(sequence, messageId);
    this.#outbox.add(bytes, Date.now());
    if (this.#paused) gone();
    else this.#side.send('data', bytes, gone);
  }

  /** Like the real agent: repeats unacknowledged messages for a while, and then ends. */
  #end(output: string): void {
    if (this.#state === 'ending' || this.#state === 'ended') return;
    this.#state = 'ending';
    this.#port?.close();
    const giveUpAt = Date.now() + (this.#side.options.drainLimit ?? 2_000);
    this.#every(drainInterval, () => {
      if (this.#state === 'ended' || (this.#outbox.size > 0 && Date.now() < giveUpAt)) return;
      this.#stop();
      this.#side.ended(output);
    });
  }

  #stop(): void {
    this.#state = 'ended';
    this.#port?.close();
    for (const timer of this.#timers) clearInterval(timer);
  }

  #every(milliseconds: number, work: () => void): void {
    this.#timers.add(setInterval(work, milliseconds).unref());
  }

  #after(milliseconds: number, work: () => void): void {
    if (milliseconds === 0) work();
    else this.#timers.add(setTimeout(work, milliseconds).unref());
  }
}

function handshakeRequest({ portNumber, options }: AgentSide): object {
  const kms = { ActionType: 'KMSEncryption', ActionParameters: { KMSKeyId: 'alias/sessions' } };
  return {
    AgentVersion: agentVersion,
    RequestedClientActions: [
      {
        ActionType: 'SessionType',
        ActionParameters: { SessionType: 'Port', Properties: { portNumber } },
      },
      ...(options.encryption === true ? [kms] : []),
    ],
  };
}

/** The agent's message about an action that the client refused; undefined if there is none. */
function failedAction(payload: Buffer): string | undefined {
  const { ProcessedClientActions: actions } = JSON.parse(payload.toString()) as {
    ProcessedClientActions: { ActionType: string; ActionStatus: number; Error: string }[];
  };
  const failed = actions.find(({ ActionStatus }) => ActionStatus !== 1);
  return (
    failed &&
    `${failed.ActionType} failed on client with status ${failed.ActionStatus} error: ${failed.Error}`
  );
}
