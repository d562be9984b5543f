import { describe, expect, it } from '@jest/globals';
import { fail, failed, needs, ok, printable, Unmet } from '../../../helper/doctor/finding.ts';
import { withoutPasswords } from '../../../src/keys/url-text.ts';
import { Failure } from '../../../src/errors.ts';

describe('a finding', () => {
  it('of an error has its code, its message and its hint as the remedy', () => {
    const error = new Failure('KEY_NOT_FOUND', 'there is no parameter /ci/key', { hint: 'check the name' });
    expect(failed('read /ci/key', error)).toEqual({
      ...{ check: 'read /ci/key', status: 'fail', remedy: 'check the name' },
      detail: 'KEY_NOT_FOUND: there is no parameter /ci/key',
    });
  });

  it('of a defect is INTERNAL, without its stack', () => {
    const { detail } = failed('agent', new TypeError('x is undefined'));
    expect(detail).toBe('INTERNAL: TypeError: x is undefined');
  });

  it('is skipped if the check that it needs did not succeed, and names the first such check', async () => {
    const missing = Promise.reject<string>(new Failure('REGION_MISSING', 'no region', { hint: 'set one' }));
    const identity = needs(missing, 'region');
    const error: unknown = await needs(identity, 'identity').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Unmet);
    expect(failed('read /ci/key', error)).toMatchObject({
      ...{ status: 'skip', detail: 'not checked, because this check did not succeed: region', remedy: '' },
    });
  });

  it('as it is printed never has a secret, the password of a URL, or control characters', () => {
    const token = 'ghp_0123456789abcdefghij';
    const found = fail('url', `https://me:hunter2@github.com and ${token}`, 'a\nb');
    const { detail, remedy } = printable(found);
    expect(detail).toBe('https://me:…@github.com and …');
    expect(remedy).toBe('a\\nb');
    expect(withoutPasswords('ssh://git@github.com/acme/lib')).toBe('ssh://git@github.com/acme/lib');
  });

  it('keeps a fingerprint', () => {
    const fingerprint = 'SHA256:OY4Rukb07pj4YOUhU74Ql8aoULQv4/h0ngO9bHXjuks';
    expect(ok('key', fingerprint).detail).toBe(fingerprint);
  });
});
