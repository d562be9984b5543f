/** The bytes of messages to an agent, and how received bytes become messages. agent-protocol.test.ts asks ssh-add. */
import { describe, expect, it } from '@jest/globals';
import type { PrivateKey } from '../../src/keys/private-key.ts';
import { string, uint32 } from '../../src/keys/wire.ts';
import {
  addIdentity,
  certifiedIdentityOf,
  identityOf,
  listIdentities,
  longestMessage,
  MessageReader,
  readIdentities,
  removeAllIdentities,
  removeIdentity,
} from '../../src/ssh/agent-protocol.ts';

const bytes = (number: number, ...fields: readonly Buffer[]): Buffer =>
  string(Buffer.concat([Buffer.of(number), ...fields]));
const [a, b, c, blob] = ['a', 'b', 'c', 'blob'].map((text) => Buffer.from(text)) as [
  ...[Buffer, Buffer, Buffer, Buffer],
];
const keyOf = (type: string): PrivateKey => ({
  ...({ publicKey: { type, blob, comment: 'me' } } as PrivateKey),
  fields: [a, b, c],
});

describe('a message', () => {
  const identity = { type: 'ssh-ed25519', fields: Buffer.concat([string(a), string(b)]), comment: 'me' };
  const added = [string('ssh-ed25519'), string(a), string(b), string('me')];
  const hop = (name: string, ...keys: readonly Buffer[]): Buffer =>
    string(Buffer.concat([string(''), string(name), string(''), ...keys]));

  it.each([
    ['lists the keys', listIdentities(), bytes(11)],
    ['removes a key', removeIdentity(blob), bytes(18, string(blob))],
    ['removes all keys', removeAllIdentities(), bytes(19)],
    ['adds a key', addIdentity(identity, { lifetime: 0, destinations: [] }), bytes(17, ...added)],
    [
      'adds a key for a time',
      addIdentity(identity, { lifetime: 1, destinations: [] }),
      bytes(25, ...added, Buffer.of(1), uint32(1)),
    ],
    [
      'adds a key for a host, with its keys and its authorities',
      addIdentity(identity, {
        lifetime: 0,
        destinations: [
          {
            host: '[h]:2222',
            keys: [
              { blob: a, isAuthority: false },
              { blob: b, isAuthority: true },
            ],
          },
        ],
      }),
      bytes(
        ...([25, ...added, Buffer.of(255), string('restrict-destination-v00@openssh.com')] as [
          number,
          ...Buffer[],
        ]),
        string(
          string(
            Buffer.concat([
              hop(''),
              hop('[h]:2222', string(a), Buffer.of(0), string(b), Buffer.of(1)),
              string(''),
            ]),
          ),
        ),
      ),
    ],
  ])('%s', (_, sent, expected) => {
    expect(sent).toEqual(expected);
  });

  it('has all fields of the key', () => {
    expect(identityOf(keyOf('ssh-rsa'))).toEqual({
      ...{ type: 'ssh-rsa', comment: 'me' },
      fields: Buffer.concat([string(a), string(b), string(c)]),
    });
  });

  it.each([
    ['ssh-ed25519', [a, b, c]],
    ['ecdsa-sha2-nistp256', [c]],
    ['ssh-rsa', [c]],
  ])('has the certificate of a key of type %s in place of its public fields', (type, rest) => {
    expect(certifiedIdentityOf(keyOf(type), { type: 'cert', blob })).toEqual({
      ...{ type: 'cert', comment: 'me' },
      fields: Buffer.concat([string(blob), ...rest.map((field) => string(field))]),
    });
  });
});

describe('a list of identities', () => {
  it('has keys and comments', () => {
    const answer = Buffer.concat([Buffer.of(12), uint32(1), string(blob), string('me')]);
    expect(readIdentities(answer)).toEqual([{ blob, comment: Buffer.from('me') }]);
  });

  it.each([[Buffer.alloc(0)], [Buffer.concat([Buffer.of(5), uint32(0)])]])('is not %j', (answer) => {
    expect(() => readIdentities(answer)).toThrow(new RangeError('the answer is not a list of identities'));
  });
});

describe('a reader of messages', () => {
  it('knows whether a message has begun', () => {
    const reader = new MessageReader();
    const seen = [[], [0, 0], [0, 3], [7, 8], [9]].map((part) => {
      const messages = reader.push(Buffer.from(part)).map((one) => [...one]);
      return [messages, reader.isInside];
    });
    expect(reader.push(Buffer.from([0, 0, 0, 1, 5, 0]))).toEqual([Buffer.of(5)]);
    expect([...seen, reader.isInside]).toEqual([
      ...[[], [], [], []].map((none, index) => [none, index > 0]),
      ...[[[[7, 8, 9]], false], true],
    ]);
  });

  it('takes a message of the largest size, and names the size of a larger one', () => {
    const largest = Buffer.alloc(longestMessage, 1);
    expect(longestMessage).toBe(262_144);
    expect(new MessageReader().push(string(largest))).toEqual([largest]);
    for (const size of [0, longestMessage + 1])
      expect(() => new MessageReader().push(uint32(size))).toThrow(
        new RangeError(`a message of ${String(size)} bytes`),
      );
  });

  it('reads several messages of one chunk, and the rest of the last one later', () => {
    const reader = new MessageReader();
    const all = Buffer.concat([string(a), string(b), string(blob)]);
    expect(reader.push(all.subarray(0, -1))).toEqual([a, b]);
    expect(reader.push(all.subarray(-1))).toEqual([blob]);
    expect(reader.isInside).toBe(false);
  });
});
