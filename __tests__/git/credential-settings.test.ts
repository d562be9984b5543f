import { describe, expect, it } from '@jest/globals';
import { helpersFor, isOurHelper, sendsPath } from '../../src/git/credential-settings.ts';

const entry = (name: string, value: string): { name: string; value: string } => ({ name, value });

describe('the credential helpers of a host', () => {
  const entries = [
    entry('credential.helper', 'store'),
    entry('credential.https://gitlab.com.helper', 'other'),
    entry('credential.https://github.com.helper', '/opt/git-credential-ssm'),
  ];

  it('are those of every host and of this host, in order', () => {
    expect(helpersFor({ host: 'github.com' }, entries)).toEqual(['store', '/opt/git-credential-ssm']);
  });

  it('begin after the last empty value', () => {
    const cleared = [
      ...entries.slice(0, 2),
      entry('credential.https://github.com.helper', ''),
      ...entries.slice(2),
    ];
    expect(helpersFor({ host: 'github.com' }, cleared)).toEqual(['/opt/git-credential-ssm']);
  });

  it('may be those of a part of the host, or of a user', () => {
    const scoped = ['https://github.com/acme', 'https://me@github.com', 'https://*.com', 'http://github.com'];
    const listed = scoped.map((scope) => entry(`credential.${scope}.helper`, scope));
    const find = (path: string, more = {}): string[] =>
      helpersFor({ host: 'github.com', path, ...more }, listed);
    expect(find('/acme/lib.git')).toEqual(['https://github.com/acme', 'https://*.com']);
    expect(find('/acme-too/lib.git')).toEqual(['https://*.com']);
    expect(find('/x', { username: 'me' })).toEqual(['https://me@github.com', 'https://*.com']);
  });

  it.each([
    ['ssm', true],
    ['ssm --store-prefix /x', true],
    ["!'/a b/git-credential-ssm'", true],
    ['!git-credential-ssm', true],
    ['store', false],
  ])('%s is ours: %j', (helper, ours) => {
    expect(isOurHelper(helper)).toBe(ours);
  });

  it('get the path only if the last setting says so', () => {
    const on = entry('credential.https://github.com.usehttppath', 'true');
    expect(sendsPath({ host: 'github.com' }, [on])).toBe(true);
    expect(sendsPath({ host: 'github.com' }, [on, entry('credential.usehttppath', 'false')])).toBe(false);
    expect(sendsPath({ host: 'github.com' }, [{ name: 'credential.usehttppath', value: undefined }])).toBe(
      false,
    );
    expect(
      sendsPath({ host: 'github.com' }, [entry('credential.https://gitlab.com.usehttppath', 'true')]),
    ).toBe(false);
  });
});
