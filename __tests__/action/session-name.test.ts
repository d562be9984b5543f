/** The name of the session follows STS's rules for every name of a repository. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sessionNameOf } from '../../src/action/role-inputs.ts';
import { anyText } from '../support/any-text.ts';

const env = (GITHUB_REPOSITORY: string, GITHUB_RUN_ID = '17', GITHUB_RUN_ATTEMPT = '2') => ({
  GITHUB_REPOSITORY,
  GITHUB_RUN_ID,
  GITHUB_RUN_ATTEMPT,
});

describe('the name of a session', () => {
  it.each([
    [env('acme/lib'), 'acme-lib-17-2'],
    [env('Acme-Inc/lib.js_x'), 'Acme-Inc-lib.js_x-17-2'],
    [env('acme/a b:c'), 'acme-a-b-c-17-2'],
    [env(`acme/${'x'.repeat(100)}`), `acme-${'x'.repeat(54)}-17-2`],
    [env(`acme/${'x'.repeat(100)}`, '9'.repeat(20), '10'), `acme-${'x'.repeat(35)}-${'9'.repeat(20)}-10`],
    [{ GITHUB_REPOSITORY: 'acme/lib' }, 'acme-lib'],
    [{}, 'ssm-ssh-agent'],
  ])('of %j is %s', (given, name) => {
    expect(sessionNameOf(given)).toBe(name);
    expect(name.length).toBeLessThanOrEqual(64);
  });

  it('is valid for STS, and ends with the run id and the attempt', () => {
    const text = anyText({ minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(text, fc.nat(), fc.integer({ min: 1, max: 99 }), (repository, run, attempt) => {
        const name = sessionNameOf(env(repository, String(run), String(attempt)));
        return /^[\w+=,.@-]{2,64}$/.test(name) && name.endsWith(`-${run}-${attempt}`);
      }),
    );
  });
});
