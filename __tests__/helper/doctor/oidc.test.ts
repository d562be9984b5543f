import { expect, it } from '@jest/globals';
import { checkOidc } from '../../../helper/doctor/oidc.ts';

const detail = 'OIDC_UNAVAILABLE: the job may not ask GitHub for an OIDC token';

it.each([
  ['in a job of GitHub Actions is a warning', { GITHUB_ACTIONS: 'true' }, { status: 'warn', detail }],
  ['elsewhere is nothing to repair', {}, { status: 'skip', detail: 'not in a job of GitHub Actions' }],
])('a missing token service %s', async (_, env, finding) => {
  const { signal } = new AbortController();
  const found = await checkOidc({ env, signal, audience: 'sts.amazonaws.com', now: Date.now });
  expect(found).toEqual([expect.objectContaining({ check: 'oidc', ...finding })]);
});
