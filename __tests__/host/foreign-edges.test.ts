/** Commands, scripts and URLs at the edges of what git and ssh read; and the notes of a job's role. */
import { describe, expect, it } from '@jest/globals';
import { bringsKey, isRemoteOf, remoteOfPattern, remoteOfUrl } from '../../src/host/foreign-command.ts';
import { environmentRegion, readJobRole } from '../../src/host/job-role.ts';

it.each([
  ['a -i b', undefined, true],
  ['wrapper', '#!/bin/sh\nfoo -i key\n', false],
  ['wrapper', '#!/bin/sh\nfoo -i key; ssh -v\n', false],
  ['wrapper', '#!/bin/sh\nssh -v # -i key\n', false],
  ['wrapper', '#!/bin/sh\nssh -v #-o IdentityFile=x # y\n', false],
  ['wrapper', '#!/bin/sh\nssh -i key # comment\n', true],
  ['wrapper', '!/bin/sh\nssh -i key\n', false],
  ['wrapper', '\nssh -i key\n', false],
])('%s with the script %j brings a key: %j', (command, script, expected) => {
  expect(bringsKey(command, script)).toBe(expected);
});

it.each([
  ['ssh://host/a\nb', { host: 'host', path: 'a\nb' }],
  ['host:a\nb', { host: 'host', path: 'a\nb' }],
  ['xssh://host/a', undefined],
  ['host:x://y', { host: 'host', path: 'x://y' }],
  ['a@b@c:d', { host: 'b@c', path: 'd', user: 'a' }],
  ['ssh://host:/a', { host: 'host:', path: 'a' }],
  ['ssh://host:x/a', { host: 'host:x', path: 'a' }],
  ['ssh:///a', undefined],
  ['', undefined],
  [':a', undefined],
])('git reads %j as %j', (url, expected) => {
  expect(remoteOfUrl(url)).toEqual(expected);
});

it.each([
  ['git@github.com:acme/lib.github', 'acme/lib.github', true],
  ['git@github.com:acme/lib.github', 'acme/libhub', false],
  ['git@github.com:acme/lib.git/', 'acme/lib', true],
])('the remote %s is that of the path %s: %j', (url, path, expected) => {
  expect(isRemoteOf([url], { host: 'github.com', path })).toBe(expected);
});

it('a section has a port only if one is written', () => {
  expect(remoteOfPattern('github.com/acme')).toStrictEqual({ host: 'github.com', path: 'acme' });
  expect(remoteOfPattern('github.com:22/acme')).toStrictEqual({ host: 'github.com', port: 22, path: 'acme' });
  expect(remoteOfPattern('no host/acme')).toBeUndefined();
});

describe('a job’s role', () => {
  it.each([
    [{ AWS_REGION: ' eu-west-1\n', AWS_DEFAULT_REGION: 'x' }, 'eu-west-1'],
    [{ AWS_REGION: ' ', AWS_DEFAULT_REGION: ' eu-west-2\n' }, 'eu-west-2'],
    [{ AWS_DEFAULT_REGION: 'eu-west-2' }, 'eu-west-2'],
    [{}, ''],
  ])('with %j was noted in the Region %j', (env, region) => {
    expect(environmentRegion(env)).toBe(region);
  });

  it.each(['', '{', '{}', 'null', '{"regions": []}'])('is not read from %j', (text) => {
    expect(readJobRole(text)).toBeUndefined();
  });
});
