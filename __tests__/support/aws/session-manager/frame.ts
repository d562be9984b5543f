/**
 * The frames of Session Manager's data channel: encoded, and strictly decoded. Pure. Source: amazon-ssm-agent,
 * agent/session/contracts (AgentMessage). Numbers are big-endian.
 */
import { createHash } from 'node:crypto';

export interface Frame {
  readonly messageType: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly sequence: number;
  /** Bit 0: SYN, bit 1: FIN. */
  readonly flags: number;
  /** A UUID in its usual form. */
  readonly messageId: string;
  readonly payloadType: number;
  readonly payload: Buffer;
}

/** A client's violation of the protocol. */
export class Violation extends Error {}

export const payloadTypes = {
  none: 0,
  output: 1,
  size: 3,
  handshakeRequest: 5,
  handshakeResponse: 6,
  handshakeComplete: 7,
  flag: 10,
} as const;

export const flags = { disconnectToPort: 1, terminateSession: 2, connectToPortFailed: 3 } as const;

/** The header's length field; the payload's length and the payload follow it. */
const headerLength = 116;
const payloadOffset = 120;
const schemaVersion = 1;

export function encodeFrame(frame: Frame): Buffer {
  const { messageType, createdAt, sequence, flags: bits, messageId, payloadType, payload } = frame;
  const bytes = Buffer.alloc(payloadOffset + payload.length);
  bytes.writeUInt32BE(headerLength, 0);
  bytes.fill(' ', 4, 36).write(messageType, 4, 'latin1');
  bytes.writeUInt32BE(schemaVersion, 36);
  bytes.writeBigUInt64BE(BigInt(createdAt), 40);
  bytes.writeBigInt64BE(BigInt(sequence), 48);
  bytes.writeBigUInt64BE(BigInt(bits), 56);
  const id = Buffer.from(messageId.replaceAll('-', ''), 'hex');
  id.copy(bytes, 64, 8, 16);
  id.copy(bytes, 72, 0, 8);
  createHash('sha256').update(payload).digest().copy(bytes, 80);
  bytes.writeUInt32BE(payloadType, 112);
  bytes.writeUInt32BE(payload.length, 116);
  payload.copy(bytes, payloadOffset);
  return bytes;
}

/** Throws a Violation for the first mistake. */
export function decodeFrame(bytes: Buffer): Frame {
  require(bytes.length >= payloadOffset, `a frame of ${bytes.length} bytes`);
  require(bytes.readUInt32BE(0) === headerLength, `a header length of ${bytes.readUInt32BE(0)}`);
  const messageType = bytes.toString('latin1', 4, 36);
  require(/^[a-z_]+ *$/.test(messageType), `the message type ${JSON.stringify(messageType)}`);
  require(bytes.readUInt32BE(36) === schemaVersion, `the schema version ${bytes.readUInt32BE(36)}`);
  const length = bytes.readUInt32BE(116);
  require(bytes.length === payloadOffset + length, `a payload length of ${length} in ${bytes.length} bytes`);
  const payload = bytes.subarray(payloadOffset);
  const digest = createHash('sha256').update(payload).digest();
  require(digest.equals(bytes.subarray(80, 112)), 'a payload that its digest does not match');
  const sequence = Number(bytes.readBigInt64BE(48));
  require(sequence >= 0, `the sequence number ${sequence}`);
  const bits = Number(bytes.readBigUInt64BE(56));
  require(bits <= 3, `the flags ${bits}`);
  const messageId = uuidOf(bytes.subarray(64, 80));
  const createdAt = Number(bytes.readBigUInt64BE(40));
  const payloadType = bytes.readUInt32BE(112);
  return {
    messageType: messageType.trimEnd(),
    createdAt,
    sequence,
    flags: bits,
    messageId,
    payloadType,
    payload,
  };
}

function uuidOf(field: Buffer): string {
  const hex = Buffer.concat([field.subarray(8), field.subarray(0, 8)]).toString('hex');
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  // If the halves are not swapped, these digits are in other places.
  require(/^.{14}4.{4}[89ab]/.test(id), `the message id ${id}, which is no UUID`);
  return id;
}

export function require(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Violation(what);
}
