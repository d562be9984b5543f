/** How far a rotation in KMS has come. That the steps leave such aliases, e2e/rotate-kms.test.ts shows. */
import { describe, expect, it } from '@jest/globals';
import { kmsProgress } from '../../helper/rotate/kms-progress.ts';
import type { State } from '../../helper/rotate/progress.ts';
import type { Named, NamedKey } from '../../src/kms/key-rotation.ts';

type Letter = 'a' | 'b' | 'c';

const inRegion = 'arn:aws:kms:eu-west-1:111122223333';
const key = (letter: Letter): NamedKey => ({
  arn: `${inRegion}:key/${letter}`,
  publicKey: { type: 'ssh-ed25519', blob: Buffer.from(letter) },
});
const named = (what: Letter | 'gone' | undefined): Named =>
  what === undefined || what === 'gone' ? what : key(what);

describe('the state of a rotation in KMS', () => {
  const reference = { kind: 'kms', text: 'kms:alias/ci', name: 'alias/ci' } as const;

  it.each<[State, Record<'latest', Letter> & Partial<Record<'previous' | 'next', Letter | 'gone'>>]>([
    ['none', { latest: 'a' }],
    ['begun', { latest: 'a', next: 'a' }],
    ['begun', { latest: 'a', next: 'gone' }],
    ['begun', { latest: 'a', previous: 'a', next: 'a' }],
    ['staged', { latest: 'a', next: 'b' }],
    ['kept', { latest: 'a', previous: 'a', next: 'b' }],
    ['rotated', { latest: 'b', previous: 'a', next: 'b' }],
    ['rotated', { latest: 'b', previous: 'a', next: 'gone' }],
    ['rotated', { latest: 'b', previous: 'a' }],
    ['changed', { latest: 'c', previous: 'a', next: 'b' }],
    ['ending', { latest: 'b', previous: 'gone', next: 'b' }],
  ])('is %s with %j', (state, { latest, previous, next }) => {
    const versions = { latest: key(latest), previous: named(previous), next: named(next) };
    expect(kmsProgress(versions, reference)).toMatchObject({
      state,
      latest: { version: latest, alias: 'alias/ci', key: { publicKey: { comment: 'kms:alias/ci' } } },
      versions: { arn: `${inRegion}:alias/ci` },
    });
  });
});
