/** Which tags are sent for which role of a chain. */
import { expect, it } from '@jest/globals';
import { tagsAt } from '../../src/aws/session-tags.ts';
import type { Role } from '../../src/aws/caller.ts';

const roleWith = (through: readonly string[]): Role => ({
  ...{ arn: 'last', through, sessionName: 'x', durationSeconds: 900 },
  ...{ audience: undefined, externalId: undefined, policy: 'none' },
  tags: [
    { key: 'Team', value: 'a', transitive: false },
    { key: 'Repository', value: 'b', transitive: true },
  ],
});

it.each([
  ['one role by credentials', [], false, [['Team', 'Repository']]],
  ['two roles by credentials', ['a'], false, [['Repository'], ['Team']]],
  ['two roles by a token', ['a'], true, [[], ['Team', 'Repository']]],
  ['four roles by a token', ['a', 'b', 'c'], true, [[], ['Repository'], [], ['Team']]],
] as const)(
  '%s: a transitive tag is set once, all others are set at the last role',
  (...[, through, byToken, keys]) => {
    const role = roleWith(through);
    const sent = [...through, 'last'].map((_, index) => tagsAt(role, index, byToken).map(({ key }) => key));
    expect(sent).toEqual(keys);
  },
);

it('no tags are sent for a role without tags', () => {
  expect(tagsAt({ ...roleWith(['a']), tags: undefined }, 1, true)).toEqual([]);
});
