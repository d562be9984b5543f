/** Keys in a real ssh-agent, checked with the real ssh-add and ssh-keygen; and agents that misbehave. */
import { getEventListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseCertificate } from '../../src/keys/certificate.ts';
import { parsePrivateKey } from '../../src/keys/private-key.ts';
import { ask } from '../../src/ssh/agent-connection.ts';
import { addKeys, heldKeys, removeAllKeys, removeKey, type AddedKey } from '../../src/ssh/agent-keys.ts';
import { addIdentity, answers, identityOf, message } from '../../src/ssh/agent-protocol.ts';
import { hostKeysFor } from '../../src/ssh/host-keys.ts';
import { listenInFrontOf, serveInstead, startRealAgent, type RealAgent } from '../support/agents.ts';
import { certify } from '../support/keygen.ts';
import { makeSshKey, type SshKey } from '../support/ssh-keys.ts';
import { everyKind } from '../support/stored-forms.ts';

let agent: RealAgent;
beforeEach(() => {
  agent = startRealAgent();
});
afterEach(() => {
  agent.stop();
});

const { signal } = new AbortController();
const toAdd = ({ privateKey }: SshKey, more: Partial<AddedKey> = {}): AddedKey => ({
  ...parsePrivateKey(privateKey, '/ci/key'),
  resource: '/ci/key',
  ...more,
});
const add = (keys: readonly AddedKey[], lifetime = 60): Promise<void> =>
  addKeys(agent, keys, { lifetime, signal });
/** The fingerprints in ssh-add's list. */
const listed = (): string[] =>
  agent
    .run(['sh', '-c', 'ssh-add -l || true'])
    .split('\n')
    .flatMap((line) => /SHA256:\S+/.exec(line)?.[0] ?? []);
const blobOf = ({ publicKey }: SshKey): Buffer => Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');

/** Signs with the agent: there is no file with the private key. */
function sign({ publicKey }: SshKey): string {
  writeFileSync(join(agent.folder, 'key.pub'), `${publicKey}\n`);
  const command = 'echo text | ssh-keygen -Y sign -q -n test -f key.pub >sig';
  return agent.run(['sh', '-c', `${command} && echo text | ssh-keygen -Y check-novalidate -n test -s sig`]);
}

