/** Which hosts and patterns the keys of a job claim, and how their routes are written. */
import { describe, expect, it } from '@jest/globals';
import {
  claims,
  lowerCase,
  matchRoutes,
  parseRepositoryPattern,
  parseWrittenPattern,
  patternText,
  readClaims,
  renderRoutes,
  type Remote,
} from '../../src/keys/routes.ts';
import { failureOf } from '../support/failure-of.ts';

const key = (
  fingerprint: string,
  ...repositories: string[]
): { readonly fingerprint: string; readonly repositories: ReturnType<typeof parseRepositoryPattern>[] } => ({
  fingerprint,
  repositories: repositories.map(parseRepositoryPattern),
});

describe('the claims of keys', () => {
  it('are none without keys', () => {
    expect([...claims([])]).toEqual([]);
  });

  it('name each pattern with the fingerprints of its keys, and the default keys under an empty pattern', () => {
    const claimed = claims([
      key('SHA256:a', 'github.com/Acme/lib', '[::1]:2222/x'),
      key('SHA256:b', 'github.com/acme/lib.git'),
      key('SHA256:c'),
      key('SHA256:d'),
      key('SHA256:d', 'github.com/acme/lib'),
    ]);
    expect([...claimed].map(([pattern, keys]) => [pattern, [...keys]])).toEqual([
      ['github.com/acme/lib', ['SHA256:a', 'SHA256:b', 'SHA256:d']],
      ['[::1]:2222/x', ['SHA256:a']],
      ['', ['SHA256:c', 'SHA256:d']],
    ]);
  });

  it('are the same with port 22 as without a port, which means 22', () => {
    const claimed = claims([
      key('SHA256:a', 'github.com/acme'),
      key('SHA256:b', 'ssh://git@github.com:22/acme', 'github.com:443/acme'),
    ]);
    expect([...claimed].map(([pattern, keys]) => [pattern, [...keys]])).toEqual([
      ['github.com/acme', ['SHA256:a', 'SHA256:b']],
      ['github.com:443/acme', ['SHA256:b']],
    ]);
  });
});

describe('the routes file', () => {
  const routes = renderRoutes([
    key('SHA256:a', 'github.com/acme/lib', '*.example.com:2222'),
    key('SHA256:b'),
    ...Array.from({ length: 8 }, () => key('SHA256:c')),
    key('SHA256:d', 'h'),
  ]);

  it('has a line for each pattern, and one for each default key', () => {
    expect(routes.split('\n').slice(0, 3)).toEqual([
      '0 SHA256:a github.com 22 acme/lib',
      '0 SHA256:a *.example.com 2222 ',
      '1 SHA256:b -',
    ]);
  });

  it('shows its hosts and ports', () => {
    expect(readClaims(routes)).toEqual([
      { host: 'github.com', port: 22 },
      { host: '*.example.com', port: 2222 },
      { host: 'h', port: 22 },
    ]);
  });

  it.each(['', '0 SHA256:b -\n', 'x 0 SHA256:a github.com 22 acme\n', '0 SHA256:a github.com port acme\n'])(
    'that has no pattern shows none: %j',
    (text) => {
      expect(readClaims(text)).toEqual([]);
    },
  );
});

