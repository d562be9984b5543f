/** The hint for a pushed key that the host refused. */
import { expect, it } from '@jest/globals';
import { loginRefused } from '../../../helper/proxy/reach.ts';

const now = Date.now() / 1000;
const target = { instanceId: 'i-0123456789abcdef0', user: 'deploy' };

it.each([
  ['the minute was over when the host judged the key', now - 90, now - 60, /^the minute/],
  ['a person waited at a password until it was over', now - 30, now - 60, /^check that the user deploy/],
  ['the connection ends in time', now + 30, now, /^check that the user deploy/],
  ['nothing is known of the key', undefined, now, /^check that the user deploy/],
])('says what to do where %s', (...[, until, judged, hint]) => {
  const failure = loginRefused({ ...target, until, judgedAt: judged * 1000 });
  expect(failure.code).toBe('INSTANCE_CONNECT_FAILED');
  expect(failure.hint).toMatch(hint);
});
