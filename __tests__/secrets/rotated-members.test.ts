/** Whose rotation the labels of a secret belong to, at each step of a rotation of `key`, and beside other changes. */
import { describe, expect, it } from '@jest/globals';
import {
  isReplaced,
  othersRotated,
  type Labelled,
  type LabelledVersion,
} from '../../src/secrets/rotated-members.ts';

/** `OLD x 1`: the members `key` and `other`, and when it was stored. */
const version = (text: string): LabelledVersion => {
  const [key = '', other = '', time = ''] = text.split(' ');
  return { text: JSON.stringify({ key, other }), created: new Date(Number(time)) };
};
const versions = ({ latest = '', ...more }: Partial<Record<keyof Labelled, string>>): Labelled => ({
  latest: version(latest),
  ...Object.fromEntries(Object.entries(more).map(([label, text]) => [label, version(text)])),
});
const old = 'OLD x 1';

describe('the labels of a secret', () => {
  it.each([
    ['no rotation', { latest: old }, [], []],
    ['the new key staged', { latest: old, next: 'NEW x 2' }, [], ['key']],
    ['the old key labelled', { latest: old, previous: old, next: 'NEW x 2' }, [], ['key']],
    ['the new key served', { latest: 'NEW x 2', previous: old, next: 'NEW x 2' }, [], ['key']],
    ['settled', { latest: 'NEW x 2', previous: old, next: 'NEW x 2', current: 'NEW x 2' }, [], ['key']],
    ['rotated', { latest: 'NEW x 2', previous: old, current: 'NEW x 2' }, [], ['key']],
    [
      'the old key served again',
      { latest: old, previous: old, next: 'NEW x 2', current: 'NEW x 2' },
      [],
      ['key'],
    ],
    [
      'the other changed while it was staged',
      { latest: 'OLD y 3', next: 'NEW x 2', before: old },
      [],
      ['key'],
    ],
    ['the other changed after the label', { latest: 'OLD y 3', previous: old, next: 'NEW x 2' }, [], ['key']],
    [
      'the other changed after the rotation',
      { latest: 'NEW y 3', previous: old, current: 'NEW x 2' },
      [],
      ['key'],
    ],
    ['the old key put back', { latest: 'OLD y 3', previous: old, current: 'NEW x 2' }, [], ['key']],
    ['an earlier rotation of the other', { latest: old, next: 'NEW x 2', current: 'OLD x 0' }, [], ['key']],
    ['a key of somebody else, with --abort', { latest: 'THEIRS x 3', previous: old }, [], ['key']],
    // It cannot be told whose rotation it was: neither touches it.
    [
      'several changes of both',
      { latest: 'OTHER y 4', next: 'NEW x 2', before: 'OLD y 3' },
      ['other'],
      ['key'],
    ],
  ] as const)('with %s', (...[, labelled, forKey, forOther]) => {
    const found = versions(labelled);
    expect([othersRotated(found, 'key'), othersRotated(found, 'other')]).toEqual([forKey, forOther]);
  });

  it('are nobody else’s where the secret is no JSON', () => {
    const text = (one: string, time: number): LabelledVersion => ({
      text: one,
      created: new Date(time),
    });
    expect(othersRotated({ latest: text('a', 1), next: text('b', 2) }, 'key')).toEqual([]);
  });
});

it.each([
  ['nothing was stored since then', { latest: old, next: 'NEW x 2' }, false],
  ['another key was stored', { latest: 'THEIRS x 3', next: 'NEW x 2', before: old }, true],
  ['the same key was stored again', { latest: 'OLD x 3', next: 'NEW x 2', before: old }, false],
  ['several values were stored', { latest: 'OLD x 4', next: 'NEW x 2', before: 'OLD x 3' }, true],
  ['it has the label', { latest: 'THEIRS x 3', previous: old, next: 'NEW x 2' }, false],
] as const)('a key is replaced or not where %s', (_, labelled, expected) => {
  const own = (text: string): unknown => (JSON.parse(text) as { key: string }).key;
  expect(isReplaced(versions(labelled), own)).toBe(expected);
});
