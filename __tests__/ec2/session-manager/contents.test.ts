/** The contents of the frames, as in the sources of the agent and the plugin. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  acknowledgement,
  answerHandshake,
  flagPayload,
  openingMessage,
  readAcknowledgement,
  readClosed,
  readFlag,
} from '../../../src/ec2/session-manager/contents.ts';

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const read = (bytes: Buffer | undefined): unknown => JSON.parse(String(bytes));

const sessionType = (SessionType: string, Properties: object = { portNumber: '22' }): object => ({
  ActionType: 'SessionType',
  ActionParameters: { SessionType, Properties },
});
const request = (...RequestedClientActions: object[]): Buffer =>
  json({ AgentVersion: '3.3.0.0', RequestedClientActions });

describe('the opening message', () => {
  it('has the token, and a version that AWS still supports', () => {
    const opening = JSON.parse(openingMessage({ token: 'T', clientId: 'C', requestId: 'R' })) as Record<
      string,
      string
    >;
    expect(opening).toMatchObject({
      MessageSchemaVersion: '1.0',
      RequestId: 'R',
      TokenValue: 'T',
      ClientId: 'C',
    });
    const [major = 0, minor = 0, patch = 0] = (opening['ClientVersion'] ?? '').split('.').map(Number);
    expect([major, minor]).toEqual([1, 2]);
    expect(patch).toBeGreaterThanOrEqual(764);
  });
});

describe('an acknowledgement', () => {
  it('names the received message', () => {
    expect(read(acknowledgement({ id: '00112233-4455-6677-8899-aabbccddeeff', sequence: 12 }))).toEqual({
      AcknowledgedMessageType: 'output_stream_data',
      AcknowledgedMessageId: '00112233-4455-6677-8899-aabbccddeeff',
      AcknowledgedMessageSequenceNumber: 12,
      IsSequentialMessage: true,
    });
  });

  it.each([
    [{ AcknowledgedMessageType: 'input_stream_data', AcknowledgedMessageSequenceNumber: 3 }, 3],
    [{ AcknowledgedMessageSequenceNumber: 0 }, 0],
    [{ AcknowledgedMessageType: 'output_stream_data', AcknowledgedMessageSequenceNumber: 3 }, undefined],
    [{ AcknowledgedMessageSequenceNumber: -1 }, undefined],
    [{ AcknowledgedMessageSequenceNumber: 1.5 }, undefined],
    [{ AcknowledgedMessageSequenceNumber: '3' }, undefined],
    [null, undefined],
    [[], undefined],
  ])('%j is of message %p', (content, sequence) => {
    expect(readAcknowledgement(json(content))).toBe(sequence);
  });
});

describe('a handshake request', () => {
  it('for a port is accepted', () => {
    expect(answerHandshake(request(sessionType('Port')))?.refused).toBeUndefined();
    expect(read(answerHandshake(request(sessionType('Port')))?.payload)).toMatchObject({
      ProcessedClientActions: [{ ActionType: 'SessionType', ActionStatus: 1, ActionResult: null, Error: '' }],
      Errors: null,
    });
  });

  it.each([
    [
      'KMS encryption',
      3,
      { ActionType: 'KMSEncryption', ActionParameters: { KMSKeyID: 'x' } },
      'KMSEncryption',
    ],
    ['what nobody knows', 3, { ActionType: 'Dance' }, 'Dance'],
    ['what has no name', 3, {}, 'without a name'],
    ['a shell', 2, sessionType('Standard_Stream'), 'Standard_Stream'],
    [
      'many connections in one',
      2,
      sessionType('Port', { type: 'LocalPortForwarding' }),
      'LocalPortForwarding',
    ],
  ])('for %s is refused with status %i', (...[, status, action, named]) => {
    const answer = answerHandshake(request(sessionType('Port'), action));
    expect(answer?.refused).toContain(named);
    expect(read(answer?.payload)).toMatchObject({
      ProcessedClientActions: [{ ActionStatus: 1 }, { ActionStatus: status }],
      Errors: [answer?.refused],
    });
  });

  it('that cannot be read gets no answer', () => {
    expect(answerHandshake(Buffer.from('{'))).toBeUndefined();
    expect(answerHandshake(json({ RequestedClientActions: 'all' }))).toBeUndefined();
  });
});

describe('other contents', () => {
  it('flags are four bytes', () => {
    expect(flagPayload(2).toString('hex')).toBe('00000002');
    expect(readFlag(flagPayload(3))).toBe(3);
    expect(readFlag(Buffer.alloc(3))).toBeUndefined();
  });

  it('the output at the end is one line without control characters', () => {
    expect(readClosed(json({ Output: 'timed out\r\n\u001b[2Jbye ' }))).toBe('timed out [2Jbye');
    expect(readClosed(json({ Output: 'x'.repeat(1_000) }))).toHaveLength(300);
    expect(readClosed(json({ Output: 5 }))).toBe('');
    expect(readClosed(Buffer.from('no JSON'))).toBe('');
  });

  it('no content makes a reader throw', () => {
    const payload = fc.oneof(fc.uint8Array(), fc.json()).map((content) => Buffer.from(content as string));
    fc.assert(
      fc.property(payload, (bytes) => {
        readAcknowledgement(bytes);
        readClosed(bytes);
        readFlag(bytes);
        answerHandshake(bytes);
      }),
    );
  });
});
