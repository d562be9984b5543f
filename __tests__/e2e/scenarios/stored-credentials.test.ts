/** git-credential-ssm with a store prefix, held to what git's own test suite asks of helpers with storage (its t0303). */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { startBackend, type Backend } from '../../support/backend.ts';
import { actionPath } from '../stage.ts';
import { itInTurn as it } from '../../support/parts.ts';

const helper = join(actionPath, 'helper/git-credential-ssm');

describe('git-credential-ssm with a store prefix', () => {
  let aws: Backend;
  let home: string;
  let env: Record<string, string>;
  let hosts = 0;
  /** Each test has its own. */
  const newHost = (): string => `git-${(hosts += 1)}.example.com`;

  beforeAll(async () => {
    aws = await startBackend();
    home = mkdtempSync(join(tmpdir(), 'credentials-'));
    writeFileSync(join(home, 'askpass'), '#!/bin/sh\necho asked\n', { mode: 0o700 });
    env = {
      ...aws.credentialEnvironment(),
      ...{ PATH: process.env['PATH'] ?? '', HOME: home, AWS_REGION: aws.region, LANG: 'C.UTF-8' },
      ...{ GIT_CONFIG_NOSYSTEM: '1', GIT_ASKPASS: join(home, 'askpass') },
    };
  });
  afterAll(async () => {
    await aws.stop();
    rmSync(home, { recursive: true, force: true });
  });

  const run = (argv: readonly string[], attributes: object): Promise<string> =>
    new Promise((resolve, reject) => {
      const [program = '', ...args] = argv;
      const child = execFile(program, args, { env, cwd: home }, (error, stdout, stderr) => {
        if (error || stderr !== '') reject(new Error(`${argv.join(' ')}: ${stderr}`, { cause: error }));
        else resolve(stdout);
      });
      child.stdin?.end(`${linesOf(attributes)}\n`);
    });
  const linesOf = (attributes: object): string =>
    Object.entries(attributes)
      .map(([name, value]) => `${name}=${String(value)}\n`)
      .join('');
  const readLines = (text: string): Record<string, string> =>
    Object.fromEntries(
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  const ssm = async (operation: string, more: object): Promise<Record<string, string>> =>
    readLines(
      await run([helper, '--store-prefix', '/git-credentials', operation], { protocol: 'https', ...more }),
    );
  const git = async (command: string, more: object): Promise<Record<string, string>> => {
    const setting = `credential.helper=${helper} --store-prefix /git-credentials`;
    return readLines(
      await run(['git', '-c', setting, 'credential', command], { protocol: 'https', ...more }),
    );
  };

  it('by git: stores what has worked, answers it, and forgets what has not', async () => {
    const host = newHost();
    expect(await git('fill', { host })).toMatchObject({ username: 'asked', password: 'asked' });
    await git('approve', { host, username: 'store-user', password: 'store-pass' });
    expect(await git('fill', { host })).toMatchObject({ username: 'store-user', password: 'store-pass' });
    await git('approve', { host, username: 'store-user', password: 'newer' });
    expect(await git('fill', { host })).toMatchObject({ username: 'store-user', password: 'newer' });
    await git('reject', { host, username: 'store-user', password: 'newer' });
    expect(await git('fill', { host })).toMatchObject({ username: 'asked', password: 'asked' });
  });

  it('answers for the same protocol, host, port and user name only', async () => {
    const host = newHost();
    await ssm('store', { host, username: 'user', password: 'pass' });
    const answers = await Promise.all([
      ssm('get', { host: host.toUpperCase() }),
      ssm('get', { host, protocol: 'http' }),
      ssm('get', { host: `${host}:8443` }),
      ssm('get', { host, username: 'other' }),
    ]);
    expect(answers).toEqual([{ username: 'user', password: 'pass' }, {}, {}, {}]);
  });

  it('answers for the same path only, where git says one', async () => {
    const host = newHost();
    await ssm('store', { host, path: 'foo.git', username: 'user', password: 'of foo' });
    expect(await ssm('get', { host, path: 'bar.git' })).toEqual({});
    expect(await ssm('get', { host, path: 'foo.git/info/lfs' })).toMatchObject({ password: 'of foo' });
    expect(await ssm('get', { host })).toMatchObject({ password: 'of foo' });
    await ssm('store', { host, username: 'user', password: 'of the host' });
    expect(await ssm('get', { host, path: 'foo.git' })).toMatchObject({ password: 'of foo' });
  });

  it('keeps several users apart, and erases one of them, or all', async () => {
    const host = newHost();
    for (const user of ['user1', 'user2'])
      await ssm('store', { host, username: user, password: `of ${user}` });
    expect(await ssm('get', { host, username: 'user1' })).toEqual({
      username: 'user1',
      password: 'of user1',
    });
    await ssm('erase', { host, username: 'user1' });
    await ssm('erase', { host, username: 'user2', password: 'one before' });
    expect(await ssm('get', { host, username: 'user1' })).toEqual({});
    expect(await ssm('get', { host, username: 'user2' })).toEqual({
      username: 'user2',
      password: 'of user2',
    });
    await ssm('erase', { host });
    expect(await ssm('get', { host })).toEqual({});
  });

  it('keeps an empty user name, and characters of every kind', async () => {
    const [empty, odd] = [newHost(), newHost()];
    await ssm('store', { host: empty, username: '', password: '' });
    expect(await ssm('get', { host: empty })).toEqual({ username: '', password: '' });
    const credential = { username: 'é_%41@acme/ü ', password: ' "pässwörd"=\\\t=%0a🙂 ' };
    await ssm('store', { host: odd, ...credential });
    expect(await ssm('get', { host: odd, username: credential.username })).toEqual(credential);
  });

  it('keeps the expiry and the refresh token of a password, and writes over them', async () => {
    const host = newHost();
    const user = { host, username: 'user' };
    await ssm('store', {
      ...user,
      password: 'a',
      password_expiry_utc: 9999999998,
      oauth_refresh_token: 'r1',
    });
    await ssm('store', {
      ...user,
      password: 'b',
      password_expiry_utc: 9999999999,
      oauth_refresh_token: 'r2',
    });
    const newer = { password: 'b', password_expiry_utc: '9999999999', oauth_refresh_token: 'r2' };
    expect(await ssm('get', user)).toEqual({ username: 'user', ...newer });
    await ssm('store', { ...user, password: 'c', password_expiry_utc: 1 });
    expect(await ssm('get', user)).toMatchObject({ password: 'b' });
  });

  it('keeps authentication schemes for a git that knows them, and nothing that is for a moment', async () => {
    const [host, moment] = [newHost(), newHost()];
    const bearer = { authtype: 'Bearer', credential: 'random-token' };
    await ssm('store', { 'capability[]': 'authtype', ...bearer, host });
    expect(await ssm('get', { 'capability[]': 'authtype', host })).toEqual({
      'capability[]': 'authtype',
      ...bearer,
    });
    expect(await ssm('get', { host })).toEqual({});
    await ssm('store', { 'capability[]': 'authtype', ...bearer, host: moment, ephemeral: 1 });
    expect(await ssm('get', { 'capability[]': 'authtype', host: moment })).toEqual({});
  });
});
