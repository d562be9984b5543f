/** What the fuzzers found: each case failed before. */
import { describe, expect, it } from '@jest/globals';
import { readState } from '../../src/action/state.ts';
import { renderSummary } from '../../src/action/summary.ts';
import { parseCredentials } from '../../src/aws/instance-metadata.ts';
import { audienceText, readToken } from '../../src/aws/token.ts';
import { answerHandshake } from '../../src/ec2/session-manager/contents.ts';
import { Failure } from '../../src/errors.ts';
import { helpersFor } from '../../src/git/credential-settings.ts';
import { settingsIn } from '../../src/git/listing.ts';
import { placeOf } from '../../src/git/store-entry.ts';
import { secureUrl } from '../../src/github/api-url.ts';
import { isGitHubApp } from '../../src/github/app.ts';
import { readRoutes } from '../../src/host/credential-routes.ts';
import { bringsKey } from '../../src/host/foreign-command.ts';
import { decryptKey } from '../../src/keys/encrypted-key.ts';
import { parseCertificate } from '../../src/keys/certificate.ts';
import { linesToMask, parsePrivateKey } from '../../src/keys/private-key.ts';
import { parsePublicKeyLine } from '../../src/keys/public-key-line.ts';
import { matchRoutes, parseRepositoryPattern } from '../../src/keys/routes.ts';
import { looksSecret, withoutSecrets } from '../../src/keys/secret-text.ts';
import { shown } from '../../src/keys/shown-text.ts';
import { string, uint32 } from '../../src/keys/wire.ts';
import { endsWithin } from './target.ts';

const many = (part: string): string => part.repeat(150_000 / part.length);
const key = { publicKey: { type: 'ssh-ed25519', blob: Buffer.alloc(8), comment: '' }, resource: '/ci/key' };
const route = [{ key: 1, repositories: [{ host: 'github.com', path: 'a' }] }];

/** Expressions that went back over the same characters took minutes. Whoever wrote the text could stop a job or a host. */
describe('a text of 150,000 characters is read in linear time:', () => {
  it.each<readonly [string, () => unknown]>([
    ['backslashes in place of a key', () => parsePrivateKey(many('\\'), '/ci/key')],
    ['backslashes that are masked', () => linesToMask(many('\\'))],
    [
      'empty lines in a key',
      () => parsePrivateKey(`-----BEGIN PRIVATE KEY-----${many('\n')}x-----END PRIVATE KEY-----`, 'x'),
    ],
    [
      'BEGIN lines without an END line',
      () => parsePrivateKey(many('-----BEGIN PRIVATE KEY-----'), '/ci/key'),
    ],
    ['escaped line ends in a certificate', () => parseCertificate(`${many('\\n')}x`, '/ci/cert', key)],
    [
      'a certificate of padding',
      () => parseCertificate(`ssh-ed25519-cert-v01@openssh.com ${many('=')}x`, 'x', key),
    ],
    ['BEGIN in place of a public key', () => parsePublicKeyLine(many('-----BEGIN '), 'x.pub')],
    ['words with commas, in a message', () => withoutSecrets(many(',a'))],
    ['names of secrets, in a message', () => withoutSecrets(`{"${many('password')}"`)],
    ['JSON without an end, in a message', () => looksSecret(many('{"password":'))],
    ['beginnings of tokens, in a message', () => withoutSecrets(many('-eyJabcdefghi'))],
    ['a URL with a password without an end', () => shown(`ssh://me:${many('a')}`)],
    ['users of URLs', () => shown(many('x://y:'))],
    ['a query without values', () => shown(many('?a'))],
    ['question marks in the name of a value', () => shown(`${many('?')}=x`)],
    ['names of tokens in a query', () => shown(`?${many('token')}`)],
    ['slashes in a repository', () => parseRepositoryPattern(`github.com/a${many('/')}b`)],
    ['slashes in a URL', () => matchRoutes(route, { host: 'github.com', path: `a${many('/')}b` }, 22)],
    ["slashes in git's request", () => placeOf({ protocol: 'https', host: 'h', path: `a${many('/')}b` })],
    ['slashes in an address of an API', () => secureUrl(`https://h/${many('/')}b`)],
    ['quotes in the JSON of an App', () => isGitHubApp(many('\\"'))],
    ['quotes in the JSON of an App that ends with a backslash', () => isGitHubApp(`${many('\\"')}\\`)],
    ['names of ssh in an ssh command', () => bringsKey(many('ssh'), undefined)],
    [
      'a setting of git that comes back',
      () =>
        settingsIn(
          many('a')
            .split('')
            .map((name) => ({ name, value: 'x' })),
        ),
    ],
    [
      'helpers of git',
      () =>
        helpersFor(
          { host: 'h' },
          many('a')
            .split('')
            .map(() => ({ name: 'credential.helper', value: 'x' })),
        ),
    ],
  ])('%s', (_, read) => {
    const readOrRefuse = (): void => {
      try {
        read();
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
      }
    };
    expect(endsWithin(5000, readOrRefuse)).toBe(true);
  });
});

