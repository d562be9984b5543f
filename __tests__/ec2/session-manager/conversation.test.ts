/** The frames to an agent and their time, without a socket. */
import { describe, expect, it } from '@jest/globals';
import { encodeFrame } from '../../../src/ec2/session-manager/codec.ts';
import { json, outputFrame, Peer, portRequest } from './peer.ts';

const bytes = (text: string): Buffer => Buffer.from(text);
const acknowledged = ({ payload }: { payload: Buffer }): unknown =>
  (JSON.parse(payload.toString()) as Record<string, unknown>)['AcknowledgedMessageSequenceNumber'];

describe('the handshake', () => {
  it('is acknowledged and answered, and no data is sent until it is complete', () => {
    const peer = Peer.connected();
    expect(peer.conversation.write(bytes('early'), 0)).toBe(0);
    peer.say({ sequence: 0, payloadType: 5, payload: portRequest });
    expect(
      peer.sent.map(({ type, sequence, flags, payloadType }) => [type, sequence, flags, payloadType]),
    ).toEqual([
      ['acknowledge', 0, 3, 0],
      ['input_stream_data', 0, 1, 6],
    ]);
    expect(peer.conversation.write(bytes('early'), 0)).toBe(0);
    expect(peer.ready).toBe(0);
    peer.say({ sequence: 1, payloadType: 7, payload: json({}) });
    expect(peer.ready).toBe(1);
    expect(peer.conversation.write(bytes('now'), 0)).toBe(3);
  });

  it('that asks for an unsupported action is refused, and ends the conversation', () => {
    const peer = Peer.connected();
    const payload = json({ RequestedClientActions: [{ ActionType: 'KMSEncryption' }] });
    peer.say({ sequence: 0, payloadType: 5, payload });
    expect(String(peer.sent[1]?.payload)).toContain('"ActionStatus":3');
    expect(peer.ends).toEqual([
      { kind: 'unsupported', what: expect.stringContaining('KMSEncryption') as unknown as string },
    ]);
  });

  it('continues over a new socket if the first one is lost', () => {
    const peer = Peer.connected();
    peer.say({ sequence: 0, payloadType: 5, payload: portRequest });
    peer.conversation.disconnected();
    peer.takeSent();
    peer.conversation.connected(10);
    expect(peer.takeSent()).toEqual([0]);
  });
});

describe('input', () => {
  it('is sent unchanged in messages of 1,024 bytes', () => {
    const peer = Peer.ready();
    const text = '\n'.repeat(1_500);
    peer.conversation.write(bytes('\n'), 0);
    peer.conversation.write(bytes(text), 0);
    expect(peer.sent.map(({ payload }) => payload.length)).toEqual([1, 1_024, 476]);
    expect(Buffer.concat(peer.sent.map(({ payload }) => payload)).toString()).toBe(`\n${text}`);
  });

  it('waits while the window or the socket is full, and is requested when there is room', () => {
    const peer = Peer.ready();
    expect(peer.conversation.write(Buffer.alloc(2_000_000), 0)).toBe(1_000 * 1_024);
    peer.rooms = 0;
    peer.acknowledge(1);
    expect(peer.rooms).toBe(1);
    peer.backlog = 64 * 1_024;
    expect(peer.conversation.write(Buffer.alloc(10), 0)).toBe(0);
    peer.backlog = 0;
    peer.conversation.drained(0);
    expect(peer.rooms).toBe(2);
    expect(peer.conversation.write(Buffer.alloc(10), 0)).toBe(10);
  });

  it('is kept while publication is paused or there is no socket', () => {
    const peer = Peer.ready();
    peer.say({ type: 'pause_publication', payloadType: 0 });
    peer.conversation.write(bytes('one'), 0);
    peer.conversation.tick(10_000);
    expect(peer.takeSent()).toEqual([]);
    peer.say({ type: 'start_publication', payloadType: 0 });
    expect(peer.takeSent()).toEqual([1]);
    peer.conversation.disconnected();
    expect(peer.conversation.deadline).toBeUndefined();
    peer.conversation.write(bytes('two'), 0);
    peer.conversation.tick(20_000);
    expect(peer.takeSent()).toEqual([]);
    peer.conversation.connected(0);
    expect(peer.takeSent()).toEqual([1, 2]);
  });

  it('that the agent silently refuses is sent again', () => {
    const peer = Peer.ready();
    peer.conversation.write(bytes('SSH-2.0'), 0);
    expect(peer.takeSent()).toEqual([1]);
    const at = peer.conversation.deadline ?? 0;
    peer.conversation.tick(at);
    expect(peer.takeSent()).toEqual([1]);
    expect(peer.conversation.isDrained).toBe(false);
    peer.acknowledge(1, at);
    expect(peer.conversation.isDrained).toBe(true);
  });

  it('ends with the terminate flag, after everything else', () => {
    const peer = Peer.ready();
    peer.conversation.write(bytes('bye'), 0);
    peer.conversation.terminate(0);
    expect(peer.sent.map(({ payloadType, payload }) => [payloadType, payload.toString('hex')])).toEqual([
      [1, '627965'],
      [10, '00000002'],
    ]);
  });
});

