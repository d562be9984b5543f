/** The words of a line of `keys`: what they are taken for, and what is told about mistakes. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { parseAppRepositories, scopeUrls, tokenScopes } from '../../src/keys/app-line.ts';
import { kmsReferencesOf, parseKeyLine, parseLines, referencesOf } from '../../src/keys/key-line.ts';
import { failureOf } from '../support/failure-of.ts';

const id = '01234567-89ab-cdef-0123-456789abcdef';
const messageOf = (text: string): string => failureOf(() => parseLines(text)).message;

describe('the references of lines', () => {
  const { keys } = parseLines(
    [
      '/a passphrase=/p',
      'kms:alias/k',
      'new:ed25519 ca=kms:alias/ca principals=x',
      '/b ca=/ca principals=x',
      'new:rsa ca=/other principals=x',
    ].join('\n'),
  );

  it('that are read are those of the stores', () => {
    expect(referencesOf(keys).map(({ text }) => text)).toEqual(['/a', '/p', '/b', '/ca', '/other']);
  });

  it('that sign in KMS are keys and authorities', () => {
    expect(kmsReferencesOf(keys).map(({ text }) => text)).toEqual(['kms:alias/k', 'kms:alias/ca']);
  });
});

describe('two things in one line', () => {
  const joined = 'YAML joins the lines';
  it.each([
    ['/a github.com/x # comment', true],
    ['/a /b', true],
    ['/a ssm:b', true],
    ['/a arn:aws:ssm:x', true],
    ['/a secretsmanager:b', true],
    ['/a kms:alias/b', true],
    [`/a kms:mrk-${'0'.repeat(32)}`, true],
    [`/a kms:${id}`, true],
    ['/a new:ed25519', true],
    ['/a *', false],
    ['/a kms:xyzxyzxy-1', false],
    ['/a kms:0-1', false],
    ['/a kms:aaaaaaaaa', false],
    ['/a new:0', false],
    ['/a xarn:b', false],
    ['/a color=/b', false],
  ])('%s are told as joined by YAML: %j', (line, isJoined) => {
    expect(failureOf(() => parseLines(line)).hint.includes(joined)).toBe(isJoined);
    expect(failureOf(() => parseLines(`/z\n${line}`)).hint).not.toContain(joined);
  });

  it.each(['/b', 'ssm:b', `kms:${id}`, 'kms:alias/b', 'new:rsa'])(
    'are a repository by mistake: %s',
    (word) => {
      expect(messageOf(`/a ${word}`)).toBe(
        `keys, line 1: the repository "${word}" does not begin with a host`,
      );
    },
  );
});

describe('a line that is wrong', () => {
  const notOption = 'keys, line 1: a word with "=" is not an option';
  it.each([
    ['- /a', 'keys, line 1: the line begins with a hyphen, as in a YAML list'],
    ['/a, /b', 'keys, line 1: the key is written as in a list, or in quotes'],
    ['"/a"', 'keys, line 1: the key is written as in a list, or in quotes'],
    ['/a;', 'keys, line 1: the key is written as in a list, or in quotes'],
    ['/a #x', 'keys, line 1: a comment follows the key'],
    ['/a as=app', 'keys, line 1: as= can only be "key" or "github-app"'],
    ['/a =b', notOption],
    ['/a A=b', notOption],
    ['/a x1=b', notOption],
    [`/a ${'x'.repeat(33)}=b`, notOption],
    ['/a -=b', 'keys, line 1: unknown option "-"'],
    ['/a passphrase=/p passphrase=/p', 'keys, line 1: the option "passphrase" is set twice'],
    ['/a passphrase=', 'keys, line 1: passphrase= is not followed by the name of a parameter or secret'],
    ['/a as=github-app', 'keys, line 1: as=github-app names no repository'],
    [
      '/a as=github-app uses=1 github.com/x',
      'keys, line 1: uses= cannot be used with as=github-app: a GitHub App has none',
    ],
  ])('(%s) is told as: %s', (line, message) => {
    expect(messageOf(line)).toBe(message);
  });

  it('of a GitHub App is none of a key', () => {
    expect(failureOf(() => parseKeyLine('/a as=github-app github.com/x')).message).toBe(
      'as=github-app makes a token for HTTPS, but only SSH keys are allowed here',
    );
  });

  it.each(['/a host#', '/a github.com/x#y'])('has no comment in a word: %s', (line) => {
    expect(outcomeMessage(line)).not.toContain('a comment follows');
  });

  it('may have a comma in its second part', () => {
    expect(parseLines('secretsmanager:a:b,c github.com/x').keys[0]?.repositories).toHaveLength(1);
  });
});

function outcomeMessage(line: string): string {
  try {
    parseLines(line);
    return '';
  } catch (error) {
    return String(error);
  }
}

describe('the text of a key instead of its name', () => {
  // Begins with `a1B`: a random text may happen to have no digit.
  const text = Buffer.concat([Buffer.from('a1BB', 'base64'), randomBytes(31)])
    .toString('base64')
    .replaceAll('/', 'x')
    .replaceAll('+', 'y');
  const bare = text.replaceAll('=', '');
  const isText = (line: string): boolean => outcomeMessage(line).includes('this is the text of a key');

  it.each<[string, string]>([
    ['alone', bare],
    ['with one =', `${bare}=`],
    ['with ==', `${bare}==`],
    ['in quotes', `"${bare}"`],
    ['in single quotes', `'${bare}'`],
    ['behind a name', `/a ${bare}`],
    ['before a repository', `${bare} github.com/x`],
    ['in quotes before a repository', `"${bare}" github.com/x`],
    ['in an option', `/a passphrase=${bare}`],
    ['with a plus at its start', `+${bare}`],
    ['of 44 characters', `${'A'.repeat(42)}b1`],
    ['behind a long path', `/k gitserver/platform/teams/backend/services/payments/of ${bare}`],
    ['with its BEGIN line', 'x-----BEGIN RSA'],
    ['in base64', 'xLS0tLS1CRUdJTiY'],
    ['in the format of OpenSSH', 'xb3BlbnNzaC1rZXktdjE'],
  ])('is recognised %s', (_, line) => {
    expect(isText(line)).toBe(true);
  });

  it.each([
    [`${'A'.repeat(41)}b1`],
    ['deploykeyoftheplatformteamforthepaymentsservices'],
    ['DeployKeyOfThePlatformTeamForThePaymentsServices'],
    ['deploykey2oftheplatformteamforthepaymentsservices'],
    ['/k gitserver/platform/teams/backend/services/payments'],
    ['/k gitserver/Platform/teams/backend/services/payments passphrase=/p'],
    ['/k gitserver/platform/teams/backend/services/payments2 x/y/z'],
    [`/${'A'.repeat(50)}`],
    [`${'A'.repeat(50)}-key`],
    [`${'A'.repeat(22)}.${'A'.repeat(22)}`],
    [`secretsmanager:${'A'.repeat(50)}`],
  ])('is not seen in a name: %s', (line) => {
    expect(isText(line)).toBe(false);
  });
});

describe('the repositories of a GitHub App', () => {
  it.each([
    ['github.com/acme', 'acme'],
    ['github.com/a.b-c_d/e.f', 'a.b-c_d/e.f'],
    ['github.com/acme/..x', 'acme/..x'],
    ['github.com/.x/y.', '.x/y.'],
  ])('may be %s', (text, path) => {
    expect(parseAppRepositories([text])).toEqual([{ host: 'github.com', path }]);
  });

  it.each([
    ['*.example.com/acme', 'a token is for one host, but "*.example.com/acme" matches several'],
    ['github.com', '"github.com" is not an owner or a repository on GitHub'],
    ['github.com/a/b/c', '"github.com/a/b/c" is not an owner or a repository on GitHub'],
    ['github.com/a+b', '"github.com/a+b" is not an owner or a repository on GitHub'],
    ['github.com/+a/b', '"github.com/+a/b" is not an owner or a repository on GitHub'],
    ['github.com/a/b+', '"github.com/a/b+" is not an owner or a repository on GitHub'],
    ['github.com/acme/..', '"github.com/acme/.." is not an owner or a repository on GitHub'],
    ['github.com/acme/.', '"github.com/acme/." is not an owner or a repository on GitHub'],
    ['github.com/../acme', '"github.com/../acme" is not an owner or a repository on GitHub'],
    ['github.com/./acme', '"github.com/./acme" is not an owner or a repository on GitHub'],
    ['github.com/..', '"github.com/.." is not an owner or a repository on GitHub'],
  ])('cannot be %s', (text, message) => {
    const failure = failureOf(() => parseAppRepositories([text]));
    expect([failure.message, failure.hint]).toEqual([
      message,
      'write github.com/OWNER/REPOSITORY after it, or github.com/OWNER for all repositories that the App can access there',
    ]);
  });

  it('of one owner need one token, and an owner covers all', () => {
    const repositories = parseAppRepositories([
      'h.test/a/x',
      'h.test/A',
      'h.test/a',
      'h.test/b/x',
      'h.test/B/y',
    ]);
    const scopes = tokenScopes({ repositories });
    expect(scopes).toEqual([
      { host: 'h.test', paths: ['A'] },
      { host: 'h.test', paths: ['b/x', 'B/y'] },
    ]);
    expect(scopes.map((scope) => 'port' in scope)).toEqual([false, false]);
    expect(scopes.flatMap(scopeUrls).slice(0, 3)).toEqual([
      'https://h.test/A',
      'https://h.test/a',
      'https://h.test/b/x',
    ]);
  });
});
