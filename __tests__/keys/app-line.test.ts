import { describe, expect, it } from '@jest/globals';
import { scopeUrls, tokenScopes } from '../../src/keys/app-line.ts';
import { parseLines } from '../../src/keys/key-line.ts';

const scopes = (repositories: string): ReturnType<typeof tokenScopes> =>
  parseLines(`/ci/app as=github-app ${repositories}`).apps.flatMap(tokenScopes);

describe('a line with as=github-app', () => {
  it('is not a key, and may be between keys', () => {
    const { keys, apps } = parseLines('/a\n/b github.com/acme/lib as=github-app\n/c as=key github.com/acme');
    expect(keys.map(({ reference }) => reference.text)).toEqual(['/a', '/c']);
    expect(apps.map(({ reference }) => reference.text)).toEqual(['/b']);
  });

  it.each([
    ['github.com/Acme/Lib', [{ host: 'github.com', paths: ['Acme/Lib'] }]],
    [
      'https://GitHub.com/acme/lib.git git@github.com:ACME/tools.GIT',
      [{ host: 'github.com', paths: ['acme/lib', 'ACME/tools'] }],
    ],
    ['github.com/acme/lib github.com/acme/*', [{ host: 'github.com', paths: ['acme'] }]],
    [
      'github.com/acme/lib github.com/zoo',
      [
        { host: 'github.com', paths: ['acme/lib'] },
        { host: 'github.com', paths: ['zoo'] },
      ],
    ],
    [
      'git.example.com:8443/a/b git.example.com/a/b',
      [
        { host: 'git.example.com', port: 8443, paths: ['a/b'] },
        { host: 'git.example.com', paths: ['a/b'] },
      ],
    ],
  ])('for %s needs a token for each owner', (repositories, expected) => {
    expect(scopes(repositories)).toEqual(expected);
  });

  it.each([
    ['github.com/acme/lib', ['https://github.com/acme/lib', 'https://github.com/acme/lib.git']],
    [
      'github.com/Acme/Lib',
      ['Acme/Lib', 'Acme/Lib.git', 'acme/lib', 'acme/lib.git'].map((path) => `https://github.com/${path}`),
    ],
    ['git.example.com:8443/Acme', ['https://git.example.com:8443/Acme', 'https://git.example.com:8443/acme']],
  ])('for %s matches each form of its URL in git', (repositories, urls) => {
    expect(scopes(repositories).flatMap(scopeUrls)).toEqual(urls);
  });
});
