import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { inputGroups, problemsOfGroups } from '../../build/input-groups.ts';

const root = dirname(dirname(import.meta.dirname));
const { inputs } = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as { inputs: object };

describe('the groups of inputs', () => {
  const groups = { One: ['a', 'b'], Two: ['c'] };

  it('have each input of action.yml once, in its order', () => {
    expect(problemsOfGroups(Object.keys(inputs), inputGroups)).toEqual([]);
  });

  it.each([
    [['a', 'b', 'c'], groups, []],
    [['a', 'b', 'new', 'c'], groups, ['new has no group: add it to build/input-groups.ts']],
    [['a', 'c'], groups, ['b is not an input of action.yml: remove it from build/input-groups.ts']],
    [['a', 'b', 'c'], { ...groups, Three: ['a'] }, ['a has two groups in build/input-groups.ts: remove one']],
    [['b', 'a', 'c'], groups, ['b stands elsewhere in action.yml: give both files the same order']],
  ])('of the inputs %j are checked: %j', (names, wanted, problems) => {
    expect(problemsOfGroups(names, wanted)).toEqual(problems);
  });
});
