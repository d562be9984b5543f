import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { cacheToken } from '../../src/secrets/cache-token.ts';

const { signal } = new AbortController();
const session = { AWS_SESSION_TOKEN: 'of the session' };

describe('the token of a cache', () => {
  it.each<[string, Record<string, string>, object]>([
    ['AWS_TOKEN', { AWS_TOKEN: ' abc \n', ...session }, { text: 'abc', place: 'AWS_TOKEN' }],
    [
      'the session, in a Lambda function',
      { AWS_LAMBDA_FUNCTION_NAME: 'f', ...session },
      { text: 'of the session', place: 'AWS_SESSION_TOKEN' },
    ],
    [
      'AWS_TOKEN before the session',
      { AWS_LAMBDA_FUNCTION_NAME: 'f', AWS_TOKEN: 'abc', ...session },
      { text: 'abc', place: 'AWS_TOKEN' },
    ],
  ])('is from %s', async (_, env, token) => {
    expect(await cacheToken(env, signal)).toEqual(token);
  });

  it('is from the file that AWS_TOKEN names', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-'));
    const place = join(folder, 'token');
    writeFileSync(place, 'abc\n');
    expect(await cacheToken({ AWS_TOKEN: `file://${place}` }, signal)).toEqual({ text: 'abc', place });
    rmSync(folder, { recursive: true });
  });

  it('is looked for where the agent writes it, also where there is a session outside Lambda', async () => {
    await expect(cacheToken(session, signal)).rejects.toMatchObject({
      code: 'CREDENTIALS_MISSING',
      message: 'the token of the cache is not in /var/run/awssmatoken (ENOENT)',
    });
  });
});
