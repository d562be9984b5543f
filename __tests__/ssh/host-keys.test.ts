/** The lines of known_hosts for a host, compared with the real ssh-keygen. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { generateKeyPairSync } from 'node:crypto';
import { string } from '../../src/keys/wire.ts';
import { hostKeysFor } from '../../src/ssh/host-keys.ts';
import { renderKnownHosts } from '../../src/ssh/known-hosts.ts';
import { linesFor } from '../support/keygen.ts';
import { makeSshKey } from '../support/ssh-keys.ts';

const [one, two, three] = (await Promise.all([makeSshKey(), makeSshKey(), makeSshKey()])).map(
  ({ publicKey }) => publicKey,
) as [string, string, string];
const blobOf = (publicKey: string): Buffer => Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');

/** An Ed25519 line with a unique key, which identifies the line. */
function lineOf(hosts: string): string {
  const point = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x ?? '';
  const blob = Buffer.concat([string('ssh-ed25519'), string(Buffer.from(point, 'base64url'))]);
  return `${hosts} ssh-ed25519 ${blob.toString('base64')}`;
}

describe('patterns', () => {
  const names = ['git.example.com', '[git.example.com]:2222', '10.0.0.1', 'a', 'aab.b'];
  const part = fc.constantFrom(...'a|b|.|*|?|**|git|.example.|com|[|]:2222|*?|A|GIT|10.0.'.split('|'));
  const pattern = fc
    .tuple(fc.constantFrom('', '', '', '!'), fc.array(part, { minLength: 1, maxLength: 6 }))
    .map(([not, parts]) => not + parts.join(''));
  const generated = fc.sample(fc.array(pattern, { minLength: 1, maxLength: 3 }), { numRuns: 150, seed: 7 });
  const known = names.flatMap((name) => [name, `*,!${name}`, `x,${name}`, `!${name.toUpperCase()},*`]);
  const text = `${[...generated.map((patterns) => patterns.join(',')), ...known].map(lineOf).join('\n')}\n`;

  it.each(names)('match %s in the same way as ssh-keygen -F', (name) => {
    const found = hostKeysFor(name, text).map(({ blob }) => blob.toString('base64'));
    expect(found).toEqual(linesFor(name, text).map((line) => line.split(' ')[2]));
    expect(found.length).toBeGreaterThan(3);
  });

  it('that would take a regular expression very long are matched quickly', () => {
    const hosts = `${'*a'.repeat(40)}b`;
    const started = performance.now();
    expect(hostKeysFor('a'.repeat(200), lineOf(hosts))).toEqual([]);
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

describe('a host', () => {
  const keysFor = (host: string, lines: readonly string[]): string[] =>
    hostKeysFor(host, renderKnownHosts(lines.join('\n'))).map(({ blob }) => blob.toString('base64'));
  const base64 = (publicKey: string): string => blobOf(publicKey).toString('base64');

  it('is found in any case of its name', () => {
    expect(keysFor('GIT.Example.com', [`git.EXAMPLE.com ${one}`])).toEqual([base64(one)]);
  });

  it('on another port is another host', () => {
    const lines = [`git.test ${one}`, `[git.test]:2222 ${two}`];
    expect([keysFor('git.test', lines), keysFor('[git.test]:2222', lines)]).toEqual([
      [base64(one)],
      [base64(two)],
    ]);
  });

  it('does not have a key that any line revokes for it', () => {
    for (const lines of [
      [`git.test ${one}`, `@revoked *.test ${one}`, `git.test ${two}`],
      [`@revoked *.test ${one}`, `git.test ${two}`, `git.test ${one}`],
      [`git.test ${two}`, `@cert-authority git.test ${one}`, `@revoked * ${one}`],
    ]) {
      expect(keysFor('git.test', lines)).toEqual([base64(two)]);
    }
    expect(keysFor('git.test', [`git.test ${one}`, `@revoked else.test ${one}`])).toEqual([base64(one)]);
  });

  it('may have authorities in addition to its own keys', () => {
    const lines = renderKnownHosts(`@cert-authority *.test ${three}\ngit.test ${one}`);
    expect(hostKeysFor('git.test', lines)).toEqual([
      { blob: blobOf(three), isAuthority: true },
      { blob: blobOf(one), isAuthority: false },
    ]);
  });

  it('has no keys that an agent cannot read, because it would refuse the whole message', () => {
    const { n, e } = generateKeyPairSync('rsa', { modulusLength: 768 }).publicKey.export({ format: 'jwk' });
    const field = (value = ''): Buffer => string(Buffer.from(value, 'base64url'));
    const of = (type: string, ...fields: readonly Buffer[]): string =>
      `git.test ${type} ${Buffer.concat([string(type), ...fields]).toString('base64')}`;
    const unreadable = [
      of('ssh-rsa', field(e), string(Buffer.concat([Buffer.of(0), Buffer.from(n ?? '', 'base64url')]))),
      of('ssh-ed25519', string('short')),
      of('ssh-ed25519', string(Buffer.alloc(32, 1)), string('more')),
      of(
        'ecdsa-sha2-nistp256',
        string('nistp256'),
        string(Buffer.concat([Buffer.of(4), Buffer.alloc(64, 1)])),
      ),
      of('ecdsa-sha2-nistp256', string('nistp384'), string(Buffer.alloc(97, 4))),
      of('ssh-dss', ...Array.from({ length: 4 }, () => string(Buffer.of(5)))),
      of('sk-ssh-ed25519@openssh.com', string(Buffer.alloc(32, 1)), string('ssh:')),
      of('constructor', string('x')),
    ];
    expect(keysFor('git.test', [...unreadable, `git.test ${one}`])).toEqual([base64(one)]);
  });
});
