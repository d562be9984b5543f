/** How programs read the log of the agent in front, and how it begins and ends. */
import { chmodSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Failure } from '../../../src/errors.ts';
import { isTaken } from '../../../src/host/front-order.ts';
import { askFront, isFront, lastFailure, readUses } from '../../../src/kms/front/control.ts';
import { startFront } from '../../../src/kms/front/front.ts';
import { string } from '../../../src/keys/wire.ts';
import { listIdentities, message, removeAllIdentities, requests } from '../../../src/ssh/agent-protocol.ts';
import { extensionAnswer } from '../../../src/ssh/agent-requests.ts';
import { serveInstead } from '../../support/agents.ts';
import { askFrontSocket } from '../../support/front.ts';
import { memorySigner } from '../../support/memory-signer.ts';
import { loginData, signMessage } from './requests.ts';
import { add, failureOf, front, signal, signed, signOnce, start, uses } from './stage.ts';

afterEach(() => front.stop());

const logName = 'log@ssm-ssh-agent';

describe('the control socket', () => {
  it('runs the extensions of the program, and passes on their failures', async () => {
    await start({
      extensions: {
        'double@ssm-ssh-agent': (question) => Promise.resolve((question as number) * 2),
        'fail@ssm-ssh-agent': () => Promise.reject(new Failure('KEY_NOT_FOUND', 'no key', { hint: 'look' })),
      },
    });
    const asking = (name: string, question: unknown = {}) =>
      askFront(front.control, { name, question }, { signal });
    expect(await asking('double@ssm-ssh-agent', 21)).toBe(42);
    const failure = await failureOf(asking('fail@ssm-ssh-agent'));
    expect(failure).toMatchObject({ code: 'KEY_NOT_FOUND', message: 'no key', hint: 'look' });
    expect(await failureOf(asking('other@ssm-ssh-agent'))).toMatchObject({ code: 'AGENT_FAILED' });
  });

  it('does nothing else, and the socket of clients has no extensions of ours', async () => {
    const asked: unknown[] = [];
    await start({
      extensions: {
        'add@ssm-ssh-agent': (question) => Promise.resolve(asked.push(question)),
      },
    });
    add(memorySigner());
    const [listed, removed] = await askFrontSocket(front.control, listIdentities(), removeAllIdentities());
    expect([listed?.[0], removed?.[0], front.identities.list().length]).toEqual([28, 28, 1]);
    for (const name of ['add@ssm-ssh-agent', 'log@ssm-ssh-agent']) {
      await expect(askFront(front.socket, { name }, { signal })).rejects.toMatchObject({
        code: 'AGENT_FAILED',
      });
    }
    expect(asked).toEqual([]);
  });

  it('is not asked in a folder that is not only ours: questions have credentials, and answers are printed', async () => {
    await start();
    chmodSync(front.folder, 0o755);
    expect(await failureOf(readUses(front.control, { signal }))).toMatchObject({ code: 'STATE_UNSAFE' });
    const adding = askFront(front.control, { name: 'add@ssm-ssh-agent' }, { signal });
    expect(await failureOf(adding)).toMatchObject({ code: 'STATE_UNSAFE' });
    chmodSync(front.folder, 0o700);
    expect(await uses()).toEqual([]);
  });

  it('is known by a question without a secret: another program is sent nothing else, and may be silent', async () => {
    await start();
    expect(await isFront(front.control, signal)).toBe(true);
    await askFrontSocket(front.socket, message(requests.lock, string('passphrase')));
    expect(await isFront(front.control, signal)).toBe(true);
    const foreign = join(front.folder, 'foreign');
    for (const answer of [Buffer.alloc(0), Buffer.from('gnome'), message(28), Buffer.alloc(16)]) {
      const close = await serveInstead(foreign, (client) => client.write(answer));
      const started = performance.now();
      expect(await isFront(foreign, signal)).toBe(false);
      expect(performance.now() - started).toBeLessThan(10_000);
      await close();
    }
    expect(await isFront(foreign, signal)).toBe(false);
  });

  it.each([
    ...['{}', '{"uses":[]}', '[]', '"result"', '7', 'null', 'true', 'result', ''].map((json) => [
      logName,
      json,
    ]),
    ['other@ssm-ssh-agent', '{"result":{}}'],
  ] as [string, string][])('is not known by another answer of an agent: %s %j', async (name, json) => {
    await start();
    const foreign = join(front.folder, 'foreign');
    const close = await serveInstead(foreign, (client) => client.write(extensionAnswer(name, string(json))));
    expect(await isFront(foreign, signal)).toBe(false);
    await close();
  });

  it('reads a log that is longer than a message', async () => {
    await start();
    const entry = {
      time: '',
      outcome: 'signed',
      purpose: 'git',
      key: 'k'.repeat(300),
      comment: 'c'.repeat(300),
    } as const;
    for (let count = 0; count < 2000; count++) front.log.add(entry);
    for (let count = 0; count < 500; count++) front.log.add({ ...entry, outcome: 'refused' });
    const { uses: read, totals } = await readUses(front.control, { signal });
    expect(totals).toEqual({ signed: 2000, refused: 500, failed: 0 });
    expect(read.filter(({ outcome }) => outcome === 'signed').length).toBe(1000);
    expect(read.map(({ number }) => number)).toEqual(read.map(({ number }) => number).sort((a, b) => a - b));
  });

  it('shows control characters in the names of users', async () => {
    await start();
    const signer = memorySigner();
    add(signer, { unbound: 'allow' });
    const { blob } = signer.publicKey;
    const user = `a\n::error::${'b'.repeat(5000)}`;
    await askFrontSocket(front.socket, signMessage(blob, loginData({ blob, user })));
    expect((await uses())[0]?.user).toMatch(/^a\\n::error::b{1,300}…$/);
  });

  it('has the last failure of a key', async () => {
    await start();
    const [good, bad] = [memorySigner(), memorySigner()];
    add(good);
    add(bad);
    await askFrontSocket(front.socket, signMessage(bad.publicKey.blob, Buffer.from('text')));
    await signOnce(good);
    const read = await uses();
    const since = read[0]?.time ?? '';
    expect(lastFailure(read, { since })).toBeUndefined();
    expect(lastFailure(read, { since, key: read[0]?.key })).toMatchObject({ code: 'SIGNATURE_REFUSED' });
    expect(lastFailure(read, { since: '9999', key: read[0]?.key })).toBeUndefined();
  });
});

