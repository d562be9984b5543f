/** A conversation without a socket. It records the sent frames and creates the agent's frames. */
import { randomUUID } from 'node:crypto';
import { decodeFrame, encodeFrame, type Frame } from '../../../src/ec2/session-manager/codec.ts';
import { Conversation, type End } from '../../../src/ec2/session-manager/conversation.ts';

export const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

export const portRequest = json({
  AgentVersion: '3.3.0.0',
  RequestedClientActions: [
    {
      ActionType: 'SessionType',
      ActionParameters: { SessionType: 'Port', Properties: { portNumber: '22' } },
    },
  ],
});

export class Peer {
  /** The sent frames, decoded. */
  readonly sent: Frame[] = [];
  readonly ends: End[] = [];
  output = Buffer.alloc(0);
  ready = 0;
  rooms = 0;
  /** Number of bytes that the socket reports as unsent. */
  backlog = 0;
  readonly conversation = new Conversation({
    send: (bytes) => {
      const frame = decodeFrame(bytes);
      if (!frame) throw new Error('no frame was sent');
      this.sent.push(frame);
    },
    backlog: () => this.backlog,
    onOutput: (bytes) => {
      this.output = Buffer.concat([this.output, bytes]);
    },
    onReady: () => this.ready++,
    onRoom: () => this.rooms++,
    onEnd: (end) => this.ends.push(end),
    newId: randomUUID,
  });

  /** With a socket. */
  static connected(): Peer {
    const peer = new Peer();
    peer.conversation.connected(0);
    return peer;
  }

  /** After the handshake, before any data. */
  static ready(): Peer {
    const peer = Peer.connected();
    peer.say({ sequence: 0, payloadType: 5, payload: portRequest });
    peer.acknowledge(0);
    peer.say({ sequence: 1, payloadType: 7, payload: json({ CustomerMessage: '' }) });
    peer.sent.length = 0;
    return peer;
  }

  say(more: Partial<Frame>, now = 0): void {
    this.conversation.receive(encodeFrame(outputFrame(more), now), now);
  }

  acknowledge(sequence: number, now = 0): void {
    const payload = json({
      AcknowledgedMessageType: 'input_stream_data',
      AcknowledgedMessageSequenceNumber: sequence,
    });
    this.say({ type: 'acknowledge', payloadType: 0, payload }, now);
  }

  /** The sequence numbers of sent input since the last call. */
  takeSent(): number[] {
    return this.sent
      .splice(0)
      .flatMap(({ type, sequence }) => (type === 'input_stream_data' ? [sequence] : []));
  }
}

export function outputFrame(more: Partial<Frame>): Frame {
  const frame = { type: 'output_stream_data', sequence: 0, flags: 0, payloadType: 1 };
  return { ...frame, id: randomUUID(), payload: Buffer.alloc(0), ...more };
}
