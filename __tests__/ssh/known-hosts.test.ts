/** The user's known_hosts lines: valid lines stay unchanged, and lines that ssh would silently skip are errors. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../../src/errors.ts';
import { renderKnownHosts } from '../../src/ssh/known-hosts.ts';
import { failureOf, outcomeOf } from '../support/failure-of.ts';
import { linesFor, readableFor, typeAndBlob } from '../support/keygen.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { anyText } from '../support/any-text.ts';

const keys = await Promise.all([makeSshKey(), makeSshKey({ type: 'rsa' }), makeSshKey({ type: 'ecdsa' })]);
const [ed25519 = '', rsa = '', ecdsa = ''] = keys.map(({ publicKey }) => typeAndBlob(publicKey));
const blob = ed25519.split(' ')[1] ?? '';
const hashed = '|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg='; // 192.168.1.61

const pinned = renderKnownHosts('');
/** The user's lines of the file. */
const own = (text: string): string[] => {
  const file = renderKnownHosts(text);
  expect(file.endsWith(`\n${pinned}`) || file === pinned).toBe(true);
  return file
    .slice(0, file.length - pinned.length)
    .split('\n')
    .slice(0, -1);
};

describe('a known_hosts line', () => {
  it.each([
    ['a host', `a.example ${ed25519}`, 'a.example'],
    ['a host with a comment', `a.example ${ed25519} somebody's key`, 'a.example'],
    ['a port', `[a.example]:2222 ${ed25519}`, '[a.example]:2222'],
    ['several hosts', `a.example,b.example,192.0.2.7 ${rsa}`, 'b.example'],
    ['a wildcard', `*.a.example ${ecdsa}`, 'git.a.example'],
    ['a wildcard and an exception', `!x.a.example,*.a.example ${ecdsa}`, 'git.a.example'],
    ['an IPv6 address', `2001:db8::1 ${ed25519}`, '2001:db8::1'],
    ['an IPv6 address and a port', `[2001:db8::1]:22022 ${ed25519}`, '[2001:db8::1]:22022'],
    ['a hashed host', `${hashed} ${ed25519}`, '192.168.1.61'],
    ['a certificate authority', `@cert-authority *.a.example ${ed25519}`, 'git.a.example'],
    ['a revoked key', `@revoked a.example ${ed25519}`, 'a.example'],
    ['a pinned host with another key', `github.com ${ed25519}`, 'github.com'],
  ])('with %s stays unchanged, and ssh-keygen finds it', (_, line, host) => {
    expect(own(line)).toEqual([line]);
    expect(linesFor(host, renderKnownHosts(line))).toContain(line);
    expect(readableFor(host, line)).toHaveLength(1);
  });

  it.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
    ['blank lines and comments', '\n\n# a.example:22 SSH-2.0-OpenSSH_9.2\n  \n'],
    ['indentation', '\n   \t'],
  ])('is separated from the next by %s', (_, separator) => {
    const lines = [`a.example ${ed25519}`, `b.example ${rsa}`];
    expect(own(lines.join(separator))).toEqual(lines);
  });

  it.each(['\t', '  ', ' \t ', '\u00A0'])('may have its fields separated by %j', (space) => {
    const line = ['a.example', ...ed25519.split(' ')].join(space);
    expect(readableFor('a.example', renderKnownHosts(line))).toHaveLength(1);
  });

  it.each([
    ['an unknown marker', `@trusted a.example ${ed25519}`],
    ['a marker alone', '@revoked'],
    ['a marker in capitals', `@REVOKED a.example ${ed25519}`],
    ['a host alone', 'a.example'],
    ['no key', 'a.example ssh-ed25519'],
    ['no host', ed25519],
    ['the fields of a public key file', `${ed25519} me@example.com`],
    ['a fingerprint', 'a.example ssh-ed25519 SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU'],
    ['a marker and no host', `@cert-authority ${ed25519}`],
    ['spaces in its host list', `a.example, b.example ${ed25519}`],
    ['a broken hash', `|1|abc ${ed25519}`],
    ['a hash of an unknown kind', `|2|YWJj|YWJj ${ed25519}`],
    ['the key of another type', `a.example ssh-rsa ${blob}`],
    ['text for its key', 'a.example ssh-ed25519 AAAA…'],
    ['a key in URL-safe base64', `a.example ssh-ed25519 ${blob.slice(0, -1)}_`],
    ['a key of a few bytes', 'a.example ssh-ed25519 AAAA'],
    ['a key cut off', `a.example ssh-ed25519 ${blob.slice(0, -8)}`],
    ['more text after the key', `a.example ${ed25519}AAAA`],
    ['only a type', `a.example ssh-ed25519 ${blob.slice(0, 20)}`],
    ['a key without its padding', `a.example ${ecdsa.replace(/=+$/, '')}`],
    ['a key of the first protocol', 'a.example 1024 35 1234567890'],
    ['the text of a private key', keys[0].privateKey],
    ['one line of a private key', keys[0].privateKey.split('\n')[1] ?? ''],
  ])('with %s is KNOWN_HOSTS_INVALID and named, because ssh would skip it', (_, line) => {
    const failure = failureOf(() => renderKnownHosts(`# comment\r\n\r\na.example ${ed25519}\n${line}`));
    expect(failure.code).toBe('KNOWN_HOSTS_INVALID');
    expect(failure.message).toMatch(/^known-hosts, line 4: the line /);
    expect(failure.hint).not.toBe('');
    expect(readableFor('a.example', `${line}\n`)).toEqual([]);
  });

  it('of any text is accepted or a Failure', () => {
    const word = fc.constantFrom(
      '@revoked',
      'a.example',
      '|1|',
      ...ed25519.split(' '),
      ' ',
      '\n',
      '#',
      ',',
      '\r',
      '\u2028',
    );
    const texts = fc.oneof(
      anyText(),
      fc.array(word).map((words) => words.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const outcome = outcomeOf(() => renderKnownHosts(text));
        return outcome instanceof Failure ? outcome.code === 'KNOWN_HOSTS_INVALID' : outcome.endsWith(pinned);
      }),
      { numRuns: 1000 },
    );
  });
});
