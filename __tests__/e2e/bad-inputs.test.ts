/** Of the ways in which people get an input wrong, one of each kind. */
import { describe, expect, it } from '@jest/globals';
import { readActionFile } from '../support/runner/action-file.ts';
import { badInputRows, testBadInputs } from './bad-inputs-table.ts';
import { actionPath } from './stage.ts';

describe('a wrong input', () => {
  testBadInputs('sample');

  it('is any input of action.yml but the audience, which may be any text', () => {
    const covered = new Set(badInputRows.sample.flatMap(({ given }) => Object.keys(given)));
    const left = [...readActionFile(actionPath).inputs.keys()].filter((name) => !covered.has(name));
    expect(left).toEqual(['audience']);
  });
});
