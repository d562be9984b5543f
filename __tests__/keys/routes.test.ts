/** Repository patterns in all forms that people write and paste. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/errors.ts';
import { parseRepositoryPattern } from '../../src/keys/routes.ts';
import { failureOf, outcomeOf, told } from '../support/failure-of.ts';
import { anyText } from '../support/any-text.ts';

const acmeLib = { host: 'github.com', path: 'acme/lib' };

describe('a repository', () => {
  it.each([
    'github.com/acme/lib',
    'github.com/acme/lib.git',
    'github.com/acme/lib/',
    'github.com/acme/lib.git/',
    'GitHub.com/ACME/Lib',
    'github.com/acme/lib.GIT',
    'https://github.com/acme/lib',
    'https://github.com/acme/lib.git',
    'https://x-access-token:secret@github.com/acme/lib.git',
    'HTTPS://GitHub.com/acme/lib',
    'http://github.com/acme/lib',
    'git://github.com/acme/lib.git',
    'ssh://git@github.com/acme/lib.git',
    'ssh://github.com/acme/lib',
    'git+ssh://git@github.com/acme/lib.git',
    'git@github.com:acme/lib.git',
    'git@github.com:acme/lib',
    'git@github.com:/acme/lib.git',
    'git@github.com/acme/lib',
    'org-1234@github.com:acme/lib.git',
  ])('%s is github.com/acme/lib', (text) => {
    expect(parseRepositoryPattern(text)).toEqual(acmeLib);
  });

  it.each([
    ['github.com', { host: 'github.com', path: '' }],
    ['github.com/', { host: 'github.com', path: '' }],
    ['github.com/*', { host: 'github.com', path: '' }],
    ['github.com/acme', { host: 'github.com', path: 'acme' }],
    ['github.com/acme/*', { host: 'github.com', path: 'acme' }],
    ['github.com/acme/*/', { host: 'github.com', path: 'acme' }],
    ['git@github.com:acme/*', { host: 'github.com', path: 'acme' }],
    ['gitlab.com/a/b/c/d.git', { host: 'gitlab.com', path: 'a/b/c/d' }],
    ['github.com/acme/lib.github.io', { host: 'github.com', path: 'acme/lib.github.io' }],
    ['github.com/acme/digit', { host: 'github.com', path: 'acme/digit' }],
    ['*.example.com', { host: '*.example.com', path: '' }],
    ['*.example.com/acme', { host: '*.example.com', path: 'acme' }],
    ['ssh://git@*.example.com:2222/acme/*', { host: '*.example.com', port: 2222, path: 'acme' }],
    ['git.example.com:2222/platform/*', { host: 'git.example.com', port: 2222, path: 'platform' }],
    ['git.example.com:2222', { host: 'git.example.com', port: 2222, path: '' }],
    ['git.example.com:2222/', { host: 'git.example.com', port: 2222, path: '' }],
    ['ssh://git@git.example.com:2222/x/y.git', { host: 'git.example.com', port: 2222, path: 'x/y' }],
    ['ssh.github.com:443/acme', { host: 'ssh.github.com', port: 443, path: 'acme' }],
    ['github.com:22/acme/lib', { host: 'github.com', port: 22, path: 'acme/lib' }],
    ['host:1', { host: 'host', port: 1, path: '' }],
    ['host:65535', { host: 'host', port: 65_535, path: '' }],
    ['localhost/x', { host: 'localhost', path: 'x' }],
    ['my_server/x', { host: 'my_server', path: 'x' }],
    ['192.0.2.7:22/x', { host: '192.0.2.7', port: 22, path: 'x' }],
    ['[2001:DB8::1]/x', { host: '2001:db8::1', path: 'x' }],
    ['[2001:db8::1]:2222/x', { host: '2001:db8::1', port: 2222, path: 'x' }],
    ['ssh://git@[::1]:2222/x.git', { host: '::1', port: 2222, path: 'x' }],
    ['git@[::1]:acme/lib.git', { host: '::1', path: 'acme/lib' }],
    ['git@host:~me/lib.git', { host: 'host', path: '~me/lib' }],
    ['ssh.dev.azure.com/v3/acme/project/lib', { host: 'ssh.dev.azure.com', path: 'v3/acme/project/lib' }],
    ['git@ssh.dev.azure.com:v3/acme/project/lib', { host: 'ssh.dev.azure.com', path: 'v3/acme/project/lib' }],
  ])('%s is %j', (text, pattern) => {
    expect(parseRepositoryPattern(text)).toEqual(pattern);
  });

  it.each([
    ['', 'host'],
    ['/', 'host'],
    ['/acme/lib', 'host'],
    ['*', 'host'],
    ['*/acme', 'host'],
    ['**.example.com', 'host'],
    ['*.*.example.com', 'host'],
    ['git*.example.com', 'host'],
    ['example.*', 'host'],
    ['-oProxyCommand=x/y', 'host'],
    ['host-/x', 'host'],
    ['example..com/x', 'host'],
    ['example.com./x', 'host'],
    ['::1/x', 'host'],
    ['[::1/x', 'host'],
    ['[::1]x/lib', 'host'],
    ['git@[::1]x', 'host'],
    ['ssh://[::1]x/lib', 'host'],
    ['[example.com]/x', 'host'],
    ['file:///srv/git/x.git', 'host'],
    ['https://', 'host'],
    ['git@', 'host'],
    ['ex ample.com/x', 'host'],
    ['b\u00FCcher.example/x', 'host'],
    ['github.com:acme/lib', 'port'],
    ['host:', 'port'],
    ['host:/x', 'port'],
    ['ssh://git@host:abc/x', 'port'],
    ['ssh://git@host:22abc/x', 'port'],
    ['host:0/x', 'port'],
    ['host:65536/x', 'port'],
    ['host:99999999999999999999/x', 'port'],
    ['host:-1/x', 'port'],
    ['github.com/*/lib', '*'],
    ['github.com/acme/lib*', '*'],
    ['github.com/acme/**', '*'],
    ['github.com/*/*', '*'],
    ['github.com/acme//lib', 'empty part'],
    ['github.com/acme/.git', 'empty part'],
    ['github.com/.git', 'empty part'],
  ])('%j is refused: %s', (text, problem) => {
    const failure = failureOf(() => parseRepositoryPattern(text));
    expect(failure.code).toBe('INPUT_INVALID');
    expect(failure.message).toMatch(/^the repository "/);
    expect(failure.message).toContain(`"${text}"`);
    expect(failure.message.split('" ').at(-1)).toContain(problem);
  });

  it.each(['https://me:hunter2hunter2@github.com/*/lib', 'https://x:hunter2hunter2@git hub.com/x'])(
    'is refused without repeating the password in it (%#)',
    (text) => {
      expect(told(failureOf(() => parseRepositoryPattern(text)))).not.toContain('hunter2');
    },
  );

  it('is the same in any case and form', () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,10}$/);
    const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'));
    fc.assert(
      fc.property(
        segment.map((label) => label.replace(/[-_]/g, 'x')),
        path,
        (label, repository) => {
          const host = `${label}.example.com`;
          const plain = parseRepositoryPattern(`${host}/${repository}`);
          expect(plain).toEqual({ host: host.toLowerCase(), path: repository.toLowerCase() });
          for (const text of [
            `ssh://git@${host}/${repository}.git`,
            `https://${host}/${repository}/`,
            `${host}/${repository}/*`,
          ]) {
            expect(parseRepositoryPattern(text.toUpperCase())).toEqual(plain);
          }
        },
      ),
    );
  });

  it('of any text is a pattern in lower case, or a Failure', () => {
    const texts = fc.oneof(
      anyText(),
      fc
        .array(fc.constantFrom('ssh://', 'git@', 'host', ':', '22', '/', 'X', '.git', '*', '[', ']', '.'))
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const outcome = outcomeOf(() => parseRepositoryPattern(text));
        if (outcome instanceof Failure) return outcome.code === 'INPUT_INVALID';
        return outcome.path === outcome.path.toLowerCase() && !/^\/|\/$|\*/.test(outcome.path);
      }),
      { numRuns: 2000 },
    );
  });
});
