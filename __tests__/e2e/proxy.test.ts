import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import { startGateway, type Gateway } from '../support/aws/wire/gateway.ts';
import { openStage, told, type Stage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('behind a proxy', () => {
  let stage: Stage;
  let world: ReadyWorld;
  let gateway: Gateway;

  beforeAll(async () => {
    [stage, world] = await Promise.all([openStage(), startReadyWorld({ tls: true })]);
    world.put('/ci/deploy-key', stage.key.privateKey);
    gateway = await startGateway();
  });
  afterAll(async () => {
    gateway.close();
    await Promise.all([stage.close(), world.stop()]);
  });

  const load = async (env: Record<string, string>): Promise<string[]> => {
    gateway.forget();
    const inputs = { keys: '/ci/deploy-key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
    const main = await stage.job({ env: { ...world.jobEnvironment(), ...env } }).uses({ with: inputs });
    expect(told(main).text).toBe('');
    return [...new Set(gateway.tunnels)].sort();
  };
  const hosts = (): string[] =>
    [world.aws.endpoint, world.aws.oidc.url].map((url) => new URL(url).host).sort();

  it.each(['HTTPS_PROXY', 'https_proxy'])(
    'named by %s, both GitHub and AWS are reached through it',
    async (name) => {
      expect(await load({ [name]: gateway.url })).toEqual(hosts());
    },
  );

  it('that NO_PROXY excepts them from, both are reached directly', async () => {
    expect(await load({ HTTPS_PROXY: gateway.url, NO_PROXY: '127.0.0.1' })).toEqual([]);
  });

  it('without a scheme, both are reached through it, as by curl and git', async () => {
    expect(await load({ HTTPS_PROXY: new URL(gateway.url).host })).toEqual(hosts());
  });

  it('that is no address, the step fails and does not show its password', async () => {
    const inputs = { keys: '/ci/deploy-key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
    const HTTPS_PROXY = 'http://me:hunter2@proxy:99999';
    const main = await stage.job({ env: { ...world.jobEnvironment(), HTTPS_PROXY } }).uses({ with: inputs });
    expect(told(main).code).toBe('INPUT_INVALID');
    expect(told(main).text).toContain('HTTPS_PROXY is not the address of a proxy');
    expect(main.raw).not.toContain('hunter2');
  });

  it('that accepts and then says nothing, the request to GitHub ends after ten seconds and max-attempts', async () => {
    gateway.forget();
    gateway.trouble.set('127.0.0.1', 'hanging');
    const inputs = {
      keys: '/ci/deploy-key',
      'aws-region': REGION,
      'role-to-assume': ROLE_ARN,
      'max-attempts': '1',
    };
    const main = await stage
      .job({ env: { ...world.jobEnvironment(), HTTPS_PROXY: gateway.url } })
      .uses({ with: inputs });
    expect(told(main).code).toBe('OIDC_REQUEST_FAILED');
    expect(told(main).text).toMatch(/did not answer \(no answer in time\)\nhint: .*HTTPS_PROXY/);
  });
});
