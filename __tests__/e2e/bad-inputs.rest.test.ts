/** Of the ways in which people get an input wrong, all but the first of each kind. */
import { describe, expect, it } from '@jest/globals';
import { badInputRows, testBadInputs } from './bad-inputs-table.ts';

describe('a wrong input', () => {
  testBadInputs('rest');

  it('is shown by enough of them', () => {
    expect(badInputRows.rest.length).toBeGreaterThanOrEqual(200);
  });
});
