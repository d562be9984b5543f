/** The steps of a rotation while somebody else changes the same key, or with a repository that is not the key's. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { abort, finish, rotate } from '../../helper/rotate/steps.ts';
import { writeOpensshKey } from '../../src/keys/openssh-key.ts';
import type { PrivateKey } from '../../src/keys/private-key.ts';
import { anyKey, MemoryHost, MemoryStore, rotationOf, type Moments } from './rotate-store.ts';

let old: PrivateKey;
let store: MemoryStore;
let host: MemoryHost;
beforeEach(async () => {
  old = await anyKey();
  [store, host] = [new MemoryStore(old), new MemoryHost(old)];
});
const one = (moments?: Moments) => rotationOf({ store, host }, moments).rotation;
const told = async (failing: Promise<unknown>): Promise<{ message: string; hint: string }> =>
  await failing.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: unknown) => error as { message: string; hint: string },
  );

describe('two rotations of one key at once', () => {
  it('never serve a key that was not proven, and leave no public key behind', async () => {
    const other = await anyKey();
    const restage = (): void => {
      store.next = writeOpensshKey(other);
    };
    const { message, hint } = await told(rotate(one({ whileProving: restage })));
    expect([message, hint]).toEqual([
      'the new key of /ci/key was replaced by another process while it was proven',
      expect.stringContaining('run ssm-ssh-agent rotate /ci/key --region eu-west-1 to go on'),
    ]);
    expect([store.served.publicKey.blob, host.keys.length]).toEqual([old.publicKey.blob, 1]);
    await rotate(one());
    expect(store.served.publicKey.blob).toEqual(other.publicKey.blob);
    expect([host.has(old), host.has(other)]).toEqual([true, true]);
  });

  it('do not serve it either if it is replaced after the proof', async () => {
    const other = await anyKey();
    const label = store.label.bind(store);
    store.label = async (...labelled) => {
      await label(...labelled);
      store.next = writeOpensshKey(other);
    };
    await told(rotate(one()));
    expect([store.served.publicKey.blob, host.keys.length]).toEqual([old.publicKey.blob, 1]);
  });

  it('both succeed if they go on with the same new key', async () => {
    const outcome = await rotate(one({ whileProving: () => rotate(one()) }));
    expect([outcome.state, store.versions.length]).toEqual(['rotated', 2]);
    expect(outcome.other?.key.publicKey.blob).toEqual(old.publicKey.blob);
    expect([store.labels, store.next]).toEqual([{ previous: 1, current: 2 }, undefined]);
  });

  it('say that the later one was ended by --abort of the other', async () => {
    const { message } = await told(rotate(one({ whileProving: () => abort(one()) })));
    expect(message).toContain('another process has ended the rotation');
    expect([store.next, host.keys.length]).toEqual([undefined, 1]);
  });

  it('do not register the key of one that staged it after the other had ended', async () => {
    const { message } = await told(rotate(one({ whileMaking: () => rotate(one()) })));
    expect(message).toContain('the last rotation of /ci/key is not finished');
    expect([host.keys.length, store.next]).toEqual([2, undefined]);
  });
});

describe('a key that was staged after the rotation had ended', () => {
  let [stray, served] = [{} as PrivateKey, {} as PrivateKey];
  beforeEach(async () => {
    await rotate(one());
    stray = await anyKey();
    served = store.served;
    store.next = writeOpensshKey(stray);
    await host.add({ publicKey: `x ${stray.publicKey.blob.toString('base64')}`, title: 'stray' });
  });

  it('does not stop --finish, which removes it, too', async () => {
    expect((await told(rotate(one()))).message).toContain('is not finished');
    expect((await finish(one())).state).toBe('finished');
    expect([host.keys.length, host.has(served), store.next]).toEqual([1, true, undefined]);
    expect([store.served.publicKey.blob, store.labels]).toEqual([served.publicKey.blob, { current: 2 }]);
  });

  it('does not stop --abort, which removes both', async () => {
    expect((await abort(one())).state).toBe('aborted');
    expect([host.keys.length, host.has(old), store.next]).toEqual([1, true, undefined]);
    expect([store.served.publicKey.blob, store.labels]).toEqual([old.publicKey.blob, { current: 3 }]);
  });

  it('is printed by hand, since somebody may have registered it', async () => {
    const { rotation, said } = rotationOf({ store }, {}, ['--finish']);
    await finish(rotation);
    expect(said.join('\n')).toContain(stray.publicKey.blob.toString('base64'));
  });
});

describe('a key that somebody else stored during a rotation', () => {
  it('stays with --abort, and --finish still finds the old public key', async () => {
    const theirs = await anyKey();
    const { message, hint } = await told(
      rotate(
        one({
          whileProving: async () => {
            await store.label('previous', '1');
            store.put(writeOpensshKey(theirs));
          },
        }),
      ),
    );
    expect([message, hint]).toEqual([
      expect.stringContaining('changed by somebody else'),
      expect.stringContaining('--abort keeps'),
    ]);
    const aborted = await abort(one());
    expect(aborted.previous?.key.publicKey.blob).toEqual(old.publicKey.blob);
    expect([store.labels.previous, host.keys.length]).toEqual([1, 1]);
    expect((await told(abort(one()))).hint).toContain('--finish keeps');
    await host.add({ publicKey: `x ${theirs.publicKey.blob.toString('base64')}`, title: 'theirs' });
    await finish(one());
    expect([store.labels.previous, host.has(old), host.has(theirs)]).toEqual([undefined, false, true]);
  });
});

describe('a repository that does not have the key', () => {
  it('is refused by --finish, and nothing is changed', async () => {
    await rotate(one());
    const { rotation } = rotationOf({ store, host: new MemoryHost(await anyKey()) });
    const { message } = await told(finish({ ...rotation, prove: () => Promise.resolve() }));
    expect(message).toBe('acme/lib on github.com has no deploy key that is the public key of /ci/key');
    expect([store.labels.previous, host.keys.length]).toEqual([1, 2]);
  });

  it.each(['staged', 'rotated'])('is refused by --abort of a key that is %s', async (state) => {
    if (state === 'rotated') await rotate(one());
    else await rotate(rotationOf({ store }).rotation);
    const [versions, { next }] = [store.versions.length, store];
    const { rotation } = rotationOf({ store, host: new MemoryHost(await anyKey()) });
    const { message } = await told(abort({ ...rotation, prove: () => Promise.resolve() }));
    expect(message).toContain('has no deploy key that is the public key of /ci/key');
    expect([store.versions.length, store.next]).toEqual([versions, next]);
  });
});
