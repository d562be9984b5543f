/** The limits of what counts as a refused login. */
import { expect, it } from '@jest/globals';
import { LoginWatch } from '../../src/ssh/login-watch.ts';

function packet(type: number, length: number): Buffer {
  const bytes = Buffer.alloc(4 + length);
  bytes.writeUInt32BE(length);
  bytes[5] = type;
  return bytes;
}

/** After the key exchange. */
function encrypted(user = 'me'): LoginWatch {
  const watched = new LoginWatch(user, Date.now);
  watched.fromClient(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), packet(20, 100), packet(21, 12)]));
  return watched;
}

it.each([
  [12, true],
  [13, false],
])('%d packets may be those of a login: %j', (count, expected) => {
  const watched = encrypted();
  for (let number = 0; number < count; number++) watched.fromClient(Buffer.alloc(44));
  expect(watched.refused).toBe(expected);
});

it('bytes that are none count as no packet', () => {
  const watched = encrypted();
  watched.fromClient(Buffer.alloc(0));
  expect(watched.refused).toBe(false);
  watched.fromClient(Buffer.alloc(300));
  watched.fromClient(Buffer.alloc(0));
  expect(watched.refused).toBe(true);
});

it.each([
  [8192, true],
  [8193, false],
])('%d bytes of the host may be its answers: %j', (size, expected) => {
  const watched = encrypted();
  watched.fromClient(Buffer.alloc(44));
  watched.fromHost(Buffer.alloc(size - 1));
  watched.fromHost(Buffer.alloc(1));
  expect(watched.refused).toBe(expected);
});

it.each([
  ['me', 137, true],
  ['me', 138, false],
  ['é', 137, true],
  ['é', 138, false],
  ['root', 139, true],
])('for the user %s, a packet may be %d bytes longer than the shortest: %j', (user, more, expected) => {
  const watched = encrypted(user);
  watched.fromClient(Buffer.alloc(44));
  watched.fromClient(Buffer.alloc(44 + more));
  expect(watched.refused).toBe(expected);
});

it('a greeting of nothing but a line end is one', () => {
  const watched = new LoginWatch('me', Date.now);
  watched.fromClient(Buffer.concat([Buffer.from('\n'), packet(21, 12), Buffer.alloc(44)]));
  expect(watched.refused).toBe(true);
});

it.each([
  [128 * 1024, true],
  [128 * 1024 + 1, false],
])('%d bytes may come before the encryption: %j', (size, expected) => {
  const watched = new LoginWatch('me', Date.now);
  watched.fromClient(Buffer.from('SSH-2.0-x\r\n'));
  const long = packet(20, 200 * 1024);
  watched.fromClient(long.subarray(0, size));
  watched.fromClient(long.subarray(size));
  watched.fromClient(Buffer.concat([packet(21, 12), Buffer.alloc(44)]));
  expect(watched.refused).toBe(expected);
});

it('the smallest packet is one', () => {
  const watched = new LoginWatch('me', Date.now);
  watched.fromClient(
    Buffer.concat([Buffer.from('SSH-2.0-x\n'), packet(20, 2), packet(21, 2), Buffer.alloc(44)]),
  );
  expect(watched.refused).toBe(true);
});

it.each([
  ['answers the question about the first key', [44, 68, 172, 172, 120], 2.5],
  ['was first asked, if about no key', [44, 68], 0],
  ['was never asked', [], undefined],
])('the time at which the host judged the key is that at which it %s', (_, sizes, expected) => {
  let now = 0;
  const watched = new LoginWatch('ec2-user', () => now);
  watched.fromClient(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), packet(20, 100), packet(21, 12)]));
  for (const [index, size] of sizes.entries()) {
    now = index;
    watched.fromClient(Buffer.alloc(size));
    now += 0.5;
    watched.fromHost(Buffer.alloc(52));
  }
  expect(watched.judgedAt).toBe(expected);
});

it('a question without an answer has the time of the question', () => {
  const clock = [1, 2, 3];
  const watched = new LoginWatch('me', () => clock.shift() ?? 0);
  watched.fromClient(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), packet(21, 12)]));
  for (const size of [44, 172]) watched.fromClient(Buffer.alloc(size));
  expect(watched.judgedAt).toBe(2);
});
