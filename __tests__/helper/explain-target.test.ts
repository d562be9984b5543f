/** What explain reads from a URL or a host. That it is what git does, e2e/explain.test.ts shows. */
import { describe, expect, it } from '@jest/globals';
import { parseTarget } from '../../helper/explain/target.ts';
import { asJson, asText, type Explanation } from '../../helper/explain/explanation.ts';
import { bringsKey, isRemoteOf } from '../../src/host/foreign-command.ts';
import { failureOf } from '../support/failure-of.ts';

describe('a destination', () => {
  it.each([
    ['git@github.com:acme/lib.git', { user: 'git', host: 'github.com', path: 'acme/lib.git' }, true],
    ['github.com:acme/lib', { host: 'github.com', path: 'acme/lib' }, true],
    [
      'ssh://git@github.com:2222/acme/lib',
      { user: 'git', host: 'github.com', port: 2222, path: 'acme/lib' },
      true,
    ],
    ['git+ssh://github.com/acme%20x/lib', { host: 'github.com', path: 'acme x/lib' }, true],
    ['ssh://git@[2001:db8::1]:22/a', { user: 'git', host: '2001:db8::1', port: 22, path: 'a' }, true],
    ['git@[2001:db8::1]:a/b', { user: 'git', host: '2001:db8::1', path: 'a/b' }, true],
    ['github.com/acme/lib', { host: 'github.com', path: 'acme/lib' }, true],
    ['github.com', { host: 'github.com', path: '' }, false],
    ['git@github.com', { user: 'git', host: 'github.com', path: '' }, false],
    ['me@i-0123456789abcdef0', { user: 'me', host: 'i-0123456789abcdef0', path: '' }, false],
    ['Name=web 1@x', undefined, false],
    ['me@Name=web-1', { user: 'me', host: 'Name=web-1', path: '' }, false],
  ])('%s is read as git or ssh reads it', (text, remote, isGit) => {
    if (remote === undefined) expect(failureOf(() => parseTarget(text)).code).toBe('INPUT_INVALID');
    else expect(parseTarget(text)).toEqual({ kind: 'ssh', remote, isGit });
  });

  it.each(['http://github.com/a', 'git://github.com/a', 'file:///tmp/a'])('%s is none of ssh', (text) => {
    expect(parseTarget(text).kind).toBe('other');
  });

  it.each(['', '/tmp/a', './a', 'a b', '-oProxyCommand=x', '-x:path', 'ssh://host:99999/a'])(
    '%j is refused',
    (text) => {
      expect(failureOf(() => parseTarget(text)).code).toBe('INPUT_INVALID');
    },
  );

  it('that is refused does not show a password', () => {
    expect(failureOf(() => parseTarget('foo://me:geheim@host name/x')).message).not.toContain('geheim');
  });
});

describe('a command that is not ours', () => {
  it.each<[string, string | undefined, boolean]>([
    ['ssh -i /a/key', undefined, true],
    ['ssh -4i /a/key', undefined, true],
    ['ssh -F /a/file', undefined, true],
    ['ssh -o identityfile=/a/key', undefined, true],
    ['ssh -4', undefined, false],
    ['wrapper', '#!/bin/sh\nssh -i /a/key "$@"\n', true],
    ['wrapper', '#!/bin/sh\nssh -4 "$@" # ssh -i x\n', false],
    ['wrapper', 'no script: ssh -i /a/key', false],
  ])('%s brings a key: %s', (command, script, expected) => {
    expect(bringsKey(command, script)).toBe(expected);
  });

  it('counts for the remotes of its repository', () => {
    const target = { host: 'GitHub.com', path: 'Acme/lib.git' };
    expect(isRemoteOf(['https://github.com/acme/lib', 'ssh://git@github.com/acme/lib/'], target)).toBe(true);
    expect(isRemoteOf(['git@github.com:acme/lib-extra', 'ssh://github.com:443/acme/lib'], target)).toBe(
      false,
    );
  });
});

describe('an explanation', () => {
  const explanation: Explanation = {
    ...{ asked: 'x', rewritten: null, kind: 'ssh', offered: true, why: 'because' },
    answer: '/ci/key is offered for x\u001b[2J',
    keys: [
      {
        ...{ reference: '/ci/key', fingerprint: undefined, repository: undefined },
        source: { name: 'ssm.key', scope: 'global', file: '/home/me/.gitconfig', line: 2 },
      },
    ],
    passedOver: Array.from({ length: 30 }, (_, at) => ({
      ...{ what: `/ci/${String(at)}`, source: undefined, why: 'it names something else' },
    })),
    notes: ['ghp_0123456789abcdefghijklmnopqrstuvwxyz'],
  };

  it('has its answer in the first line, and no secret and no control character', () => {
    const lines = asText(explanation).split('\n');
    expect(lines[0]).toBe('/ci/key is offered for x\\x1b[2J');
    expect(lines).toContain('from: ssm.key, global, /home/me/.gitconfig line 2');
    expect(lines).toContain('  and 10 more: --json shows all');
    expect(asText(explanation) + asJson(explanation)).not.toContain('ghp_0123');
  });

  it('has every member in JSON', () => {
    const parsed = JSON.parse(asJson(explanation)) as Record<string, unknown>;
    expect(Object.keys(parsed)).toEqual([
      ...['asked', 'rewritten', 'kind', 'offered', 'answer', 'why', 'keys', 'ec2', 'passedOver', 'notes'],
    ]);
    expect(parsed['keys']).toEqual([
      {
        ...{ reference: '/ci/key', fingerprint: null, repository: null },
        source: { name: 'ssm.key', scope: 'global', file: '/home/me/.gitconfig', line: 2 },
        signing: null,
      },
    ]);
    expect(parsed['passedOver']).toHaveLength(30);
  });
});