describe('a real agent', () => {
  it('is asked without a listener that stays at the signal: a program can ask for days', async () => {
    await add([toAdd(await makeSshKey())]);
    await heldKeys(agent, { signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('has every type of key in the order of loading, and signs with each', async () => {
    const keys = await everyKind();
    await add(keys.map((key) => toAdd(key)));
    // One key occurs twice, with and without the name of its curve.
    const expected = [...new Set(keys.map(({ fingerprint }) => fingerprint))];
    expect(listed()).toEqual(expected);
    for (const key of keys) expect(sign(key)).toContain(`Good "test" signature with`);
    const held = await heldKeys(agent, { signal });
    expect(held.map((blob) => blob.toString('base64'))).toEqual([
      ...new Set(keys.map((key) => blobOf(key).toString('base64'))),
    ]);
  });

  it('gets 25 keys over one connection', async () => {
    const front = await listenInFrontOf(agent);
    const keys = await Promise.all(Array.from({ length: 25 }, () => makeSshKey()));
    await addKeys(
      front,
      keys.map((key) => toAdd(key)),
      { lifetime: 60, signal },
    );
    expect([front.connections(), front.messages.length]).toEqual([1, 25]);
    expect(listed()).toEqual(keys.map(({ fingerprint }) => fingerprint));
    await front.close();
  });

  it('has both the key and its certificate', async () => {
    const [key, authority] = await Promise.all([makeSshKey(), makeSshKey()]);
    const line = certify(key.publicKey, authority.privateKey);
    const plain = toAdd(key);
    const certificate = parseCertificate(line, '/ci/cert', {
      publicKey: plain.publicKey,
      resource: '/ci/key',
    });
    await add([{ ...plain, certificate }]);
    const types = agent.run(['ssh-add', '-L']).split('\n').slice(0, 2);
    expect(types.map((one) => one.split(' ')[0])).toEqual([
      'ssh-ed25519',
      'ssh-ed25519-cert-v01@openssh.com',
    ]);
    expect(types[1]).toContain(line.split(' ')[1]);
  });

  it('removes a key after its lifetime, and uses the new lifetime of a key that is added again', async () => {
    const [short, long, again] = await Promise.all([makeSshKey(), makeSshKey(), makeSshKey()]);
    // Long enough for a busy machine.
    await add([toAdd(short)], 5);
    await add([toAdd(long), toAdd(again)], 0);
    await add([toAdd(again)], 5);
    expect(listed()).toEqual([short, long, again].map(({ fingerprint }) => fingerprint));
    await sleep(6100);
    expect(listed()).toEqual([long.fingerprint]);
  });

  it('lets ssh-add -d and -D remove our keys, and lets us remove keys of ssh-add', async () => {
    const [one, two, three] = await Promise.all([makeSshKey(), makeSshKey(), makeSshKey()]);
    await add([toAdd(one), toAdd(two), toAdd(three)]);
    agent.run(['ssh-add', '-q', '-d', '-'], { input: `${one.publicKey}\n` });
    expect(listed()).toEqual([two.fingerprint, three.fingerprint]);
    await removeKey(agent, blobOf(two), { signal });
    await removeKey(agent, blobOf(two), { signal }); // Already removed.
    expect(listed()).toEqual([three.fingerprint]);
    agent.run(['ssh-add', '-q', '-D']);
    expect(listed()).toEqual([]);
    agent.run(['ssh-add', '-q', '-'], { input: one.privateKey });
    expect(listed()).toEqual([one.fingerprint]);
    await removeAllKeys(agent, { signal });
    expect([listed(), await heldKeys(agent, { signal })]).toEqual([[], []]);
  });

  it('that is locked is AGENT_FAILED, and removes nothing', async () => {
    const key = await makeSshKey();
    await ask(agent.socket, [message(22, Buffer.from([0, 0, 0, 1, 120]))], { signal });
    await expect(add([toAdd(key)])).rejects.toMatchObject({
      code: 'AGENT_FAILED',
      message: `the agent at ${agent.socket} refused the key in /ci/key`,
    });
  });

  it('does not sign with a restricted key if the client does not say for which host', async () => {
    const [free, bound, host] = await Promise.all([makeSshKey(), makeSshKey(), makeSshKey()]);
    const keys = hostKeysFor('git.test', `git.test ${host.publicKey}\n`);
    await add([toAdd(free), toAdd(bound, { destinations: [{ host: 'git.test', keys }] })]);
    expect(sign(free)).toContain('Good "test" signature');
    expect(() => sign(bound)).toThrow(/agent refused operation/);
  });

  it('receives the key in a message that is zeroed afterwards', async () => {
    const sent = addIdentity(identityOf(toAdd(await makeSshKey())), { lifetime: 1, destinations: [] });
    const [answer] = await ask(agent.socket, [sent], { signal });
    expect(answer).toEqual(Buffer.of(answers.success));
    expect(sent.every((byte) => byte === 0)).toBe(true);
  });
});

describe('anything else than an agent', () => {
  const place = (): string => join(agent.folder, 'strange');

  it.each([
    ['that does not exist', () => place()],
    ['that is a file', () => join(agent.folder, 'key.pub')],
    ['with a path that is too long', () => join(agent.folder, 'd'.repeat(200))],
  ])('on a socket %s is AGENT_NOT_FOUND', async (_, path) => {
    writeFileSync(join(agent.folder, 'key.pub'), '');
    const socket = path();
    const key = toAdd(await makeSshKey());
    for (const work of [
      () => heldKeys({ socket }, { signal }),
      () => addKeys({ socket }, [key], { lifetime: 0, signal }),
    ]) {
      await expect(work()).rejects.toMatchObject({
        code: 'AGENT_NOT_FOUND',
        message: expect.stringContaining(`no ssh-agent listens on ${socket}`),
      });
    }
  });

  const cases: readonly [string, (connection: Socket) => void, RegExp][] = [
    ['hangs up', (connection) => connection.destroy(), /closed the connection$/],
    ['answers half and hangs up', (connection) => connection.end(Buffer.of(0, 0)), /closed the connection$/],
    [
      'announces a huge answer',
      (connection) => connection.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 12])),
      /does not speak/,
    ],
    ['sends an empty answer', (connection) => connection.write(Buffer.alloc(4)), /does not speak/],
    ['answers with text', (connection) => connection.write('HTTP/1.1 400 Bad Request\r\n'), /does not speak/],
    [
      'never stops sending',
      (connection) => connection.write(Buffer.alloc(1_000_000, 0xff)),
      /does not speak/,
    ],
    [
      'sends another answer',
      (connection) => connection.write(Buffer.from([0, 0, 0, 1, 99])),
      /does not speak/,
    ],
    [
      'sends too many answers',
      (connection) => connection.write(Buffer.from([0, 0, 0, 1, 6, 0, 0, 0, 1, 6])),
      /does not speak/,
    ],
    ['says nothing', () => undefined, /has not answered for 0\.2 seconds$/],
    ['stops in the middle', (connection) => connection.write(Buffer.of(0, 0, 0, 9, 12)), /has not answered/],
  ];
  it.each(cases)('that %s is AGENT_FAILED, with the problem and a hint', async (_, answer, text) => {
    const stop = await serveInstead(place(), answer);
    // A short limit only where the limit is tested: a busy machine answers late.
    const limits = { signal, ...(/answered/.test(text.source) && { patience: 200 }) };
    const key = toAdd(await makeSshKey());
    for (const work of [
      () => heldKeys({ socket: place() }, limits),
      () => addKeys({ socket: place() }, [key], { ...limits, lifetime: 0 }),
    ]) {
      await expect(work()).rejects.toMatchObject({
        code: 'AGENT_FAILED',
        message: expect.stringMatching(text),
        hint: expect.stringContaining('OpenSSH'),
      });
    }
    await stop();
  });

  it('that hangs up before it has read the message is AGENT_FAILED: somebody listens there', async () => {
    const server = createServer({ pauseOnConnect: true }, (connection) => {
      setTimeout(() => connection.destroy(), 50);
    });
    await new Promise<void>((resolve) => server.listen(place(), resolve));
    try {
      await expect(heldKeys({ socket: place() }, { signal })).rejects.toMatchObject({
        code: 'AGENT_FAILED',
        message: expect.stringMatching(/closed the connection$/),
      });
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('that refuses one of several keys is reported with that key', async () => {
    let asked = 0;
    const stop = await serveInstead(place(), (connection, chunk) => {
      for (let at = 0; at < chunk.length; at += 4 + chunk.readUInt32BE(at)) {
        connection.write(Buffer.from([0, 0, 0, 1, asked++ === 1 ? answers.failure : answers.success]));
      }
    });
    const keys = await Promise.all(
      ['/one', '/two', '/three'].map(async (resource) => toAdd(await makeSshKey(), { resource })),
    );
    const adding = addKeys({ socket: place() }, keys, { lifetime: 0, signal });
    await expect(adding).rejects.toMatchObject({
      code: 'AGENT_FAILED',
      message: expect.stringContaining('/two'),
    });
    await stop();
  });

  it('rejects with the signal’s reason when it is aborted', async () => {
    const stop = await serveInstead(place(), () => undefined);
    const controller = new AbortController();
    const reason = new Error('over');
    const asking = heldKeys({ socket: place() }, { signal: controller.signal });
    setTimeout(() => {
      controller.abort(reason);
    }, 50);
    await expect(asking).rejects.toBe(reason);
    await expect(heldKeys({ socket: place() }, { signal: controller.signal })).rejects.toBe(reason);
    await stop();
  });
});