describe('output', () => {
  it('arrives in order, each message is acknowledged, and a repeated one again', () => {
    const peer = Peer.ready();
    peer.say({ sequence: 3, payload: bytes('b') });
    expect(peer.output.toString()).toBe('');
    peer.say({ sequence: 2, payload: bytes('a') });
    peer.say({ sequence: 2, payload: bytes('a') });
    expect(peer.output.toString()).toBe('ab');
    expect(peer.sent.map(acknowledged)).toEqual([3, 2, 2]);
  });

  it('that was damaged is not acknowledged, and is correct when it is repeated', () => {
    const peer = Peer.ready();
    const right = encodeFrame(outputFrame({ sequence: 2, payload: bytes('right') }), 0);
    const wrong = Buffer.from(right).fill('l', right.length - 2);
    peer.conversation.receive(wrong, 0);
    expect(peer.sent).toEqual([]);
    peer.conversation.receive(right, 0);
    expect(peer.sent).toHaveLength(1);
    expect(peer.output.toString()).toBe('right');
  });

  it('contains only the host’s bytes, and no messages of the agent for people', () => {
    const peer = Peer.ready();
    [2, 3, 4, 8, 11, 12, 99].forEach((payloadType, place) => {
      peer.say({ sequence: 2 + place, payloadType, payload: bytes('noise') });
    });
    peer.say({ type: 'brand_new', sequence: 9, payload: bytes('noise') });
    expect(peer.output).toHaveLength(0);
    expect(peer.sent).toHaveLength(7);
  });

  it('has its last acknowledgements repeated over a new socket, because the old one may have lost them', () => {
    const peer = Peer.ready();
    for (let sequence = 2; sequence < 700; sequence++) peer.say({ sequence, payload: bytes('x') });
    peer.conversation.disconnected();
    peer.sent.length = 0;
    peer.conversation.connected(0);
    const again = peer.sent.map(acknowledged);
    expect(again.length).toBeGreaterThanOrEqual(256);
    expect(again.length).toBeLessThan(512);
    expect(again.at(-1)).toBe(699);
  });

  it('is not acknowledged on a socket that accepts nothing', () => {
    const peer = Peer.ready();
    peer.backlog = 5_000_000;
    peer.say({ sequence: 2, payload: bytes('x') });
    expect(peer.sent).toEqual([]);
  });
});

describe('the end', () => {
  const closed = (Output = ''): object => ({
    type: 'channel_closed',
    payloadType: 0,
    payload: json({ Output }),
  });

  it('has the message of the service', () => {
    const peer = Peer.ready();
    peer.say(closed('idle for too long'));
    expect(peer.ends).toEqual([{ kind: 'closed', output: 'idle for too long', complete: true }]);
    expect(peer.conversation.deadline).toBeUndefined();
  });

  it('waits for missing earlier messages', () => {
    const peer = Peer.ready();
    peer.say({ sequence: 3, payload: bytes('b') });
    peer.say(closed());
    expect(peer.ends).toEqual([]);
    peer.say({ sequence: 2, payload: bytes('a') });
    expect(peer.output.toString()).toBe('ab');
    expect(peer.ends).toEqual([{ kind: 'closed', output: '', complete: true }]);
  });

  it('reports missing messages if they do not arrive', () => {
    const peer = Peer.ready();
    peer.say({ sequence: 3, payload: bytes('b') });
    peer.say(closed(), 500);
    expect(peer.conversation.deadline).toBe(1_500);
    peer.conversation.tick(1_500);
    expect(peer.ends).toEqual([{ kind: 'closed', output: '', complete: false }]);
  });

  it.each([
    [1, 'disconnected'],
    [2, 'disconnected'],
    [3, 'connect-failed'],
  ])('is the flag %i: %s', (flag, kind) => {
    const peer = Peer.ready();
    peer.say({ sequence: 2, payloadType: 10, payload: Buffer.from([0, 0, 0, flag]) });
    expect(peer.ends).toEqual([{ kind }]);
  });

  it('is reported once, and nothing after it', () => {
    const peer = Peer.ready();
    peer.say(closed());
    peer.say(closed());
    peer.say({ sequence: 2, payload: bytes('late') });
    expect(peer.ends).toHaveLength(1);
    expect(peer.output).toHaveLength(0);
  });
});
