/** A small client of Session Manager's data channel that sends valid and invalid frames for tests. */
import { createHash, randomUUID } from 'node:crypto';
import { Hash } from '@smithy/core/serde';
import { SignatureV4 } from '@smithy/signature-v4';
import type { HttpRequest } from '@smithy/types';
import { WebSocket } from 'ws';

import type { Credentials } from '../../support/aws/local-aws.ts';
import { REGION } from '../../support/aws/world.ts';

export interface Received {
  readonly type: string;
  readonly sequence: number;
  readonly flags: number;
  readonly id: string;
  readonly payloadType: number;
  readonly payload: Buffer;
}

export interface FrameInput {
  readonly type?: string;
  readonly sequence?: number;
  readonly flags?: number;
  readonly payloadType?: number;
  readonly payload?: string | Buffer;
}

/** A frame in the layout of the protocol's table, written independently. */
export function makeFrame(input: FrameInput): Buffer {
  const { type = 'input_stream_data', sequence = 0, flags = 0, payloadType = 1, payload = '' } = input;
  const content = Buffer.from(payload);
  const header = Buffer.alloc(120);
  header.writeUInt32BE(116, 0);
  header.write(type.padEnd(32), 4);
  header.writeUInt32BE(1, 36);
  header.writeBigUInt64BE(BigInt(Date.now()), 40);
  header.writeBigInt64BE(BigInt(sequence), 48);
  header.writeBigUInt64BE(BigInt(flags), 56);
  const uuid = randomUUID().replaceAll('-', '');
  header.write(uuid.slice(16) + uuid.slice(0, 16), 64, 'hex');
  createHash('sha256').update(content).digest().copy(header, 80);
  header.writeUInt32BE(payloadType, 112);
  header.writeUInt32BE(content.length, 116);
  return Buffer.concat([header, content]);
}

function readFrame(bytes: Buffer): Received {
  const hex = bytes.toString('hex', 72, 80) + bytes.toString('hex', 64, 72);
  return {
    type: bytes.toString('latin1', 4, 36).trimEnd(),
    sequence: Number(bytes.readBigInt64BE(48)),
    flags: Number(bytes.readBigUInt64BE(56)),
    id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    payloadType: bytes.readUInt32BE(112),
    payload: bytes.subarray(120),
  };
}

/** The headers of a signed GET. */
export async function signedHeaders(
  streamUrl: string,
  credentials: Credentials,
  scope: Scope = {},
): Promise<Record<string, string>> {
  return (await signerOf(credentials, scope).sign(requestOf(streamUrl))).headers;
}

/** A presigned StreamUrl, valid for a minute. */
export async function presignedUrl(streamUrl: string, credentials: Credentials): Promise<string> {
  const { query = {} } = await signerOf(credentials).presign(requestOf(streamUrl), { expiresIn: 60 });
  const url = new URL(streamUrl);
  url.search = new URLSearchParams(query as Record<string, string>).toString();
  return url.href;
}

interface Scope {
  readonly service?: string;
  readonly region?: string;
}

function signerOf(
  credentials: Credentials,
  { service = 'ssmmessages', region = REGION }: Scope = {},
): SignatureV4 {
  return new SignatureV4({ service, region, credentials, sha256: Hash.bind(null, 'sha256') });
}

function requestOf(streamUrl: string): HttpRequest {
  const { host, hostname, pathname, searchParams } = new URL(streamUrl);
  return {
    ...{ method: 'GET', protocol: 'https:', hostname, path: pathname },
    ...{ query: Object.fromEntries(searchParams), headers: { host } },
  };
}

export interface Started {
  readonly StreamUrl?: string | undefined;
  readonly TokenValue?: string | undefined;
}

export interface Connecting {
  readonly credentials: Credentials;
  readonly ca?: string | undefined;
  /** Default: the handshake of AWS's clients. */
  readonly opening?: Readonly<Record<string, unknown>>;
  /** Acknowledges every message. Default: true. */
  readonly acknowledges?: boolean;
  /** Default: true. */
  readonly signs?: boolean;
}

