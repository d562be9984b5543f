import { describe, expect, it } from '@jest/globals';
import { fail, ok, skip, warn } from '../../../helper/doctor/finding.ts';
import { countOf, renderFindings } from '../../../helper/doctor/render.ts';

const findings = [
  ok('git', 'git version 2.50'),
  fail('region', 'REGION_MISSING: none', 'set AWS_REGION'),
  warn('clock', '90 seconds behind', 'set the clock'),
  skip('user', 'cannot be told', 'connect once'),
  skip('oidc', 'not in a job'),
];

describe('the text of the findings', () => {
  it('has a line for each, and the remedy on the next line', () => {
    expect(renderFindings(findings, { colour: false })).toBe(`ok   git: git version 2.50
fail region: REGION_MISSING: none
     remedy: set AWS_REGION
warn clock: 90 seconds behind
     remedy: set the clock
skip user: cannot be told
     note: connect once
skip oidc: not in a job
`);
  });

  it('colours the status alone', () => {
    const text = renderFindings(findings.slice(1, 2), { colour: true });
    expect(text).toBe('\u001b[31mfail\u001b[0m region: REGION_MISSING: none\n     remedy: set AWS_REGION\n');
  });

  it('ends with a count', () => {
    expect(countOf(findings)).toBe('1 ok, 1 failed, 1 warning, 2 skipped\n');
  });
});