describe('a pattern', () => {
  it.each([
    ['github.com/acme/lib', 'github.com/acme/lib'],
    ['[2001:db8::1]:22/x', '[2001:db8::1]:22/x'],
    ['[::1]', '[::1]'],
    ['github.com/acme/lib.git.git', 'github.com/acme/lib.git.git'],
    ['ssh://git@Host.test:2222/', 'host.test:2222'],
  ])('%s is written as %s, which means the same', (text, written) => {
    expect(patternText(parseRepositoryPattern(text))).toBe(written);
    expect(parseRepositoryPattern(written)).toEqual(parseRepositoryPattern(text));
  });

  it('may have labels of 63 characters, in any place', () => {
    const label = 'a'.repeat(63);
    expect(parseRepositoryPattern(`${label}.test/x`).host).toBe(`${label}.test`);
    for (const host of [`${label}a.test`, `test.${label}a`, `${label}a`])
      expect(failureOf(() => parseRepositoryPattern(`${host}/x`)).message).toContain(
        'does not begin with a host',
      );
  });

  it.each([
    ['https://host/%41%42/x', 'AB/x'],
    ['https://host/b%C3%BCcher', 'b\u00FCcher'],
    ['https://host/%0A/x', '%0A/x'],
    ['https://host/%C2%85', '%C2%85'],
    ['https://host/%ff', '%ff'],
    ['host/%41', '%41'],
    ['https://host/a%', 'a%'],
  ])('%s has the path %s', (text, path) => {
    expect(parseWrittenPattern(text).path).toBe(path);
  });

  it.each([
    ['host/a.gitlab', 'a.gitlab'],
    ['host///acme/lib///', 'acme/lib'],
    ['host/acme/lib.git///', 'acme/lib'],
    ['host/.github/x', '.github/x'],
    ['host/x/.gitlab', 'x/.gitlab'],
    ['host/acme/.git.x', 'acme/.git.x'],
  ])('%s has the path %s of its repository', (text, path) => {
    expect(parseRepositoryPattern(text).path).toBe(path);
  });

  it.each([
    ['github.com/acme//lib', 'write host/owner/repository'],
    ['ssh://host:x/y', 'write host:port/path, or host/path'],
    ['host:0/x', 'ports are 1 to 65535'],
    ['github.com/*/lib', 'a * is only allowed as the last part: host/owner/*'],
    ['/lib', 'write host/owner/repository, for example github.com/acme/lib'],
    ['x[::1]/lib', 'write host/owner/repository, for example github.com/acme/lib'],
    ['a[b/lib', 'write host/owner/repository, for example github.com/acme/lib'],
    ['github.com/a/.git/', 'write host/owner/repository'],
  ])('that is wrong is refused with a hint: %s', (text, hint) => {
    expect(failureOf(() => parseRepositoryPattern(text)).hint).toBe(hint);
  });

  it('is shown with the name of its user, and without the password', () => {
    const { message } = failureOf(() => parseRepositoryPattern('https://me:word@github.com/*/lib'));
    expect(message).toContain('"https://me@github.com/*/lib"');
  });

  it('has a scheme at its start only', () => {
    expect(failureOf(() => parseRepositoryPattern('-ssh://host/x')).code).toBe('INPUT_INVALID');
  });
});

describe('letters of the alphabet', () => {
  it('are in lower case afterwards, and no others', () => {
    expect(lowerCase('ABC-\u00DC-x-YZ')).toBe('abc-\u00DC-x-yz');
  });
});

describe('the key for a connection', () => {
  const keysFor = (pattern: string, remote: Remote): string[] => {
    const routes = pattern === '' ? [] : [{ key: pattern, repositories: [parseRepositoryPattern(pattern)] }];
    return matchRoutes([...routes, { key: 'default', repositories: [] }], remote, 22);
  };

  it.each<[string, string, string, readonly string[]]>([
    ['host/acme/lib', 'host', '///acme/lib///', ['host/acme/lib']],
    ['host/acme/lib', 'host', 'acme/lib.git/', ['host/acme/lib']],
    ['host/acme/lib', 'host', 'acme/lib.gitlab', ['default']],
    ['host/acme/lib.gitx', 'host', 'acme/lib.gitx', ['host/acme/lib.gitx']],
    ['host/acme/lib', 'HOST', 'ACME/Lib', ['host/acme/lib']],
    ['*.example.com', 'a.example.com', '', ['*.example.com']],
    ['*.example.com', 'ab-c.example.com', '', ['*.example.com']],
    ['*.example.com', 'example.com', '', ['default']],
    ['*.example.com', 'a.b.example.com', '', ['default']],
    ['*.example.com', '.example.com', '', ['default']],
    ['*.example.com', 'evil/.example.com', '', ['default']],
    ['*.example.com', '-a.example.com', '', ['default']],
    ['*.example.com', 'localhost', '', ['default']],
  ])('with the pattern %s is right for %s and %j', (...[pattern, host, path, keys]) => {
    expect(keysFor(pattern, { host, path })).toEqual(keys);
  });

  it.each<[string, readonly string[]]>([
    ['i-0123abcd', []],
    ['I-0123ABCD', []],
    ['i-0123456789abcdef0', []],
    ['mi-0123456789abcdef0', []],
    ['Name=web', []],
    ['xi-0123abcd', ['default']],
    ['i-0123abcd0', ['default']],
    ['i-0123abcdx', ['default']],
    ['i-a', ['default']],
    ['i-ghijklmn', ['default']],
    ['i-ghijklmnopqrstuvw', ['default']],
    ['mi-0123abcd', ['default']],
    ['mi-0123456789abcdef0x', ['default']],
  ])('is no default key for the id of an EC2 host, and one for other names: %s', (host, keys) => {
    expect(keysFor('', { host, path: '' })).toEqual(keys);
  });

  it('depends on the port', () => {
    expect(keysFor('host:2222', { host: 'host', port: 2222, path: '' })).toEqual(['host:2222']);
    expect(keysFor('host:2222', { host: 'host', path: '' })).toEqual(['default']);
    expect(keysFor('host:22', { host: 'host', path: '' })).toEqual(['host:22']);
  });
});