export class RawSession {
  readonly received: Received[] = [];
  readonly socket: WebSocket;
  /** The code that the socket closed with. */
  closed: number | undefined;
  readonly #watchers = new Set<() => void>();

  private constructor(socket: WebSocket, acknowledges: boolean) {
    this.socket = socket;
    socket.on('message', (data) => {
      const frame = readFrame(data as Buffer);
      this.received.push(frame);
      if (acknowledges && frame.type === 'output_stream_data') this.acknowledge(frame);
      this.#changed();
    });
    socket.on('close', (code) => {
      this.closed = code;
      this.#changed();
    });
  }

  /** Rejects if the service does not answer 101. */
  static async connect(started: Started, connecting: Connecting): Promise<RawSession> {
    const { StreamUrl = '', TokenValue } = started;
    const { credentials, ca, opening = {}, acknowledges = true, signs = true } = connecting;
    const headers = signs ? await signedHeaders(StreamUrl, credentials) : {};
    const socket = new WebSocket(StreamUrl, { headers, ...(ca !== undefined && { ca }) });
    const session = new RawSession(socket, acknowledges);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    const ids = { RequestId: randomUUID(), ClientId: randomUUID() };
    const versions = { MessageSchemaVersion: '1.0', ClientVersion: '1.2.764.0' };
    socket.send(JSON.stringify({ ...versions, ...ids, TokenValue, ...opening }));
    return session;
  }

  send(input: FrameInput): void {
    this.socket.send(makeFrame(input));
  }

  acknowledge({ type, id, sequence }: Received, more: object = {}): void {
    const content = {
      AcknowledgedMessageType: type,
      AcknowledgedMessageId: id,
      AcknowledgedMessageSequenceNumber: sequence,
      IsSequentialMessage: true,
    };
    this.send({
      ...{ type: 'acknowledge', flags: 3, payloadType: 0 },
      payload: JSON.stringify({ ...content, ...more }),
    });
  }

  /** Answers the handshake, and waits for its end. */
  async shakeHands(status = 1): Promise<void> {
    await this.until(() => this.data(5).length > 0);
    this.send({ sequence: 0, payloadType: 6, payload: handshakeResponse(status) });
    if (status === 1) await this.until(() => this.data(7).length > 0);
  }

  data(payloadType: number): Received[] {
    return this.received.filter(
      (one) => one.type === 'output_stream_data' && one.payloadType === payloadType,
    );
  }

  /** The output in order, each message once. */
  get output(): Buffer {
    const messages = new Map(this.data(1).map(({ sequence, payload }) => [sequence, payload]));
    const ordered = [...messages].sort(([one], [other]) => one - other);
    return Buffer.concat(ordered.map(([, payload]) => payload));
  }

  /** The sequence numbers of the acknowledged messages, in the order of arrival. */
  get acknowledged(): number[] {
    return this.received
      .filter(({ type }) => type === 'acknowledge')
      .map(
        ({ payload }) =>
          (JSON.parse(payload.toString()) as Record<string, number>)['AcknowledgedMessageSequenceNumber'] ??
          -1,
      );
  }

  get channelClosed(): { readonly Output: string } | undefined {
    const frame = this.received.find(({ type }) => type === 'channel_closed');
    return frame && (JSON.parse(frame.payload.toString()) as { Output: string });
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#watchers.add(resolve));
  }

  #changed(): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const watcher of watchers) watcher();
  }
}

export function handshakeResponse(status = 1): string {
  const action = { ActionType: 'SessionType', ActionStatus: status, ActionResult: null, Error: '' };
  return JSON.stringify({ ClientVersion: '1.2.764.0', ProcessedClientActions: [action], Errors: [] });
}

/** A flag's payload. */
export function flagPayload(flag: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(flag);
  return payload;
}
