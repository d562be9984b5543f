import { describe, expect, it } from '@jest/globals';
import {
  bringsKey,
  isOurProgram,
  isOurs,
  isRemoteOf,
  programOf,
  remoteOfPattern,
  remoteOfUrl,
} from '../../src/host/foreign-command.ts';
import { foreignCommands, ourCommands } from '../support/ssh-commands.ts';

it('a command is ours if it starts ssm-ssh, whatever other names in it', () => {
  expect(ourCommands.filter((command) => !isOurs(command))).toEqual([]);
  expect(foreignCommands.filter(isOurs)).toEqual([]);
});

it('a program is ours if its name begins so', () => {
  expect(['/opt/ssm-ssh', 'ssm-ssh', '/ssm-ssh/ssh', '/opt/my-ssm-ssh'].map(isOurProgram)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

describe('a command of git', () => {
  it.each([
    ['ssh -v', 'ssh'],
    [" \t'/a b/ssh'", "'/a"],
    ['A=1 _b2=/bin/x exec /usr/bin/env C= ssh -o D=e', 'ssh'],
    ['-o=1 ssh', '-o=1'],
    ['/a=b/ssh x', '/a=b/ssh'],
    ['executed env', 'executed'],
    ['EXEC x', 'EXEC'],
    ['A=1 env', 'env'],
    ['', ''],
  ])('%j starts the program %j', (command, program) => {
    expect(programOf(command)).toBe(program);
  });
  it.each([
    'ssh -i key',
    'ssh -I lib.so',
    'ssh -F config',
    'ssh -4Ai key',
    'ssh -o IdentityFile=key',
    'ssh -o identityagent=x',
    'x -i key',
  ])('brings a key: %s', (command) => {
    expect(bringsKey(command, undefined)).toBe(true);
  });
  it.each(['ssh -v', 'ssh -4Av', 'ssh -o StrictHostKeyChecking=no', 'ssh x-i', 'ssh -p 22'])(
    'brings no key: %s',
    (command) => {
      expect(bringsKey(command, undefined)).toBe(false);
    },
  );
  it.each([
    ['#!/bin/sh\nexec ssh -i key "$@"\n', true],
    ['#!/bin/sh\n# exec ssh -i key\nexec ssh "$@"\n', false],
    ['#!/bin/sh\r\n# exec ssh -i key\r\nexec ssh "$@"\r\n', false],
    ['#!/bin/sh\n#\r ssh -i key\nexec ssh "$@"\n', false],
    ['#!/usr/bin/ssh -i key\nexec ssh "$@"\n', false],
    ['exec ssh -i key "$@"\n', false],
    ['#!/bin/sh\nssh\nfoo -i key\n', false],
  ])('that starts the script %j brings a key: %j', (script, brings) => {
    expect(bringsKey('wrapper', script)).toBe(brings);
  });
});

it.each([
  ['ssh://git@host:22/a/b.git', { host: 'host', port: 22, path: 'a/b.git', user: 'git' }],
  ['git+ssh://host/a', { host: 'host', path: 'a' }],
  ['ssh+git://host', { host: 'host', path: '' }],
  ['ssh://[::1]:2222//a', { host: '::1', port: 2222, path: 'a' }],
  ['ssh://a%62@h%6Fst/%61', { host: 'host', path: 'a', user: 'ab' }],
  ['ssh://@host/a', { host: 'host', path: 'a' }],
  ['ssh://::1/a', { host: '::1', path: 'a' }],
  ['git@host:a/b', { host: 'host', path: 'a/b', user: 'git' }],
  ['host:/a', { host: 'host', path: 'a' }],
  ['[host:2222]:a', { host: 'host', port: 2222, path: 'a' }],
  ['git@[host]:a', { host: 'host', path: 'a', user: 'git' }],
  ['https://host/a', undefined],
  ['HTTPS://host/a', undefined],
  ['x://host:a', undefined],
  ['/a/b:c', undefined],
  ['./a:b', undefined],
  ['a/b', undefined],
])('git reads %s as the destination %j', (url, remote) => {
  expect(remoteOfUrl(url)).toEqual(remote);
});

it('a repository has a remote if host, port and path are the same, whatever their case and .git', () => {
  const target = { host: 'github.com', path: 'acme/lib' };
  expect(isRemoteOf(['https://x/y', 'git@GitHub.com:Acme/Lib.git'], target)).toBe(true);
  expect(isRemoteOf(['ssh://github.com:22/acme/lib/'], target)).toBe(true);
  expect(isRemoteOf(['ssh://github.com:2222/acme/lib'], target)).toBe(false);
  expect(
    isRemoteOf(['git@github.com:acme/lib2', 'git@other.com:acme/lib', 'https://github.com/acme/lib'], target),
  ).toBe(false);
  expect(isRemoteOf(['git@github.com:acme/lib'], { ...target, path: '/acme/lib.git' })).toBe(true);
  expect(isRemoteOf([], target)).toBe(false);
});

it.each([
  ['github.com/acme/lib', { host: 'github.com', path: 'acme/lib' }],
  ['github.com:2222/acme', { host: 'github.com', port: 2222, path: 'acme' }],
  ['*.example.com/acme', undefined],
  ['github.com', undefined],
  ['/acme/lib', undefined],
  ['./lib', undefined],
  ['https://github.com/acme', undefined],
  ['github.com:x/acme', undefined],
])('the name of a section %s is the destination %j', (text, remote) => {
  expect(remoteOfPattern(text)).toEqual(remote);
});
