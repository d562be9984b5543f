import { setTimeout as sleep } from 'node:timers/promises';
import { GetParameterCommand, type SSMClientConfig } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import type { Credentials, Fault } from '../../support/aws/local-aws.ts';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { failureOf, ssmClient, stsClient } from './clients.ts';

let world: ReadyWorld;
let credentials: Credentials;

beforeAll(async () => {
  world = await startReadyWorld();
  world.put('/ci/key', 'text');
  credentials = world.aws.iam.createSession({ roleArn: ROLE_ARN });
});
afterAll(() => world.stop());
afterEach(() => {
  world.aws.faults.clear();
  world.aws.forgetCalls();
});

const read = (more: SSMClientConfig = {}): Promise<object> =>
  ssmClient(world.aws, credentials, more).send(new GetParameterCommand({ Name: '/ci/key' }));
const order = (fault: Fault, times?: number): void => {
  world.aws.faults.order({ operation: 'ssm:GetParameter', fault, ...(times !== undefined && { times }) });
};
const statuses = (): unknown[] => world.aws.calls.map(({ status }) => status);

describe("the SDK's own retries", () => {
  test('survive two throttled answers', async () => {
    order('throttling', 2);
    await expect(read({ maxAttempts: 3 })).resolves.toMatchObject({ $metadata: { attempts: 3 } });
    expect(world.aws.calls.map(({ errorCode }) => errorCode)).toEqual([
      'ThrottlingException',
      'ThrottlingException',
      undefined,
    ]);
  });

  test.each<[Fault, unknown[]]>([
    ['internal-error', [500, 200]],
    ['unavailable', [503, 200]],
    ['bad-gateway', [502, 200]],
    ['reset', [undefined, 200]],
  ])('survive %s', async (fault, expected) => {
    order(fault, 1);
    await expect(read({ maxAttempts: 2 })).resolves.toHaveProperty('Parameter');
    expect(statuses()).toEqual(expected);
  });

  test('stop after the last try', async () => {
    order('throttling');
    expect(await failureOf(read({ maxAttempts: 2 }))).toEqual({
      name: 'ThrottlingException',
      message: 'Rate exceeded',
      status: 400,
    });
    expect(statuses()).toEqual([400, 400]);
  });
});

describe('a fault', () => {
  test('cuts the body after a half', async () => {
    order('cut', 1);
    const failure = await failureOf(read());
    expect(failure.message).toMatch(/aborted|JSON/);
    await expect(read()).resolves.toBeDefined();
  });

  test("sends a proxy's page instead of the answer", async () => {
    order('malformed', 1);
    expect((await failureOf(read())).message).toMatch(/JSON|<!DOCTYPE/);
  });

  test('leaves a call unanswered', async () => {
    order('hang', 1);
    const sent = ssmClient(world.aws, credentials).send(new GetParameterCommand({ Name: '/ci/key' }), {
      abortSignal: AbortSignal.timeout(200),
    });
    expect(await failureOf(sent)).toMatchObject({ name: 'AbortError' });
    expect(world.aws.calls.map(({ finishedAt }) => finishedAt)).toEqual([undefined]);
  });

  test('delays the answer without changing it', async () => {
    order({ latency: 150 }, 1);
    await expect(read()).resolves.toHaveProperty('Parameter');
    const [call] = world.aws.calls;
    expect((call?.finishedAt ?? 0) - (call?.startedAt ?? 0)).toBeGreaterThanOrEqual(140);
  });

  test('delays the answer until a promise is settled', async () => {
    let isSettled = false;
    const latency = (async () => {
      while (world.aws.calls.length === 0) await sleep(5);
      isSettled = true;
    })();
    order({ latency }, 1);
    await expect(read()).resolves.toHaveProperty('Parameter');
    expect(isSettled).toBe(true);
  });

  test('may be any error of the service, in its format', async () => {
    order({ error: { code: 'KMSThrottled', message: 'told so', status: 418 } }, 1);
    expect(await failureOf(read())).toEqual({ name: 'KMSThrottled', message: 'told so', status: 418 });
  });

  test('applies to one operation, and to one Region if it names one', async () => {
    world.aws.faults.order({ operation: 'ssm:*', region: 'us-east-1', fault: 'unavailable' });
    await expect(read()).resolves.toBeDefined();
    expect(await failureOf(read({ region: 'us-east-1' }))).toMatchObject({ status: 503 });
    await expect(
      stsClient(world.aws, credentials, { region: 'us-east-1' }).send(new GetCallerIdentityCommand({})),
    ).resolves.toBeDefined();
  });

  test('is used in the order of the orders, and latency in addition', async () => {
    order({ latency: 50 }, 1);
    order('unavailable', 1);
    order('internal-error', 1);
    expect(await failureOf(read())).toMatchObject({ status: 503 });
    expect(await failureOf(read())).toMatchObject({ status: 500 });
    await expect(read({ region: REGION })).resolves.toBeDefined();
  });

  test("has STS's error names for STS", async () => {
    world.aws.faults.order({ operation: 'sts:*', fault: 'throttling', times: 1 });
    expect(await failureOf(stsClient(world.aws, credentials).send(new GetCallerIdentityCommand({})))).toEqual(
      { name: 'Throttling', message: 'Rate exceeded', status: 400 },
    );
  });

  test('also applies to the token endpoint', async () => {
    const { ACTIONS_ID_TOKEN_REQUEST_URL: url = '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: token = '' } =
      world.aws.actionsEnvironment();
    world.aws.faults.order({ operation: 'oidc:token', fault: 'unavailable', times: 1 });
    const headers = { authorization: `bearer ${token}` };
    expect((await fetch(url, { headers })).status).toBe(503);
    expect((await fetch(url, { headers })).status).toBe(200);
  });
});
