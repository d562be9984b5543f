/** git's credential protocol, compared with git-credential(1) and the real git. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/errors.ts';
import {
  answers,
  isExpired,
  parseRequest,
  renderCredential,
  type Credential,
} from '../../src/git/credential.ts';
import { failureOf, outcomeOf, told } from '../support/failure-of.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const nothing = { capability: [], wwwauth: [], state: [] };

describe('a request of git', () => {
  it('has attributes; unknown ones are removed', () => {
    const text =
      'protocol=https\nhost=git.example.com:8443\npath=acme/lib.git\nusername=é\nfuture=1\nx[]=2\n';
    expect(parseRequest(bytes(text))).toEqual({
      ...nothing,
      ...{ protocol: 'https', host: 'git.example.com:8443', path: 'acme/lib.git', username: 'é' },
    });
  });

  it('has lists, which are cleared by an empty value', () => {
    const text =
      'capability[]=old\ncapability[]=\ncapability[]=authtype\ncapability[]=state\nwwwauth[]=Basic realm="a=b"\nstate[]=\n';
    expect(parseRequest(bytes(text))).toEqual({
      ...{ capability: ['authtype', 'state'], wwwauth: ['Basic realm="a=b"'], state: [] },
    });
  });

  it('uses the last value of a name, and distinguishes empty from absent', () => {
    expect(parseRequest(bytes('host=a\nhost=b\nusername=\npassword=a=b=c\n'))).toEqual({
      ...nothing,
      ...{ host: 'b', username: '', password: 'a=b=c' },
    });
  });

  it.each(['', '\n', '\nhost=behind-the-end\n'])('ends at the first blank line: %j', (text) => {
    expect(parseRequest(bytes(text))).toEqual(nothing);
  });

  it.each(['host\n', '=value\n', '=host=a\n', 'host=a\r\n', 'host=a\0b\n', 'host=a\0\n'])(
    'is not %j',
    (text) => {
      expect(parseRequest(bytes(text))).toBeUndefined();
    },
  );

  it('may have values that look like lists, and lists are only those that end with []', () => {
    expect(parseRequest(bytes('state=1\nstate[]x=2\nhost[]=3\nstate[][]=4\npath=\uFEFFa\n'))).toEqual({
      ...nothing,
      path: '\uFEFFa',
    });
  });

  it('that has a byte order mark has no protocol', () => {
    expect(parseRequest(bytes('\uFEFFprotocol=https\nhost=h\n'))).toEqual({ ...nothing, host: 'h' });
  });

  it('is UTF-8, and other bytes are refused', () => {
    expect(parseRequest(Uint8Array.of(...bytes('host='), 0xff, 0x0a))).toBeUndefined();
  });

  it.each(['wwwauth[]=Basic realm="Zugriff f\xfcr alle"', 'state[]=\xff', 'future=\xff', '\xff=1', 'x=\0\r'])(
    'may have bytes of any kind in what is not used: %j',
    (line) => {
      const text = `protocol=https\nhost=h\n${line}\nusername=u\n\n\xff`;
      expect(parseRequest(Buffer.from(text, 'latin1'))).toEqual({
        ...nothing,
        ...{ protocol: 'https', host: 'h', username: 'u' },
      });
    },
  );

  it.each(['username=\xff', 'password=a\r', 'oauth_refresh_token=\0', 'credential=\xc3'])(
    'is refused if an attribute of the credential is not UTF-8, or has a CR or a NUL: %j',
    (line) => {
      const text = `protocol=https\nwwwauth[]=\xfc\n${line}\nhost=h\n`;
      expect(parseRequest(Buffer.from(text, 'latin1'))).toBeUndefined();
    },
  );

  it('is parsed without a crash, for any bytes', () => {
    const line = fc.tuple(fc.constantFrom('host', 'path', 'state[]', '__proto__', ''), fc.string());
    const lines = fc.array(line).map((all) => bytes(all.map((pair) => pair.join('=')).join('\n')));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), lines), (input) => {
        const { capability, wwwauth, state, ...values } = parseRequest(input) ?? nothing;
        for (const value of [...capability, ...wwwauth, ...state, ...Object.values(values)])
          expect(value).not.toMatch(/[\0\r\n]/);
      }),
    );
  });
});

const anyText = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\0', '=', 'é') }));
const anyCredential = fc.record(
  {
    ...{ protocol: anyText, host: anyText, path: anyText, username: anyText, password: anyText },
    ...{ password_expiry_utc: anyText, oauth_refresh_token: anyText },
    ...{ authtype: anyText, credential: anyText, ephemeral: anyText },
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Credential>;

describe('an answer to git', () => {
  it('has one line for each attribute, or is refused: no value can start a new line', () => {
    fc.assert(
      fc.property(anyCredential, (credential) => {
        const breaks = Object.values(credential).some((value) => /[\0\r\n]/.test(value));
        const text = outcomeOf(() => renderCredential(credential, '/ci/token'));
        if (text instanceof Failure) {
          expect([text.code, breaks]).toEqual(['CREDENTIAL_INVALID', true]);
          return;
        }
        const announced = credential.authtype === undefined ? 0 : 1;
        expect([breaks, text.split('\n').length - 1]).toEqual([
          false,
          Object.keys(credential).length + announced,
        ]);
        expect(parseRequest(bytes(text))).toMatchObject(credential);
      }),
    );
  });

  it('announces authtype before it uses it', () => {
    const text = renderCredential({ authtype: 'Bearer', credential: 'abc', ephemeral: '1' }, '/ci/token');
    expect(text).toBe('capability[]=authtype\nauthtype=Bearer\ncredential=abc\nephemeral=1\n');
  });

  it('is refused with the name of the parameter, and without the value', () => {
    const failure = failureOf(() => renderCredential({ password: 'hunter2\nhost=evil' }, '/ci/token'));
    expect(failure.message).toBe('/ci/token: its password contains a line break or a NUL');
    expect(failure.hint).toBe("store it again as one line; printf '%s' writes no line break at the end");
    expect(told(failure)).not.toContain('hunter2');
  });

  it('is read by the real git', () => {
    const credential = { username: 'a=b é', password: ' p"\'\\$x ', password_expiry_utc: '9999999999' };
    const helper = `!f() { printf '%s' "$ANSWER"; }; f`;
    const filled = execFileSync(
      'git',
      ['-c', 'credential.helper=', '-c', `credential.helper=${helper}`].concat(['credential', 'fill']),
      {
        input: 'protocol=https\nhost=git.example.com\n\n',
        env: {
          PATH: process.env['PATH'],
          GIT_CONFIG_NOSYSTEM: '1',
          GIT_CONFIG_GLOBAL: '/dev/null',
          GIT_TERMINAL_PROMPT: '0',
          ANSWER: renderCredential(credential, ''),
        },
        cwd: '/',
      },
    );
    expect(parseRequest(filled)).toMatchObject({
      username: credential.username,
      password: credential.password,
    });
  });
});

describe('a stored credential', () => {
  const stored = { protocol: 'https', host: 'h', path: 'a/b', username: 'u', password: 'p' };

  it.each([
    [{}, true],
    [{ protocol: 'https', host: 'h' }, true],
    [{ protocol: 'https', host: 'h', path: 'a/b', username: 'u' }, true],
    [{ protocol: 'http', host: 'h' }, false],
    [{ protocol: 'https', host: 'h:443' }, false],
    [{ host: 'h', path: 'a' }, false],
    [{ host: 'h', path: '' }, false],
    [{ host: 'h', username: '' }, false],
    [{ host: 'h', username: 'v' }, false],
    [{ host: 'h', password: 'other' }, true],
  ])('answers %j: %s', (wanted, expected) => {
    expect(answers(stored, wanted)).toBe(expected);
  });

  it('is also matched by its password for erase', () => {
    expect(answers(stored, { host: 'h', password: 'other' }, { withPassword: true })).toBe(false);
    expect(answers(stored, { host: 'h', password: 'p' }, { withPassword: true })).toBe(true);
    expect(answers(stored, { host: 'h' }, { withPassword: true })).toBe(true);
  });

  it('without a path or user name does not match a request with one', () => {
    expect(answers({ protocol: 'https', host: 'h' }, { host: 'h', username: 'u' })).toBe(false);
  });

  it.each([
    [undefined, false],
    ['', false],
    ['soon', false],
    ['999', true],
    ['1000', true],
    ['1001', false],
    ['x999', false],
    ['999x', false],
    ['0000000000000999', false],
  ])('with the expiry %j is expired at 1000: %s', (expiry, expected) => {
    expect(isExpired(expiry === undefined ? {} : { password_expiry_utc: expiry }, 1000)).toBe(expected);
  });
});
