/**
 * An honest agent's stream among frames that are random, truncated, repeated or damaged. The output always is the
 * beginning of the agent's stream.
 *
 * The digest only covers a frame's payload. A frame with another valid number, type or payload type is another valid
 * frame. So these fields are only damaged in ways that can be detected: numbers out of range and unknown types. All
 * other fields are damaged at random.
 */
import { createCipheriv, randomUUID } from 'node:crypto';
import { encodeFrame } from '../../../src/ec2/session-manager/codec.ts';
import { Conversation } from '../../../src/ec2/session-manager/conversation.ts';
import { seededRandom } from '../../support/aws/session-manager/random.ts';
import { json, outputFrame, portRequest } from './peer.ts';

export interface FuzzOutcome {
  readonly frames: number;
  /** Number of output bytes, all of them correct. */
  readonly bytes: number;
  /** Largest number of messages that were kept at the same time. */
  readonly mostKept: number;
}

/** In bytes. @source the layout of a frame */
const field = {
  headerLength: 0,
  type: 4,
  version: 36,
  created: 40,
  sequence: 48,
  flags: 56,
  id: 64,
  digest: 80,
} as const;
const lengthField = 116;
const headerSize = 120;

/** @throws if an output byte is wrong */
export function fuzz(frames: number, seed: number): FuzzOutcome {
  const random = seededRandom(seed);
  const upTo = (end: number): number => Math.floor(random() * end);
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  let expected = Buffer.alloc(0);
  let bytes = 0;
  let mostKept = 0;
  const conversation = new Conversation({
    send: () => undefined,
    backlog: () => (random() < 0.1 ? 100_000 : 0),
    onOutput: (output) => {
      const right = expected.subarray(0, output.length);
      if (!right.equals(output))
        throw new Error(`wrong bytes after ${bytes} right ones, with the seed ${seed}`);
      expected = expected.subarray(output.length);
      bytes += output.length;
    },
    onReady: () => undefined,
    onRoom: () => undefined,
    onEnd: () => {
      throw new Error(`the conversation ended, with the seed ${seed}`);
    },
    newId: randomUUID,
  });
  conversation.connected(0);
  conversation.receive(encodeFrame(outputFrame({ payloadType: 5, payload: portRequest }), 0), 0);
  conversation.receive(encodeFrame(outputFrame({ sequence: 1, payloadType: 7, payload: json({}) }), 0), 0);

  /** Frames that were received and may be repeated; and frames to come, after damaged copies of them. */
  const past: Buffer[] = [];
  const coming: Buffer[] = [];
  let next = 2;
  const make = (): void => {
    const payload = stream.update(Buffer.alloc(1 + upTo(1_024)));
    expected = Buffer.concat([expected, payload]);
    coming.push(encodeFrame(outputFrame({ sequence: next++, payload }), 0));
  };
  const say = (): Buffer => {
    while (coming.length < 10) make();
    const frame = coming.shift() ?? Buffer.alloc(0);
    past.push(frame);
    if (past.length > 50) past.shift();
    return frame;
  };
  const known = (): Buffer => {
    const from = random() < 0.5 ? past : coming;
    return Buffer.from(from[upTo(from.length)] ?? Buffer.alloc(0));
  };
  const noise = (length: number): Buffer => {
    const made = Buffer.alloc(length);
    for (let place = 0; place < length; place++) made[place] = upTo(256);
    return made;
  };
  const damage: (() => Buffer)[] = [
    () => noise(upTo(300)),
    () => known().subarray(0, upTo(1_144)),
    () => Buffer.concat([known(), noise(1 + upTo(20))]),
    () => known(),
    () => flip(known(), headerSize, upTo),
    () => overwrite(known(), field.headerLength, noise(4)),
    () => overwrite(known(), lengthField, noise(4)),
    () => overwrite(known(), field.digest, noise(32)),
    () => overwrite(known(), field.type, noise(32)),
    () => overwrite(known(), field.version, noise(12)),
    () => overwrite(known(), field.flags, noise(24)),
    // Negative, or too large; and far beyond the kept messages.
    () => overwrite(known(), field.sequence, Buffer.from([0x80 | upTo(128), ...noise(7)])),
    () => encodeFrame(outputFrame({ sequence: 2 ** 40 + upTo(1e9), payload: noise(10) }), 0),
    () => encodeFrame(outputFrame({ type: 'acknowledge', payloadType: 0, payload: noise(upTo(200)) }), 0),
    () =>
      encodeFrame(
        outputFrame({ type: 'acknowledge', payloadType: 0, payload: acknowledgementOf(upTo(5_000)) }),
        0,
      ),
    () => encodeFrame(outputFrame({ type: 'brand_new', payload: noise(upTo(200)) }), 0),
    () => encodeFrame(outputFrame({ type: 'start_publication', payload: noise(upTo(20)) }), 0),
    () =>
      encodeFrame(outputFrame({ type: random() < 0.01 ? 'pause_publication' : 'x', payload: noise(3) }), 0),
  ];
  conversation.receive(say(), 0);
  for (let count = 1; count < frames; count++) {
    const now = count;
    if (random() < 0.3) conversation.receive(say(), now);
    else conversation.receive((damage[upTo(damage.length)] ?? say)(), now);
    if (random() < 0.2) conversation.write(noise(upTo(100)), now);
    if (random() < 0.1) conversation.tick(now);
    mostKept = Math.max(mostKept, conversation.kept);
  }
  while (coming.length > 0) conversation.receive(coming.shift() ?? Buffer.alloc(0), frames);
  if (expected.length > 0) throw new Error(`${expected.length} bytes never came out, with the seed ${seed}`);
  return { frames, bytes, mostKept };
}

/** Flips one bit at or after that position. */
function flip(frame: Buffer, from: number, upTo: (end: number) => number): Buffer {
  const at = from + upTo(frame.length - from);
  frame[at] = (frame[at] ?? 0) ^ (1 << upTo(8));
  return frame;
}

function overwrite(frame: Buffer, at: number, bytes: Buffer): Buffer {
  bytes.copy(frame, at);
  return frame;
}

function acknowledgementOf(sequence: number): Buffer {
  return json({ AcknowledgedMessageType: 'input_stream_data', AcknowledgedMessageSequenceNumber: sequence });
}
