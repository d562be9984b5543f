import { expect, it } from '@jest/globals';
import { columnsInTurn, everyNth, firstOfEachKind } from '../../support/sample.ts';

it('the first of each kind, and the others, are all rows', () => {
  const { sample, rest } = firstOfEachKind(['a1', 'a2', 'b1', 'a3', 'b2'], (row) => row.charAt(0));
  expect([sample, rest]).toEqual([
    ['a1', 'b1'],
    ['a2', 'a3', 'b2'],
  ]);
});

it('rows with their columns in turn have each row and each column, and the rest has every other pair', () => {
  const rows = [0, 1, 2, 3, 4];
  const columns = ['sh', 'dash'];
  const { sample, rest } = columnsInTurn(rows, columns);
  expect(sample).toEqual([
    [0, 'sh'],
    [1, 'dash'],
    [2, 'sh'],
    [3, 'dash'],
    [4, 'sh'],
  ]);
  const pairs = new Set([...sample, ...rest].map((pair) => pair.join()));
  expect([pairs.size, sample.length + rest.length]).toEqual([10, 10]);
});

it('every nth row begins with the first, and the rest has the others', () => {
  expect(everyNth([0, 1, 2, 3, 4], 3)).toEqual({ sample: [0, 3], rest: [1, 2, 4] });
});

it('every nth row under the columns in turn has each column', () => {
  const { sample, rest } = columnsInTurn([0, 1, 2, 3], ['sh', 'dash'], 3);
  expect(sample).toEqual([
    [0, 'sh'],
    [3, 'dash'],
  ]);
  expect(rest.length).toBe(6);
});
