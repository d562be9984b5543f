/**
 * The contents of data channel messages: JSON and flags. Pure. Functions return undefined for invalid contents and
 * never throw.
 */
import { messageTypes, type Frame } from './codec.ts';

/** Not below 1.2.764.0: the oldest plugin that AWS supports, and the first that signs the WebSocket. */
const clientVersion = '1.2.896.0';

/** Values of a flag's payload. */
export const flags = { disconnect: 1, terminate: 2, connectFailed: 3 } as const;

/** Results of the actions in the agent's handshake. */
const status = { success: 1, failed: 2, unsupported: 3 } as const;

/** The first message on the socket, as text. The token is secret. */
export function openingMessage(ids: { token: string; clientId: string; requestId: string }): string {
  return JSON.stringify({
    MessageSchemaVersion: '1.0',
    RequestId: ids.requestId,
    TokenValue: ids.token,
    ClientId: ids.clientId,
    ClientVersion: clientVersion,
  });
}

/** Built from strings, because there is one for each message. Nothing in it needs JSON escapes. */
export function acknowledgement({ id, sequence }: Pick<Frame, 'id' | 'sequence'>): Buffer {
  return Buffer.from(
    `{"AcknowledgedMessageType":"${messageTypes.output}","AcknowledgedMessageId":"${id}","AcknowledgedMessageSequenceNumber":${sequence},"IsSequentialMessage":true}`,
    'latin1',
  );
}

/** The sequence number of the acknowledged message. */
export function readAcknowledgement(payload: Buffer): number | undefined {
  const { AcknowledgedMessageType: type, AcknowledgedMessageSequenceNumber: sequence } = readRecord(payload);
  if (type !== undefined && type !== messageTypes.input) return undefined;
  return Number.isSafeInteger(sequence) && (sequence as number) >= 0 ? (sequence as number) : undefined;
}

export function flagPayload(flag: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(flag);
  return payload;
}

/** The size of a terminal. In a port session the agent acknowledges it and ignores it. */
export function sizePayload(): Buffer {
  return Buffer.from('{"cols":80,"rows":24}');
}

export function readFlag(payload: Buffer): number | undefined {
  return payload.length === 4 ? payload.readUInt32BE() : undefined;
}

/** The agent's message at the end of the session, as one line. */
export function readClosed(payload: Buffer): string {
  const { Output: output } = readRecord(payload);
  return typeof output === 'string' ? oneLine(output) : '';
}

export interface HandshakeAnswer {
  readonly payload: Buffer;
  /** The action of the agent that this client does not support. */
  readonly refused?: string;
}

/** @returns undefined if it is not a handshake request */
export function answerHandshake(request: Buffer): HandshakeAnswer | undefined {
  const { RequestedClientActions: requested } = readRecord(request);
  if (!Array.isArray(requested)) return undefined;
  const actions = requested.map(answerAction);
  const errors = actions.map(({ Error }) => Error).filter((error) => error !== '');
  const payload = Buffer.from(
    JSON.stringify({
      ClientVersion: clientVersion,
      ProcessedClientActions: actions,
      Errors: errors.length > 0 ? errors : null,
    }),
  );
  const [refused] = errors;
  return refused === undefined ? { payload } : { payload, refused };
}

interface ProcessedAction {
  readonly ActionType: string;
  readonly ActionStatus: number;
  readonly ActionResult: null;
  readonly Error: string;
}

function answerAction(action: unknown): ProcessedAction {
  const { ActionType, ActionParameters } = asRecord(action);
  const type = typeof ActionType === 'string' ? oneLine(ActionType) : '';
  const answer = (ActionStatus: number, error: string): ProcessedAction => ({
    ActionType: type,
    ActionStatus,
    ActionResult: null,
    Error: error,
  });
  if (type === 'KMSEncryption')
    return answer(status.unsupported, 'encryption with a KMS key (KMSEncryption)');
  if (type !== 'SessionType') return answer(status.unsupported, `the action ${type || 'without a name'}`);
  const { SessionType, Properties } = asRecord(ActionParameters);
  if (SessionType !== 'Port') {
    const other = typeof SessionType === 'string' ? oneLine(SessionType) : typeof SessionType;
    return answer(status.failed, `a session of type ${other} instead of Port`);
  }
  // With this type, the agent adds a protocol of its own (smux) to the stream.
  if (asRecord(Properties)['type'] === 'LocalPortForwarding') {
    return answer(status.failed, 'several connections in one session (LocalPortForwarding)');
  }
  return answer(status.success, '');
}

function readRecord(payload: Buffer): Record<string, unknown> {
  try {
    return asRecord(JSON.parse(payload.toString()));
  } catch {
    return {};
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** Characters. The text is shown to people. */
const longestShown = 300;

function oneLine(text: string): string {
  return text
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, longestShown);
}