describe('the agent', () => {
  it('ends with its last identity if it should', async () => {
    await start({ endWhenEmpty: true });
    const signer = memorySigner();
    add(signer, { uses: 1 });
    expect(await signOnce(signer)).toBe(signed);
    await front.ended;
    expect([existsSync(front.socket), existsSync(front.control)]).toEqual([false, false]);
  });

  it('ends by the timer of a lifetime', async () => {
    await start({ endWhenEmpty: true });
    add(memorySigner(), { lifetime: 1 });
    await front.ended;
    expect(existsSync(front.socket)).toBe(false);
  });

  it('continues if an identity is added again at once', async () => {
    await start({ endWhenEmpty: true });
    add(memorySigner()).remove();
    const signer = memorySigner();
    add(signer);
    await sleep(500);
    expect(await signOnce(signer)).toBe(signed);
  });

  it('replaces the socket of an agent that was killed, and not that of a living one', async () => {
    await start();
    const { socket, control } = front;
    const failure = await failureOf(startFront({ socket, control }));
    expect([failure.code, isTaken(failure)]).toEqual(['AGENT_FAILED', true]);
    expect((await askFrontSocket(socket, listIdentities()))[0]?.[0]).toBe(12);
    await front.end();
    writeFileSync(socket, '');
    const next = await startFront({ socket, control });
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    await next.end();
  });

  it('needs a folder that belongs to this user alone', async () => {
    await start();
    const refusal = async (name: string): Promise<unknown> => {
      const folder = join(front.folder, name);
      const failure = await failureOf(
        startFront({ socket: join(folder, 'agent'), control: join(folder, 'control') }),
      );
      return [failure.code, failure.message.replace(folder, 'FOLDER')];
    };
    const says = (problem: string) => ['STATE_UNSAFE', `the folder FOLDER of the agent's socket ${problem}`];
    expect(await refusal('none')).toEqual(says('is missing, or is not a folder'));
    mkdirSync(join(front.folder, 'open'), { mode: 0o700 });
    chmodSync(join(front.folder, 'open'), 0o710);
    expect(await refusal('open')).toEqual(says('is open to other users'));
    symlinkSync(front.folder, join(front.folder, 'link'));
    expect(await refusal('link')).toEqual(says('is missing, or is not a folder'));
    mkdirSync(join(front.folder, 'shared/own'), { recursive: true, mode: 0o700 });
    chmodSync(join(front.folder, 'shared'), 0o777);
    expect(await refusal('shared/own')).toEqual(says('can be replaced by other users'));
  });
});
