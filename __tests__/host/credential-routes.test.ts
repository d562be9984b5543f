/** Which section answers a request of git. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chooseRoute, readRoutes } from '../../src/host/credential-routes.ts';
import type { Credential } from '../../src/git/credential.ts';
import { failureOf } from '../support/failure-of.ts';

type Sections = Readonly<Record<string, string | readonly string[]>>;

const settings = (sections: Sections): Map<string, readonly string[]> =>
  new Map(Object.entries(sections).map(([name, values]) => [name, [values].flat()]));

function choose(
  sections: Sections,
  request: Credential,
  env: Record<string, string> = {},
): { reference: string | undefined; warnings: readonly string[] } {
  const { routes, warnings } = readRoutes(settings(sections), env);
  const choice = chooseRoute(routes, { protocol: 'https', ...request });
  return { reference: choice.named?.reference, warnings: [...warnings, ...choice.warnings] };
}

const acme = { 'ssm.github.com/acme.credential': '/ci/acme' };

describe('a section', () => {
  it.each([
    ['github.com', 'acme/lib.git', '/ci/acme'],
    ['GitHub.com:443', 'ACME/lib', '/ci/acme'],
    ['github.com', 'acme', '/ci/acme'],
    ['github.com', 'acme-evil/lib', undefined],
    ['github.com', 'acme/../evil/lib', undefined],
    ['github.com', 'acme/./lib', undefined],
    ['github.com:8443', 'acme/lib', undefined],
    ['github.com.evil.example', 'acme/lib', undefined],
    ['evil.github.com', 'acme/lib', undefined],
    ['github.com@evil.example', 'acme/lib', undefined],
    ['github.com:', 'acme/lib', undefined],
    ['', 'acme/lib', undefined],
  ])('for github.com/acme answers %s %s: %s', (host, path, reference) => {
    expect(choose(acme, { host, path }).reference).toBe(reference);
  });

  it('answers by HTTPS only', () => {
    for (const protocol of ['http', 'HTTPS', 'ssh', ''])
      expect(choose(acme, { protocol, host: 'github.com', path: 'acme/lib' }).reference).toBeUndefined();
    expect(chooseRoute(readRoutes(settings(acme), {}).routes, {})).toEqual({ warnings: [] });
  });

  it.each([
    ['ssm.git.example.com:8443.credential', 'git.example.com:8443', 'a/b'],
    ['ssm.*.example.com.credential', 'git.example.com', 'a/b'],
    ['ssm.https://me@git.example.com/a/b.git.credential', 'git.example.com', 'a/b'],
    ['ssm.git.example.com/a/b.credential', 'git.example.com', 'a/b.git/info/lfs'],
    ['ssm.[::1]:8443/a.credential', '[::1]:8443', 'a/b'],
  ])('%s answers %s %s', (name, host, path) => {
    expect(choose({ [name]: '/ci/t' }, { host, path }).reference).toBe('/ci/t');
  });

  it.each(['evil/', 'evil?', 'evil#', 'user@x', 'evil\\', 'evil%2f', 'evil ', '-evil'])(
    '*.example.com does not answer %s.example.com',
    (label) => {
      const section = { 'ssm.*.example.com.credential': '/ci/t' };
      expect(choose(section, { host: `${label}.example.com`, path: 'a/b' }).reference).toBeUndefined();
    },
  );

  it('that is the most specific one answers', () => {
    const sections = { ...acme, 'ssm.github.com.credential': '/ci/all', 'ssm.*.com.credential': '/ci/com' };
    expect(choose(sections, { host: 'github.com', path: 'acme/lib' }).reference).toBe('/ci/acme');
    expect(choose(sections, { host: 'github.com', path: 'other/lib' }).reference).toBe('/ci/all');
    expect(choose(sections, { host: 'gitlab.com', path: 'acme/lib' }).reference).toBe('/ci/com');
  });

  it('is ignored if git asks for another user name', () => {
    const sections = {
      ...acme,
      'ssm.github.com/acme.username': 'bot',
      'ssm.github.com.credential': '/ci/all',
    };
    const asked = { host: 'github.com', path: 'acme/lib' };
    expect(choose(sections, asked).reference).toBe('/ci/acme');
    expect(choose(sections, { ...asked, username: 'bot' }).reference).toBe('/ci/acme');
    expect(choose(sections, { ...asked, username: 'me' }).reference).toBe('/ci/all');
  });

  it('without a repository or a credential is ignored', () => {
    const { reference, warnings } = choose(
      { 'ssm.*/lib.credential': '/ci/x', 'ssm.github.com.credential': ['/ci/all', ''] },
      { host: 'github.com', path: 'acme/lib' },
    );
    expect([reference, warnings]).toEqual([undefined, [expect.stringContaining('[ssm "*/lib"]')]]);
  });

  it('that occurs twice causes a warning, and the last one is used', () => {
    const sections = { ...acme, 'ssm.GitHub.com/acme.credential': '/ci/b' };
    const { reference, warnings } = choose(sections, { host: 'github.com', path: 'acme/lib' });
    expect([reference, warnings.length]).toEqual(['/ci/b', 1]);
  });

  it('causes a warning if git does not send the path', () => {
    const { reference, warnings } = choose(acme, { host: 'github.com' });
    expect(reference).toBeUndefined();
    expect(warnings).toEqual([
      expect.stringContaining('git config --global credential.https://github.com.useHttpPath true'),
    ]);
    expect(choose(acme, { host: 'gitlab.com' }).warnings).toEqual([]);
  });

  it('does not answer other hosts', () => {
    const text = fc.oneof(
      fc.string(),
      fc.webAuthority(),
      fc.constantFrom('github.com\0', 'github.com/', 'github.com#'),
    );
    fc.assert(
      fc.property(text, fc.string(), (host, path) => {
        fc.pre(!/^github\.com(:0*443)?$/i.test(host));
        expect(choose({ 'ssm.github.com.credential': '/ci/t' }, { host, path }).reference).toBeUndefined();
      }),
    );
  });
});

