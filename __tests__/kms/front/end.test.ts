/** The end of the agent in front, which is the end of the agent behind: that one may have keys of the user's own. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { string } from '../../../src/keys/wire.ts';
import { grace, interval } from '../../../src/kms/front/front.ts';
import { message, requests } from '../../../src/ssh/agent-protocol.ts';
import { serveInstead } from '../../support/agents.ts';
import { askFrontSocket, identityFor, startTestFront, type TestFront } from '../../support/front.ts';
import { memorySigner } from '../../support/memory-signer.ts';
import { makeSshKey } from '../../support/ssh-keys.ts';

const success = 6;
/** Milliseconds until an agent that ends wrongly has certainly ended. */
const [afterEnd, afterQuestion] = [grace + 1800, grace + interval + 1000];
let front: TestFront;

beforeEach(async () => {
  front = await startTestFront({ endWhenEmpty: true });
});
afterEach(() => front.stop());

const endsWithin = async (milliseconds: number, { ended }: TestFront = front): Promise<boolean> =>
  await Promise.race([ended.then(() => true), sleep(milliseconds, false)]);
const ask = async (request: number): Promise<number | undefined> =>
  (await askFrontSocket(front.socket, message(request, string('passphrase'))))[0]?.[0];

describe('the last key of the agent in front', () => {
  it('takes no key of the user with it while the agent is locked', async () => {
    const own = await makeSshKey();
    await front.output(['ssh-add', '-q', '-'], { input: own.privateKey });
    front.identities.add(identityFor(memorySigner(), { lifetime: 1 }));
    expect(await ask(requests.lock)).toBe(success);
    expect(await endsWithin(1000 + afterEnd)).toBe(false);
    expect(await ask(requests.unlock)).toBe(success);
    expect(await endsWithin(afterQuestion)).toBe(false);
    expect(await front.output(['ssh-add', '-L'])).toContain(own.publicKey);
    await front.output(['ssh-add', '-q', '-D']);
    expect(await endsWithin(30_000)).toBe(true);
  });

  it('does not end an agent behind that is too busy to say what it has', async () => {
    const socket = join(front.folder, 'busy');
    const close = await serveInstead(socket, () => undefined);
    const other = await startTestFront({ endWhenEmpty: true, back: socket });
    other.identities.add(identityFor(memorySigner())).remove();
    expect(await endsWithin(afterQuestion, other)).toBe(false);
    await close();
    expect(await endsWithin(30_000, other)).toBe(true);
    await other.stop();
  });

  it('ends a locked agent in front of one that is gone', async () => {
    const other = await startTestFront({ endWhenEmpty: true, back: join(front.folder, 'gone') });
    other.identities.add(identityFor(memorySigner(), { lifetime: 1 }));
    await askFrontSocket(other.socket, message(requests.lock, string('passphrase')));
    expect(await endsWithin(30_000, other)).toBe(true);
    await other.stop();
  });

  it('ends a locked agent that has none behind it', async () => {
    const other = await startTestFront({ endWhenEmpty: true, back: undefined });
    other.identities.add(identityFor(memorySigner(), { lifetime: 1 }));
    await askFrontSocket(other.socket, message(requests.lock, string('passphrase')));
    expect(await endsWithin(30_000, other)).toBe(true);
    await other.stop();
  });
});
