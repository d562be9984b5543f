/** The local cache in front of the local AWS. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startLocalCache, type LocalCache } from '../../support/aws/local-cache.ts';
import { ACCOUNT, REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';

const token = 'the token';

let world: ReadyWorld;
let caches: LocalCache[];

beforeEach(async () => {
  world = await startReadyWorld();
  const place = { region: REGION, roleArn: ROLE_ARN, token };
  caches = [
    await startLocalCache(world.aws, { kind: 'agent', ...place }),
    await startLocalCache(world.aws, { kind: 'extension', ...place }),
  ];
});
afterEach(async () => {
  await Promise.all([world.stop(), ...caches.map(({ close }) => close())]);
});

const ask = async (kind: 'agent' | 'extension', path: string, sent = token): Promise<[number, unknown]> => {
  const { origin = '' } = caches[kind === 'agent' ? 0 : 1] ?? {};
  const response = await fetch(origin + path, { headers: { 'X-Aws-Parameters-Secrets-Token': sent } });
  const text = await response.text();
  return [response.status, text.startsWith('{') ? JSON.parse(text) : text];
};
const calls = (): number => world.aws.calls.length;

describe('a local cache', () => {
  test.each(['agent', 'extension'] as const)(
    'answers a secret as GetSecretValue, and keeps it: %s',
    async (kind) => {
      const { arn, versionId } = world.putSecret('ci/key', 'text');
      const answer = { ARN: arn, Name: 'ci/key', VersionId: versionId, SecretString: 'text' };
      for (let count = 0; count < 2; count++)
        expect(await ask(kind, '/secretsmanager/get?secretId=ci%2Fkey')).toEqual([
          200,
          expect.objectContaining(answer),
        ]);
      expect(calls()).toBe(1);
    },
  );

  test('answers a parameter as GetParameter, by version and label: the extension only', async () => {
    world.put('/ci/key', 'old');
    world.put('/ci/key', 'new');
    const path = '/systemsmanager/parameters/get?withDecryption=true&name=%2Fci%2Fkey';
    const ARN = `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/key`;
    expect(await ask('extension', path)).toEqual([
      200,
      { Parameter: expect.objectContaining({ ARN, Value: 'new', Version: 2 }), ResultMetadata: {} },
    ]);
    expect(await ask('extension', `${path}&version=1`)).toMatchObject([200, { Parameter: { Value: 'old' } }]);
    expect(await ask('extension', `${path}&label=prod`)).toMatchObject([
      400,
      { __type: 'ParameterVersionNotFound' },
    ]);
    expect(await ask('agent', path)).toEqual([404, 'Not found']);
  });

  test('asks AWS anew with refreshNow: the agent only', async () => {
    world.putSecret('ci/key', 'old');
    const path = '/secretsmanager/get?secretId=ci%2Fkey';
    for (const kind of ['agent', 'extension'] as const) await ask(kind, path);
    world.putSecret('ci/key', 'new');
    const read = async (kind: 'agent' | 'extension', more = ''): Promise<unknown> =>
      ((await ask(kind, path + more))[1] as { SecretString: string }).SecretString;
    expect([await read('agent'), await read('agent', '&refreshNow=true'), await read('agent')]).toEqual([
      ...['old', 'new', 'new'],
    ]);
    expect(await read('extension', '&refreshNow=true')).toBe('old');
  });

  test('refuses a wrong token, and repeats the errors of AWS', async () => {
    expect(await ask('agent', '/secretsmanager/get?secretId=ci%2Fkey', 'wrong')).toEqual([403, 'Bad Token']);
    expect(await ask('agent', '/secretsmanager/get?secretId=ci%2Fnone')).toMatchObject([
      400,
      { __type: 'ResourceNotFoundException' },
    ]);
    expect(await ask('extension', '/systemsmanager/parameters/get?name=%2Fother')).toMatchObject([
      400,
      { __type: 'AccessDeniedException' },
    ]);
  });
});
