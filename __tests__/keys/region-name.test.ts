import { describe, expect, it } from '@jest/globals';
import { isRegion, parseRegion } from '../../src/keys/region-name.ts';
import { failureOf } from '../support/failure-of.ts';

describe('the name of a Region', () => {
  it.each([
    ...['eu-west-1', 'us-gov-east-1', 'cn-northwest-1', 'us-iso-west-1', 'us-isob-east-1', 'eu-isoe-west-1'],
    ...['eusc-de-east-1', 'mx-central-1', 'ap-southeast-12'],
  ])('is %s', (text) => {
    expect([isRegion(text), parseRegion(text, '--region')]).toEqual([true, text]);
  });

  it.each(['', 'Ireland', 'EU-WEST-1', 'eu_west_1', 'eu-west-1 ', 'eu-west-', 'a-b', 'local', '/ci/key'])(
    'is not %j',
    (text) => {
      expect(isRegion(text)).toBe(false);
      const { code, message, hint } = failureOf(() => parseRegion(text, 'AWS_REGION'));
      expect([code, message]).toEqual(['INPUT_INVALID', `AWS_REGION is not a region: "${text}"`]);
      expect(hint).toBe('write one, for example eu-west-1');
    },
  );

  it.each([
    ['eu-west-1a', 'eu-west-1'],
    ['us-gov-east-1c', 'us-gov-east-1'],
    ['us-west-2-lax-1a', 'us-west-2'],
  ])('is not that of the zone %s, and the hint names %s', (text, region) => {
    expect(isRegion(text)).toBe(false);
    expect(failureOf(() => parseRegion(text, '--region')).hint).toBe(
      `that is an Availability Zone: write its region, ${region}`,
    );
  });
});
