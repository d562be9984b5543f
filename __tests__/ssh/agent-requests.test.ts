/** The agent's side of its protocol: what it reads in requests, and the bytes that it answers. */
import { describe, expect, it } from '@jest/globals';
import { string, uint32 } from '../../src/keys/wire.ts';
import {
  extensionAnswer,
  extensionFailure,
  failure,
  identitiesAnswer,
  queryAnswer,
  readRequest,
  signatureAnswer,
  success,
  type AgentRequest,
} from '../../src/ssh/agent-requests.ts';

const [blob, data, id, signature] = ['blob', 'data', 'id', 'signature'].map((text) => Buffer.from(text)) as [
  ...[Buffer, Buffer, Buffer, Buffer],
];
const bytes = (number: number, ...fields: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.of(number), ...fields]);
const bound = [string('session-bind@openssh.com'), string(blob), string(id), string(signature)];
const bind = { kind: 'bind', hostKey: blob, sessionId: id, signature } as const;
const broken = { kind: 'broken' } as const;

describe('a request', () => {
  it.each<[string, Buffer, AgentRequest]>([
    ['lists the keys', bytes(11), { kind: 'list' }],
    ['signs', bytes(13, string(blob), string(data), uint32(4)), { kind: 'sign', blob, data, flags: 4 }],
    ['to sign is broken without flags', bytes(13, string(blob), string(data)), broken],
    [
      'to sign is broken with more behind it',
      bytes(13, string(blob), string(data), uint32(0), Buffer.of(0)),
      broken,
    ],
    ['removes a key', bytes(18, string(blob)), { kind: 'remove', blob }],
    ['to remove a key is broken without one', bytes(18), broken],
    ['removes all keys', bytes(19), { kind: 'remove all' }],
    ['removes all keys of protocol 1', bytes(9), { kind: 'remove all' }],
    ['locks', bytes(22, string(data)), { kind: 'lock', passphrase: data }],
    ['unlocks', bytes(23, string(data)), { kind: 'unlock', passphrase: data }],
    ['to lock is broken without a passphrase', bytes(22, uint32(5)), broken],
    ['asks for the extensions', bytes(27, string('query')), { kind: 'query' }],
    [
      'uses an extension that we do not know',
      bytes(27, string('a@b'), data),
      { kind: 'extension', name: 'a@b', content: data },
    ],
    ['binds a session', bytes(27, ...bound, Buffer.of(0)), { ...bind, isForwarding: false }],
    ['binds a session for forwarding', bytes(27, ...bound, Buffer.of(1)), { ...bind, isForwarding: true }],
    [
      'binds a session for forwarding by any number',
      bytes(27, ...bound, Buffer.of(255)),
      { ...bind, isForwarding: true },
    ],
    ['to bind a session is broken without its flag', bytes(27, ...bound), broken],
    ['to bind a session is broken without a signature', bytes(27, ...bound.slice(0, 3)), broken],
    ['without the name of an extension is broken', bytes(27), broken],
    ['adds a key, which is not ours', bytes(17, string(blob)), { kind: 'other' }],
    ['may be empty', Buffer.alloc(0), { kind: 'other' }],
  ])('%s', (_, request, expected) => {
    expect(readRequest(request)).toStrictEqual(expected);
  });
});

describe('an answer', () => {
  const framed = (number: number, ...fields: readonly Buffer[]): Buffer => string(bytes(number, ...fields));
  const own = string('session-bind@openssh.com');
  const query = string('query');

  it.each([
    ['failure', failure(), framed(5)],
    ['success', success(), framed(6)],
    ['failure of an extension', extensionFailure(), framed(28)],
    ['a signature', signatureAnswer(signature), framed(14, string(signature))],
    ['no identities', identitiesAnswer([]), framed(12, uint32(0))],
    [
      'identities',
      identitiesAnswer([
        { blob, comment: data },
        { blob: id, comment: Buffer.alloc(0) },
      ]),
      framed(12, uint32(2), string(blob), string(data), string(id), string('')),
    ],
    ['an extension', extensionAnswer('a@b', data, id), framed(29, string('a@b'), data, id)],
    ['our extensions', queryAnswer(undefined), framed(29, query, own)],
  ])('can be %s', (_, answer, expected) => {
    expect(answer).toEqual(expected);
  });

  it.each<[string, Buffer, readonly string[]]>([
    ['its names', bytes(29, query, string('a@b'), string('é')), ['a@b', 'Ã©']],
    ['no name twice', bytes(29, query, own, string('a@b'), string('a@b')), ['a@b']],
    ['nothing if it has none', bytes(29, query), []],
    ['nothing if it failed', bytes(28, query, string('a@b')), []],
    ['nothing if it answers another question', bytes(29, string('a@b'), string('c@d')), []],
    ['nothing if it is cut off', bytes(29, query, string('a@b'), uint32(9)), []],
    ['nothing if it is cut off at once', bytes(29), []],
    ['nothing if it is empty', Buffer.alloc(0), []],
  ])('to a question for extensions has ours, and of the agent behind %s', (_, behind, names) => {
    expect(queryAnswer(behind)).toEqual(framed(29, query, own, ...names.map((name) => string(name))));
  });
});