describe('what is hidden in messages is still', () => {
  const token = ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiJ4In0', 'c2lnbmF0dXJl'].join('.');

  it.each([
    ['a token behind a hyphen', `x-${token} y`, 'x-… y'],
    ['a token behind another word', `key=${token}`, 'key=…'],
    ['JSON up to its last brace', 'a {"x": 1, "my_Password": "b", "c": {}} d', 'a … d'],
    ['JSON inside of other JSON', '{"a":{"token":"b"}} {', '… {'],
    ['a password with a slash and an at sign', 'a ssh://me:p/w@x@h/b c', 'a ssh://me:…@h/b c'],
    ['the second of two passwords', "x://a:b@c x://d:e@f'", "x://a:…@c x://d:…@f'"],
    ['a token behind other values', 'h?a=1&b=?token=x&c=2', 'h?a=1&b=?token=…&c=2'],
  ])('%s', (_, text, expected) => {
    expect(shown(text)).toBe(expected);
  });
});

it('claims of a token that are no text do not break the log', () => {
  const payload = Buffer.from(
    '{"iss":"https://x","sub":{"toString":1,"valueOf":1},"aud":[{"toString":1},"sts"]}',
  );
  const token = readToken(`e30.${payload.toString('base64url')}.c2ln`);
  expect(token?.claims).toEqual({ iss: 'https://x', sub: '', aud: ['sts'] });
  expect(token && audienceText(token.claims)).toBe('sts');
});

it('a session type that has no text does not break the handshake', () => {
  const action = {
    ActionType: 'SessionType',
    ActionParameters: { SessionType: { toString: 1, valueOf: 1 } },
  };
  const answer = answerHandshake(Buffer.from(JSON.stringify({ RequestedClientActions: [action] })));
  expect(answer?.refused).toBe('a session of type object instead of Port');
});

it('credentials that no header can have are a broken answer', () => {
  const right = { AccessKeyId: 'AKIA', SecretAccessKey: 'x', Token: 'y', Expiration: '2030-01-01T00:00:00Z' };
  expect(parseCredentials(JSON.stringify(right))).toMatchObject({ accessKeyId: 'AKIA' });
  for (const name of ['AccessKeyId', 'SecretAccessKey', 'Token'])
    expect(parseCredentials(JSON.stringify({ ...right, [name]: 'a\r\nb: c' }))).toBeUndefined();
});

it('a state puts back only variables that main exports, with texts', () => {
  const replaced = {
    SSH_AUTH_SOCK: '/s',
    SSH_AGENT_PID: null,
    PATH: '/x',
    'a\nPATH': '/x',
    GIT_SSH_COMMAND: ['x'],
  };
  expect(readState(JSON.stringify({ folder: '/f', replaced }))?.replaced).toEqual({
    SSH_AUTH_SOCK: '/s',
    SSH_AGENT_PID: null,
  });
});

it('a message is at most 8,000 characters long', () => {
  const { message, hint } = new Failure('KEY_NOT_FOUND', many('a'), { hint: many('\n') });
  expect([message.length, hint.length]).toEqual([8000, 8000]);
});

it('a damaged key with a passphrase does not show its bytes as the name of a cipher', async () => {
  const fields = [
    string('secret\x01bytes'),
    string('bcrypt'),
    string(''),
    uint32(1),
    string(string('ssh-ed25519')),
    string(''),
  ];
  const body = Buffer.concat([Buffer.from('openssh-key-v1\0'), ...fields]).toString('base64');
  const text = `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`;
  await expect(decryptKey(text, 'x', '/ci/key')).rejects.toMatchObject({
    message: expect.not.stringContaining('secret'),
  });
});

it('the step summary keeps one line for each key, whatever a repository or a version is called', () => {
  const reference = { text: '/ci/key' };
  const repositories = [{ host: 'github.com', path: 'a\n## b\u2028\u202e`c' }];
  const secret = { reference, version: '1</td>\n<script>' };
  const text = renderSummary({ keys: [{ secret, fingerprint: 'SHA256:x', repositories }], tokens: [] }, 0);
  expect(text.trimEnd().split(/[\n\u2028]/)).toHaveLength(5);
  expect(text).toContain("`github.com/a\\n## b\\u2028\\u202e'c`");
  expect(text).toContain('`1</td>\\n<script>`');
});

it('a section with a password that names no repository is warned about without the password', () => {
  const { warnings } = readRoutes(new Map([['ssm.https://me:hunter2@h h.credential', ['/x']]]), {});
  expect(warnings).toEqual([expect.stringContaining('[ssm "h h"]')]);
});
