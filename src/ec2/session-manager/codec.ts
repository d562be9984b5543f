/**
 * Encodes and decodes the binary frames of Session Manager's data channel. Pure.
 *
 * @source amazon-ssm-agent, agent/session/contracts/agentmessage.go
 */
import crypto from 'node:crypto';

/** The message types used here. Frames of other types are decoded unchanged. */
export const messageTypes = {
  input: 'input_stream_data',
  output: 'output_stream_data',
  acknowledge: 'acknowledge',
  closed: 'channel_closed',
  start: 'start_publication',
  pause: 'pause_publication',
} as const;

export const payloadTypes = {
  none: 0,
  output: 1,
  size: 3,
  handshakeRequest: 5,
  handshakeResponse: 6,
  handshakeComplete: 7,
  flag: 10,
} as const;

/** Bits of the flags field. */
export const syn = 1;
export const fin = 2;

export interface Frame {
  readonly type: string;
  /** Input and output have separate counters from 0. Acknowledgements always have 0. */
  readonly sequence: number;
  readonly flags: number;
  /** A UUID in its usual form. */
  readonly id: string;
  readonly payloadType: number;
  readonly payload: Buffer;
}

/** Value of the header length field: all bytes before the payload length. */
const headerLength = 116;
const payloadOffset = headerLength + 4;
const typeLength = 32;
const offsets = { type: 4, version: 36, created: 40, sequence: 48, flags: 56, id: 64, digest: 80 } as const;
const payloadTypeOffset = 112;
const digestLength = 32;
const twoTo32 = 2 ** 32;
/** The largest upper half of a 64-bit number that a JavaScript number represents exactly. */
const safeHigh = 2 ** 21 - 1;

/** @param created milliseconds since the epoch */
export function encodeFrame(frame: Frame, created: number): Buffer {
  const { payload } = frame;
  const bytes = Buffer.allocUnsafe(payloadOffset + payload.length);
  bytes.writeUInt32BE(headerLength, 0);
  bytes.fill(' ', offsets.type, offsets.version);
  bytes.write(frame.type, offsets.type, typeLength, 'latin1');
  bytes.writeUInt32BE(1, offsets.version);
  writeUInt64(bytes, Math.floor(created), offsets.created);
  writeUInt64(bytes, frame.sequence, offsets.sequence);
  writeUInt64(bytes, frame.flags, offsets.flags);
  const id = frame.id.replaceAll('-', '');
  bytes.write(id.slice(16), offsets.id, 8, 'hex');
  bytes.write(id.slice(0, 16), offsets.id + 8, 8, 'hex');
  bytes.write(digestOf(payload), offsets.digest, digestLength, 'hex');
  bytes.writeUInt32BE(frame.payloadType, payloadTypeOffset);
  bytes.writeUInt32BE(payload.length, headerLength);
  payload.copy(bytes, payloadOffset);
  return bytes;
}

/**
 * The payload is a view of the bytes, not a copy.
 *
 * @returns undefined for an incomplete frame, or if the payload does not match its digest
 */
export function decodeFrame(bytes: Buffer): Frame | undefined {
  if (bytes.length < payloadOffset || bytes.readUInt32BE(0) !== headerLength) return undefined;
  if (bytes.readUInt32BE(headerLength) !== bytes.length - payloadOffset) return undefined;
  const sequence = readUInt64(bytes, offsets.sequence);
  if (sequence === undefined) return undefined;
  const type = trim(bytes.toString('latin1', offsets.type, offsets.version));
  const payload = bytes.subarray(payloadOffset);
  if (!isIntact(type, payload, bytes)) return undefined;
  return {
    type,
    sequence,
    flags: bytes.readUInt32BE(offsets.flags + 4),
    id: readId(bytes),
    payloadType: bytes.readUInt32BE(payloadTypeOffset),
    payload,
  };
}

/** The service's start_publication and pause_publication have no reliable digest, and no data. */
function isIntact(type: string, payload: Buffer, bytes: Buffer): boolean {
  if (payload.length === 0 || type === messageTypes.start || type === messageTypes.pause) return true;
  return digestOf(payload) === bytes.toString('hex', offsets.digest, offsets.digest + digestLength);
}

/** Hex is the fastest form of a digest here, and each message needs two digests. */
function digestOf(payload: Buffer): string {
  return hash ? hash('sha256', payload) : crypto.createHash('sha256').update(payload).digest('hex');
}

/** Available in Node since 20.12. */
// eslint-disable-next-line node/no-unsupported-features/node-builtins -- used only where it is
const { hash } = crypto as Partial<typeof crypto>;

/** Some agents pad the field with spaces, others with NUL. */
function trim(text: string): string {
  let end = text.length;
  while (end > 0 && isPadding(text.charCodeAt(end - 1))) end--;
  let start = 0;
  while (start < end && isPadding(text.charCodeAt(start))) start++;
  return text.slice(start, end);
}

function isPadding(code: number): boolean {
  return code === 0 || code === 0x20;
}

function readId(bytes: Buffer): string {
  const high = bytes.toString('hex', offsets.id + 8, offsets.id + 16);
  const low = bytes.toString('hex', offsets.id, offsets.id + 8);
  return `${high.slice(0, 8)}-${high.slice(8, 12)}-${high.slice(12)}-${low.slice(0, 4)}-${low.slice(4)}`;
}

function writeUInt64(bytes: Buffer, value: number, offset: number): void {
  bytes.writeUInt32BE(Math.floor(value / twoTo32), offset);
  bytes.writeUInt32BE(value % twoTo32, offset + 4);
}

/** @returns undefined for a negative signed number, or one that is too large to be exact */
function readUInt64(bytes: Buffer, offset: number): number | undefined {
  const high = bytes.readUInt32BE(offset);
  return high > safeHigh ? undefined : high * twoTo32 + bytes.readUInt32BE(offset + 4);
}
