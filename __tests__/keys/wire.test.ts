/** SSH's binary fields, with the vectors of RFC 4251 §5 and with invalid fields. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mpint, string, uint32, WireReader } from '../../src/keys/wire.ts';

describe('an mpint', () => {
  it.each([
    ['', '00000000'],
    ['00', '00000000'],
    ['0000', '00000000'],
    ['09a378f9b2e332a7', '0000000809a378f9b2e332a7'],
    ['80', '000000020080'],
    ['0080', '000000020080'],
    ['00000080', '000000020080'],
    ['007f', '000000017f'],
    ['ff00', '0000000300ff00'],
  ])('of %s is %s', (value, wire) => {
    expect(mpint(Buffer.from(value, 'hex')).toString('hex')).toBe(wire);
  });
});

describe('the reader', () => {
  it('reads written fields', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(0xffff_ffff), fc.string(), (bytes, number, text) => {
        const wire = Buffer.concat([string(Buffer.from(bytes)), uint32(number), string(text), Buffer.of(7)]);
        const reader = new WireReader(wire);
        expect([...reader.string()]).toEqual([...bytes]);
        expect(reader.uint32()).toBe(number);
        expect(reader.string().toString()).toBe(text);
        expect([...reader.rest]).toEqual([7]);
      }),
    );
  });

  it.each(['', '00', '000000', '00000001', 'ffffffff00', '0000000201'])(
    'throws RangeError where %j ends early',
    (hex) => {
      expect(() => new WireReader(Buffer.from(hex, 'hex')).string()).toThrow(RangeError);
    },
  );
});
