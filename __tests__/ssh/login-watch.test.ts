/** Detects refused logins by the sizes of encrypted packets. e2e/ec2/refusals.test.ts tests it with real ssh and sshd. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LoginWatch } from '../../src/ssh/login-watch.ts';

const user = 'ec2-user';
const kexInit = 20;
const newKeys = 21;

function packet(type: number, length: number): Buffer {
  const bytes = Buffer.alloc(4 + length, 0xa5);
  bytes.writeUInt32BE(length);
  bytes[4] = 4;
  bytes[5] = type;
  return bytes;
}

const clear = Buffer.concat([
  Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'),
  packet(kexInit, 1500),
  packet(30, 1200),
  packet(newKeys, 12),
]);
/**
 * chacha20-poly1305: a multiple of 8, plus 4 and 16. The sizes of a service request, a question about a key, and a
 * signature.
 */
const service = 44;
const asked = 172;
const signed = 276;

function watch(sizes: readonly number[], { answers = [52, 52] } = {}): LoginWatch {
  const watched = new LoginWatch(user, Date.now);
  watched.fromClient(clear);
  for (const [index, size] of sizes.entries()) {
    watched.fromClient(Buffer.alloc(size));
    watched.fromHost(Buffer.alloc(answers[index] ?? 52));
  }
  return watched;
}

describe('a login', () => {
  it.each([
    ['no key is known', [service, 100, asked], true],
    ['none of several keys is known', [service, 100, ...Array.from({ length: 6 }, () => asked)], true],
    ['a key is known and signs', [service, 100, asked, signed], false],
    ['the second key is known', [service, 100, asked, asked, signed], false],
    ['the client never asked, because it refused the host’s key', [], false],
    ['there were more packets than in a login', [service, ...Array.from({ length: 12 }, () => asked)], false],
  ])('where %s', (_, sizes, refused) => {
    expect(watch(sizes).refused).toBe(refused);
  });

  it('is not refused if the host has sent more than answers', () => {
    expect(watch([service, asked], { answers: [52, 9_000] }).refused).toBe(false);
  });

  it('ignores the host’s bytes before the key exchange', () => {
    const watched = new LoginWatch(user, Date.now);
    watched.fromHost(Buffer.alloc(100_000));
    watched.fromClient(clear);
    watched.fromClient(Buffer.alloc(service));
    watched.fromClient(Buffer.alloc(asked));
    expect(watched.refused).toBe(true);
  });

  it('is detected however its beginning is split', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(clear.length), { maxLength: 8 }), fc.boolean(), (cuts, lets) => {
        const watched = new LoginWatch(user, Date.now);
        const places = [0, ...cuts.sort((a, b) => a - b), clear.length];
        for (const [index, end] of places.entries())
          watched.fromClient(clear.subarray(places[index - 1] ?? 0, end));
        for (const size of lets ? [service, asked, signed] : [service, asked])
          watched.fromClient(Buffer.alloc(size));
        expect(watched.refused).toBe(!lets);
      }),
    );
  });

  it('is detected if its first encrypted packet arrives with the end of the key exchange', () => {
    const watched = new LoginWatch(user, Date.now);
    watched.fromClient(Buffer.concat([clear, Buffer.alloc(service)]));
    expect(watched.refused).toBe(true);
    watched.fromClient(Buffer.alloc(signed));
    expect(watched.refused).toBe(false);
  });

  it('is not detected in other protocols, and their bytes are not kept', () => {
    const watched = new LoginWatch(user, Date.now);
    watched.fromClient(Buffer.from('GET / HTTP/1.1\n'));
    for (let i = 0; i < 200; i++) watched.fromClient(Buffer.alloc(1_000, 0x7f));
    watched.fromClient(clear);
    watched.fromClient(Buffer.alloc(service));
    expect(watched.refused).toBe(false);
  });
});