describe('a credential for every host', () => {
  it('is ignored with a warning', () => {
    const { reference, warnings } = choose({ 'ssm.credential': '/ci/t' }, { host: 'github.com' });
    expect([reference, warnings]).toEqual([
      undefined,
      [expect.stringContaining('ssm.credential is ignored')],
    ]);
    const alone = choose({}, { host: 'github.com' }, { SSM_SSH_CREDENTIAL: '/ci/t' });
    expect([alone.reference, alone.warnings.length]).toEqual([undefined, 1]);
  });
});

describe('SSM_SSH_CREDENTIAL', () => {
  const env = { SSM_SSH_CREDENTIAL: '/ci/env', SSM_SSH_CREDENTIAL_HOST: 'git.example.com:8443' };

  it('is for exactly its host and port', () => {
    for (const [host, reference] of [
      ['git.example.com:8443', '/ci/env'],
      ['git.example.com', undefined],
      ['git.example.com:443', undefined],
      ['x.git.example.com:8443', undefined],
    ])
      expect(choose({}, { host: host ?? '' }, env).reference).toBe(reference);
  });

  it('takes precedence over a section for the host, but not for some of its repositories', () => {
    const sections = {
      'ssm.git.example.com:8443.credential': '/ci/host',
      'ssm.git.example.com:8443/acme.credential': '/ci/acme',
    };
    const host = 'git.example.com:8443';
    expect(choose(sections, { host, path: 'x/y' }, env)).toEqual({ reference: '/ci/env', warnings: [] });
    expect(choose(sections, { host, path: 'acme/y' }, env).reference).toBe('/ci/acme');
  });

  it.each(['*.example.com', 'github.com/acme', 'a b'])('cannot be for %s', (host) => {
    const failure = failureOf(() => readRoutes(new Map(), { ...env, SSM_SSH_CREDENTIAL_HOST: host }));
    expect(failure.code).toBe('INPUT_INVALID');
  });
});
