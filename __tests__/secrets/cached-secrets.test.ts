/** Reading through a cache on this machine, and what is said when it cannot be used. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Troubles } from '../../src/aws/troubles.ts';
import { Failure } from '../../src/errors.ts';
import { parseReference } from '../../src/keys/reference.ts';
import { parseCacheAddress } from '../../src/secrets/cache-address.ts';
import { cacheToken } from '../../src/secrets/cache-token.ts';
import { readFromCache, type CacheOptions } from '../../src/secrets/cached-secrets.ts';
import type { Secret } from '../../src/secrets/source.ts';
import { startLocalCache, type LocalCache } from '../support/aws/local-cache.ts';
import { serve, type HttpAnswer, type HttpServer } from '../support/aws/wire/http-server.ts';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';

const text = 'the token of the cache';
const signal = new AbortController().signal;

function optionsFor(origin: string, more: Partial<CacheOptions> = {}): CacheOptions {
  return {
    ...{ address: new URL(origin), token: { text, place: 'AWS_TOKEN' }, env: {}, signal, patience: 5_000 },
    ...{ troubles: new Troubles(), region: undefined, fresh: false },
    ...more,
  };
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  if (error instanceof Failure) return error;
  throw new TypeError('it did not fail as it should');
}

describe('a cache on this machine', () => {
  let world: ReadyWorld;
  let cache: LocalCache;
  beforeAll(async () => {
    world = await startReadyWorld();
    const place = { region: REGION, roleArn: ROLE_ARN, token: text };
    cache = await startLocalCache(world.aws, { kind: 'extension', ...place });
  });
  afterAll(async () => {
    await Promise.all([world.stop(), cache.close()]);
  });
  const read = (texts: readonly string[], more: Partial<CacheOptions> = {}): Promise<Secret[]> =>
    readFromCache(texts.map(parseReference), optionsFor(cache.origin, more));
  const texts = (secrets: readonly Secret[]): string[] => secrets.map((secret) => secret.text);

  it('serves both stores, each reference once, in the order of the references', async () => {
    const arn = world.put('/ci/one', 'one');
    const { arn: second } = world.putSecret('ci/two', '{"a": "two"}');
    const secrets = await read(['secretsmanager:ci/two:a', '/ci/one', 'secretsmanager:ci/two:a']);
    expect(secrets).toMatchObject([
      { text: 'two', arn: second, encrypted: true },
      { text: 'one', arn, version: '1', encrypted: true },
      { text: 'two' },
    ]);
    expect(cache.asked).toHaveLength(2);
  });

  it('serves versions, labels, stages and binary secrets', async () => {
    world.put('/ci/key', 'old');
    world.put('/ci/key', 'new', { labels: ['prod'] });
    const { versionId } = world.putSecret('ci/binary', Uint8Array.of(0x30, 0x82, 0xff));
    const named = [`secretsmanager:ci/binary:::${versionId}`, 'secretsmanager:ci/binary::AWSCURRENT'];
    expect(texts(await read(['/ci/key:1', '/ci/key:prod', ...named]))).toEqual([
      ...['old', 'new', 'MIL/', 'MIL/'],
    ]);
  });

  it('is asked again while it starts', async () => {
    world.put('/ci/starting', 'text');
    cache.notReady = 3;
    expect(texts(await read(['/ci/starting']))).toEqual(['text']);
    cache.notReady = 4;
    expect(await failureOf(read(['/ci/starting']))).toMatchObject({ code: 'PROVIDER_FAILED' });
  });

  it('repeats what AWS says, with our codes, and says that it did', async () => {
    const said = `says the cache at ${cache.origin}`;
    expect(await failureOf(read(['/ci/none'], { region: REGION }))).toMatchObject({
      ...{ code: 'KEY_NOT_FOUND', message: `there is no parameter /ci/none in ${REGION}, ${said}` },
    });
    expect(await failureOf(read(['/ci/none']))).toMatchObject({
      message: `there is no parameter /ci/none, ${said}`,
      hint: expect.stringContaining('--region REGION'),
    });
    world.putSecret('ci/there', 'text');
    const codes: [string, string][] = [
      ['secretsmanager:ci/none', 'KEY_NOT_FOUND'],
      ['secretsmanager:ci/there::NONE', 'KEY_VERSION_NOT_FOUND'],
      ['secretsmanager:other', 'KEY_ACCESS_DENIED'],
      ['/other', 'KEY_ACCESS_DENIED'],
      ['/ci/one:9', 'KEY_VERSION_NOT_FOUND'],
      ['secretsmanager:ci/there:a', 'KEY_FIELD_MISSING'],
    ];
    for (const [reference, code] of codes)
      expect([reference, (await failureOf(read([reference]))).code]).toEqual([reference, code]);
  });

  it('is not used for a key of another Region than its own', async () => {
    expect(await failureOf(read(['/ci/one'], { region: 'us-east-1' }))).toMatchObject({
      code: 'INPUT_INVALID',
      message: `/ci/one is wanted from us-east-1, and the cache at ${cache.origin} reads ${REGION}`,
    });
  });

  it('waits while AWS throttles, and says so when the time is over', async () => {
    world.aws.faults.order({ operation: 'ssm:GetParameter', fault: 'throttling' });
    const limit = new AbortController();
    setTimeout(() => {
      limit.abort(new Failure('TIMEOUT', 'fetching the key took longer than 1 seconds', { hint: 'wait' }));
    }, 1_000);
    const failure = await failureOf(read(['/ci/throttled'], { signal: limit.signal }));
    expect(failure).toMatchObject({ code: 'THROTTLED', message: expect.stringContaining(cache.origin) });
  });
});

describe('a cache that does not answer as it should', () => {
  let server: HttpServer | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });
  const ask = async (answer: Partial<HttpAnswer>, reference = '/ci/key'): Promise<Failure> => {
    const whole = { status: 200, headers: {}, body: '', ...answer };
    server = await serve({ handle: () => Promise.resolve(whole) });
    const options = optionsFor(server.origin, { patience: 300 });
    return await failureOf(readFromCache([parseReference(reference)], options));
  };

  it.each<[Partial<HttpAnswer>, string, string]>([
    [{ status: 302, headers: { location: 'http://evil.test/' } }, 'PROVIDER_FAILED', 'is a redirect (302)'],
    [{ status: 403, body: 'Bad Token' }, 'CREDENTIALS_MISSING', 'does not accept the token of AWS_TOKEN'],
    [{ status: 401 }, 'CREDENTIALS_MISSING', 'does not accept the token of AWS_TOKEN'],
    [{ status: 404, body: 'Not found' }, 'INPUT_INVALID', 'does not serve this store'],
    [{ status: 500, body: 'x\ny' }, 'PROVIDER_FAILED', 'answered 500: x'],
    [{ body: '<html>' }, 'PROVIDER_FAILED', 'is broken'],
    [{ body: '{"Parameter": {"Name": "/ci/key"}}' }, 'PROVIDER_FAILED', 'has no parameter in it'],
    [{ delivery: 'huge' }, 'NETWORK_UNREACHABLE', 'cannot be reached (an answer of more than 500000 bytes)'],
    [{ delivery: 'never' }, 'NETWORK_UNREACHABLE', 'cannot be reached (no answer in time)'],
    [{ delivery: 'reset' }, 'NETWORK_UNREACHABLE', 'cannot be reached ('],
  ])('is an error that names it: %j', async (answer, code, words) => {
    const failure = await ask(answer);
    expect(failure.message).toContain(words);
    expect([failure.code, failure.hint.length > 0, failure.message.includes(text)]).toEqual([
      ...[code, true, false],
    ]);
  });

  it('is an error for a secret, too', async () => {
    expect((await ask({ body: '{"ARN": "x"}' }, 'secretsmanager:ci/key')).message).toContain(
      'no secret in it',
    );
  });

  it.each<[string, object]>([
    [
      '/ci/key',
      { Parameter: { Value: 'x', ARN: 'arn:aws:ssm:eu-west-1:111122223333:parameter/ci/other', Version: 1 } },
    ],
    [
      'ci-key',
      { Parameter: { Value: 'x', ARN: 'arn:aws:ssm:eu-west-1:111122223333:parameter/ci/key', Version: 1 } },
    ],
    [
      'arn:aws:ssm:eu-west-1:111122223333:parameter/ci/key',
      { Parameter: { Value: 'x', ARN: 'arn:aws:ssm:eu-west-1:444455556666:parameter/ci/key', Version: 1 } },
    ],
    [
      'secretsmanager:ci/key',
      { SecretString: 'x', ARN: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:ci/keys-AbCdEf' },
    ],
    [
      'arn:aws:secretsmanager:eu-west-1:111122223333:secret:ci/key-AbCdEf',
      { SecretString: 'x', ARN: 'arn:aws:secretsmanager:eu-west-1:444455556666:secret:ci/key-AbCdEf' },
    ],
  ])('is an error if it has another key than %s', async (reference, answer) => {
    const failure = await ask({ body: JSON.stringify(answer) }, reference);
    expect([failure.code, failure.message]).toEqual([
      'PROVIDER_FAILED',
      expect.stringContaining('has another key than'),
    ]);
  });

  it('is an error if nobody listens there', async () => {
    const { origin, close } = await serve({ handle: () => Promise.reject(new Error()) });
    await close();
    const failure = await failureOf(readFromCache([parseReference('/ci/key')], optionsFor(origin)));
    expect(failure.code).toBe('NETWORK_UNREACHABLE');
    expect(failure.message).toMatch(/^the cache at http:\/\/127\S+ cannot be reached \(connect ECONNREFUSED/);
  });
});

describe('the address of a cache', () => {
  it.each(['http://127.0.0.1:2773/', 'http://[::1]:9'])('may be %s', (address) => {
    expect(parseCacheAddress(address, 'ssm.cache').origin).toBe(new URL(address).origin);
  });

  it.each(['http://localhost:2773', 'http://LOCALHOST:2773'])(
    'is that of IPv4 for %s, because somebody else may listen on the same port of IPv6',
    (address) => {
      expect(parseCacheAddress(address, 'ssm.cache').origin).toBe('http://127.0.0.1:2773');
    },
  );

  it.each([
    ...[
      '',
      'true',
      'localhost:2773',
      '2773',
      'https://localhost:2773',
      'http://10.0.0.1:2773',
      'ftp://localhost',
    ],
    ...[
      'http://localhost.evil.test',
      'http://127.0.0.1.evil.test',
      'http://localhost:2773/v1',
      'http://localhost/?a',
    ],
  ])('may not be "%s"', (address) => {
    expect(() => parseCacheAddress(address, 'ssm.cache')).toThrow('ssm.cache is not the address of a cache');
  });

  it('is not repeated if it has a password in it', () => {
    expect(() => parseCacheAddress('http://a:word@localhost:2773', '--cache')).toThrow(
      /^--cache is not the address of a cache on this machine$/,
    );
  });
});

describe('the token for a cache', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cache-token-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, 'token');

  it('is AWS_TOKEN, the file that it names, or in a Lambda function the token of its session', async () => {
    writeFileSync(file, 'of the file\n');
    const lambda = { AWS_LAMBDA_FUNCTION_NAME: 'clone', AWS_SESSION_TOKEN: 'of the session' };
    const tokens = await Promise.all(
      [
        { AWS_TOKEN: 'itself' },
        { AWS_TOKEN: `file://${file}` },
        lambda,
        { ...lambda, AWS_TOKEN: 'itself' },
      ].map(async (env) => (await cacheToken(env, signal)).text),
    );
    expect(tokens).toEqual(['itself', 'of the file', 'of the session', 'itself']);
  });

  it('is never the token of a session elsewhere', async () => {
    const env = { AWS_SESSION_TOKEN: 'of the session', AWS_TOKEN: `file://${folder}/none` };
    expect(await failureOf(cacheToken(env, signal))).toMatchObject({
      code: 'CREDENTIALS_MISSING',
      message: `the token of the cache is not in ${folder}/none (ENOENT)`,
    });
  });

  it.each(['', ' \n', 'hunter\n2', 'hunter\0', 'h\u00fcnter'])(
    'is none of what no header can have: %j',
    async (value) => {
      const file = join(folder, 'other');
      writeFileSync(file, value);
      const failure = await failureOf(cacheToken({ AWS_TOKEN: `file://${file}` }, signal));
      expect([failure.code, failure.message]).toEqual([
        'CREDENTIALS_MISSING',
        `${file} has no token of the cache`,
      ]);
    },
  );
});
