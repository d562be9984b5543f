/** Checks whether a client's frames are allowed by the protocol, in the current state of the session. */
import { createHash } from 'node:crypto';

import { decodeFrame, payloadTypes, require, Violation, type Frame } from './frame.ts';

export interface ClientFramesInput {
  /** Whether the agent has finished the handshake. */
  readonly ready: () => boolean;
  /** Whether the client was connected before, over another socket. */
  readonly resumed: () => boolean;
  /** The id of an agent's message; undefined for an unknown one. */
  readonly messageId: (sequence: number) => string | undefined;
  /** Reports a violation in a frame that can still be passed on. */
  readonly report: (what: string) => void;
}

const payloadSize = 1024;
const clientPayloads: readonly number[] = [
  payloadTypes.output,
  // A terminal's size. For a port the agent ignores it.
  payloadTypes.size,
  payloadTypes.handshakeResponse,
  payloadTypes.flag,
];
/** Number of messages with a remembered content, for comparison with repeated ones. */
const remembered = 4096;
/** Limit of a client's unacknowledged messages. */
const windowSize = 1_000;
const hour = 3_600_000;
/** The first version that signs, and the oldest that AWS supports. */
const oldestVersion = [1, 2, 764, 0];
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The text frame that opens a data channel → its token. Throws a Violation. */
export function readOpening(data: Buffer, isBinary: boolean): string {
  require(!isBinary, 'a first frame that is not text');
  const opening = parseObject(data, 'a first frame that is no JSON object');
  const { MessageSchemaVersion: schema, RequestId, TokenValue, ClientId, ClientVersion } = opening;
  require(schema === '1.0', `the MessageSchemaVersion ${JSON.stringify(schema)}`);
  require(typeof RequestId === 'string' && uuid.test(RequestId), 'a RequestId that is no UUID');
  require(typeof ClientId === 'string' && uuid.test(ClientId), 'a ClientId that is no UUID');
  require(typeof TokenValue === 'string', 'no TokenValue');
  require(typeof ClientVersion === 'string' &&
    isSupported(ClientVersion), `the ClientVersion ${String(ClientVersion)}`);
  return TokenValue;
}

function isSupported(version: string): boolean {
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(version)) return false;
  const parts = version.split('.').map(Number);
  const differs = parts.findIndex((part, place) => part !== oldestVersion[place]);
  return differs === -1 || (parts[differs] ?? 0) > (oldestVersion[differs] ?? 0);
}

export class ClientFrames {
  readonly #input: ClientFramesInput;
  readonly #digests = new Map<number, string>();
  #next = 0;

  constructor(input: ClientFramesInput) {
    this.#input = input;
  }

  /** Throws a Violation. */
  read(data: Buffer, isBinary: boolean): Frame {
    require(isBinary, 'a text frame after the first');
    const frame = decodeFrame(data);
    require(Math.abs(frame.createdAt - Date.now()) < hour, `the creation time ${frame.createdAt}`);
    if (frame.messageType === 'acknowledge') checkAcknowledgement(frame, this.#input);
    else if (frame.messageType === 'input_stream_data') this.#checkData(frame);
    else throw new Violation(`the message type ${frame.messageType} from a client`);
    return frame;
  }

  #checkData(frame: Frame): void {
    const { sequence, payloadType, payload } = frame;
    require(clientPayloads.includes(payloadType), `the payload type ${payloadType} from a client`);
    require(payload.length > 0 && payload.length <= payloadSize, `a payload of ${payload.length} bytes`);
    if (payloadType === payloadTypes.handshakeResponse) checkResponse(frame);
    if (payloadType === payloadTypes.flag) require(payload.length === 4, 'a flag that is not four bytes');
    // After a new socket, messages that the old one lost may come after newer ones.
    const furthest = this.#next + (this.#input.resumed() ? windowSize : 0);
    require(sequence <= furthest, `sequence number ${sequence} where ${this.#next} is next`);
    this.#checkContent(frame);
    this.#next = Math.max(this.#next, sequence + 1);
    if (payloadType === payloadTypes.output && !this.#input.ready()) {
      this.#input.report('data before the handshake was complete');
    }
  }

  /** A sequence number always has the same content, however often it is sent. */
  #checkContent({ sequence, payloadType, payload }: Frame): void {
    const digest = `${payloadType} ${createHash('sha256').update(payload).digest('base64')}`;
    const before = this.#digests.get(sequence);
    require(before === undefined || before === digest, `other content for sequence number ${sequence}`);
    this.#digests.set(sequence, digest);
    this.#digests.delete(sequence - remembered);
  }
}

function checkAcknowledgement(
  { sequence, flags, payloadType, payload }: Frame,
  agent: ClientFramesInput,
): void {
  require(sequence === 0, `an acknowledgement with the sequence number ${sequence}`);
  require(flags === 3, `an acknowledgement with the flags ${flags}`);
  require(payloadType === payloadTypes.none, `an acknowledgement with the payload type ${payloadType}`);
  const content = parseObject(payload, 'an acknowledgement that is no JSON object');
  const {
    AcknowledgedMessageType: type,
    AcknowledgedMessageId: id,
    AcknowledgedMessageSequenceNumber: number,
    IsSequentialMessage: sequential,
  } = content;
  require(type === 'output_stream_data', `an acknowledgement of ${JSON.stringify(type)}`);
  require(typeof number === 'number', 'an acknowledgement without a sequence number');
  const sent = agent.messageId(number);
  require(sent !== undefined, `an acknowledgement of message ${number}, which was never sent`);
  require(id === sent, `an acknowledgement of message ${number} with another id`);
  require(sequential === true, 'an acknowledgement that is not sequential');
}

function checkResponse({ sequence, payload }: Frame): void {
  require(sequence === 0, `a handshake response with the sequence number ${sequence}`);
  const response = parseObject(payload, 'a handshake response that is no JSON object');
  const { ClientVersion, ProcessedClientActions: actions, Errors } = response;
  require(typeof ClientVersion === 'string' &&
    isSupported(ClientVersion), `the ClientVersion ${String(ClientVersion)}`);
  require(Errors === null || Array.isArray(Errors), 'a handshake response without Errors');
  require(Array.isArray(actions) && actions.every(isAction), 'a handshake response with malformed actions');
}

function isAction(action: unknown): boolean {
  if (typeof action !== 'object' || action === null) return false;
  const { ActionType, ActionStatus, Error: error } = action as Record<string, unknown>;
  const known = typeof ActionStatus === 'number' && [1, 2, 3].includes(ActionStatus);
  return typeof ActionType === 'string' && known && typeof error === 'string' && 'ActionResult' in action;
}

function parseObject(data: Buffer, otherwise: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(data.toString());
  } catch {
    throw new Violation(otherwise);
  }
  require(typeof value === 'object' && value !== null && !Array.isArray(value), otherwise);
  return value as Record<string, unknown>;
}
