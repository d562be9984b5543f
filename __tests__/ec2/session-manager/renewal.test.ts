/** A tunnel through Session Manager whose credentials must be renewed while the network is down. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CredentialsProviderError } from '@smithy/core/config';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Troubles } from '../../../src/aws/troubles.ts';
import { requestToken } from '../../../src/aws/web-identity.ts';
import { openSessionTunnel } from '../../../src/ec2/session-manager/tunnel.ts';
import type { Tunnel } from '../../../src/ec2/tunnel.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../../support/aws/world.ts';
import { callerOf } from '../ec2-stage.ts';
import { read, TcpHost } from '../tcp-host.ts';

const instanceId = 'i-0123456789abcdef0';
const everything = [allow(['ssm:*', 'ssmmessages:*'], '*')];
/** Milliseconds until the credentials of the tunnel must be renewed. */
const lifetime = 1_000;

let world: ReadyWorld;
const host = new TcpHost();
const opened: Tunnel[] = [];

beforeAll(async () => {
  world = await startReadyWorld();
  process.env['AWS_ENDPOINT_URL'] = world.aws.endpoint;
  await host.start();
  const ports = { 22: host.port };
  world.aws.sessions.connectAgent({ account: ACCOUNT, region: REGION, instanceId, ports });
});
afterAll(async () => {
  delete process.env['AWS_ENDPOINT_URL'];
  await world.stop();
  host.stop();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((tunnel) => tunnel.close()));
  host.reset();
});

/** Opens a tunnel, lets its credentials expire, and cuts its socket while `trouble` is thrown in their place. */
async function openAndLose(
  trouble: unknown,
): Promise<{ tunnel: Tunnel; restore: () => void; failure: () => unknown }> {
  const caller = callerOf(world.aws, everything);
  const { credentials: own = () => Promise.reject(new Error('callerOf gives credentials')) } = caller;
  let isDown = false;
  let failure: unknown;
  const credentials = async (): ReturnType<typeof own> => {
    if (isDown) throw trouble;
    return { ...(await own()), expiration: new Date(Date.now() + lifetime) };
  };
  const tunnel = await openSessionTunnel({ instanceId, port: 22 }, { ...caller, credentials });
  opened.push(tunnel);
  tunnel.stream.on('error', (error) => {
    failure = error;
  });
  tunnel.stream.write('before');
  expect(await read(tunnel.stream, 6)).toEqual(Buffer.from('before'));
  await sleep(lifetime + 200);
  isDown = true;
  world.aws.sessions.cut();
  const restore = (): void => {
    isDown = false;
  };
  return { tunnel, restore, failure: () => failure };
}

const providerError = (message: string): Error =>
  new CredentialsProviderError(message, { tryNextLink: false });

/** What asking for the job's token fails with. */
async function tokenFailure(url: string): Promise<unknown> {
  const { signal } = new AbortController();
  const troubles = new Troubles();
  const options = {
    audience: 'sts.amazonaws.com',
    maxAttempts: 1,
    signal,
    env: {},
    patience: 20_000,
    troubles,
    sleep,
  };
  return await requestToken({ url, bearer: 'unused' }, options).catch((error: unknown) => error);
}

describe('while the network is down, a tunnel waits for new credentials', () => {
  it.each([
    ['from SSO', () => providerError('Error: getaddrinfo ENOTFOUND portal.sso.eu-west-1.amazonaws.com')],
    ["with GitHub's token", () => tokenFailure('http://127.0.0.1:1/token')],
  ])(
    '%s',
    async (_, trouble) => {
      const { tunnel, restore, failure } = await openAndLose(await trouble());
      await sleep(1_500);
      expect(failure()).toBeUndefined();
      restore();
      tunnel.stream.write('after');
      expect(await read(tunnel.stream, 5)).toEqual(Buffer.from('after'));
    },
    60_000,
  );
});

describe('a tunnel ends at once if new credentials', () => {
  it('need a login', async () => {
    const { tunnel, failure } = await openAndLose(providerError('The SSO session has expired'));
    await sleep(2_000);
    expect(tunnel.stream.destroyed).toBe(true);
    expect(failure()).toMatchObject({ code: 'CREDENTIALS_MISSING' });
  }, 60_000);

  it('need the token of a service whose certificate is not trusted', async () => {
    const secure = await startReadyWorld({ tls: true });
    const trouble = await tokenFailure(secure.aws.endpoint);
    await secure.stop();
    const { tunnel, failure } = await openAndLose(trouble);
    await sleep(2_000);
    expect(tunnel.stream.destroyed).toBe(true);
    expect(failure()).toMatchObject({
      code: 'OIDC_REQUEST_FAILED',
      hint: expect.stringMatching('certificate'),
    });
  }, 60_000);
});
