/** Frames tested with vectors that Python's struct, uuid and hashlib created, and with noise. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeFrame, encodeFrame, type Frame } from '../../../src/ec2/session-manager/codec.ts';

const output: Frame = {
  type: 'output_stream_data',
  sequence: 7,
  flags: 0,
  id: '00112233-4455-6677-8899-aabbccddeeff',
  payloadType: 1,
  payload: Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'),
};
const outputBytes = [
  '00000074', // header length
  '6f75747075745f73747265616d5f646174612020202020202020202020202020', // message type
  '00000001', // schema version
  '0000018bcfe5687b', // created
  '0000000000000007', // sequence number
  '0000000000000000', // flags
  '8899aabbccddeeff0011223344556677', // message id, its halves swapped
  '1ceb64a85fdee4e6f4db8b644afdb2a5798f9486f70055724dab081e5bb7d1ad', // SHA-256
  '00000001', // payload type
  '00000015', // payload length
  '5353482d322e302d4f70656e5353485f392e320d0a',
].join('');
const flag: Frame = {
  type: 'input_stream_data',
  sequence: 0,
  flags: 1,
  id: '123e4567-e89b-42d3-a456-426614174000',
  payloadType: 10,
  payload: Buffer.from([0, 0, 0, 2]),
};
const flagBytes =
  '00000074696e7075745f73747265616d5f64617461202020202020202020202020202020000000010000018bcfe5687b00000000000000000000000000000001a456426614174000123e4567e89b42d3433ebf5bc03dffa38536673207a21281612cef5faa9bc7a4d5b9be2fdb12cf1a0000000a0000000400000002';
const created = 1_700_000_000_123;

const changed = (hex: string, offset: number, bytes: string): Buffer => {
  const frame = Buffer.from(hex, 'hex');
  frame.write(bytes, offset, 'hex');
  return frame;
};

describe('a frame', () => {
  it.each([
    ['data from the agent', output, outputBytes],
    ['the terminate flag', flag, flagBytes],
  ])('is encoded and decoded as in the protocol: %s', (_, frame, hex) => {
    expect(encodeFrame(frame, created).toString('hex')).toBe(hex);
    expect(decodeFrame(Buffer.from(hex, 'hex'))).toEqual(frame);
  });

  it('may have a type that is padded with NUL or unknown', () => {
    const type = Buffer.from('brand_new').toString('hex').padEnd(64, '0');
    expect(decodeFrame(changed(outputBytes, 4, type))).toEqual({ ...output, type: 'brand_new' });
  });

  it('needs no digest without a payload, or if the service starts or pauses publication', () => {
    const empty = encodeFrame({ ...output, payload: Buffer.alloc(0) }, created).fill(0, 80, 112);
    expect(decodeFrame(empty)?.payload).toHaveLength(0);
    for (const type of ['start_publication', 'pause_publication']) {
      expect(decodeFrame(encodeFrame({ ...output, type }, created).fill(0, 80, 112))?.type).toBe(type);
    }
  });

  it.each([
    ['a header of another length', changed(outputBytes, 0, '00000073')],
    ['a payload of another length', changed(outputBytes, 116, '00000014')],
    ['a payload length beyond all memory', changed(outputBytes, 116, 'ffffffff')],
    ['a byte less', Buffer.from(outputBytes, 'hex').subarray(0, -1)],
    ['a byte more', Buffer.from(`${outputBytes}00`, 'hex')],
    ['no payload length', Buffer.from(outputBytes, 'hex').subarray(0, 119)],
    ['no bytes', Buffer.alloc(0)],
    ['another payload', changed(outputBytes, 125, 'ff')],
    ['another digest', changed(outputBytes, 80, 'ff')],
    ['a negative sequence number', changed(outputBytes, 48, 'ffffffffffffffff')],
    ['a sequence number that no JavaScript number holds', changed(outputBytes, 48, '0020000000000000')],
  ])('is invalid with %s', (_, bytes) => {
    expect(decodeFrame(bytes)).toBeUndefined();
  });

  it('is the same after encoding and decoding, whatever it contains', () => {
    const frames = fc.record({
      type: fc.stringMatching(/^[a-z_]{1,32}$/),
      sequence: fc.maxSafeNat(),
      flags: fc.integer({ min: 0, max: 3 }),
      id: fc.uuid(),
      payloadType: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      payload: fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
    });
    fc.assert(
      fc.property(frames, (frame) => {
        expect(decodeFrame(encodeFrame(frame, created))).toEqual(frame);
      }),
    );
  });

  it('is invalid if any bit of its payload is changed', () => {
    const bit = fc.integer({ min: 0, max: output.payload.length * 8 - 1 });
    fc.assert(
      fc.property(bit, (place) => {
        const bytes = Buffer.from(outputBytes, 'hex');
        const at = 120 + (place >> 3);
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (place & 7)), at);
        expect(decodeFrame(bytes)).toBeUndefined();
      }),
    );
  });
});
