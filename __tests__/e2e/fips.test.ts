/** AWS_USE_FIPS_ENDPOINT: AWS's own host names, led to the local AWS by a proxy. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ACCOUNT,
  allow,
  ROLE_ARN,
  startReadyWorld,
  trustGitHub,
  type ReadyWorld,
} from '../support/aws/world.ts';
import { startGateway, type Gateway } from '../support/aws/wire/gateway.ts';
import { told, useStage } from './stage.ts';

const region = 'us-east-1';
const named = (service: string): string => `${service}.${region}.amazonaws.com:443`;

describe('with AWS_USE_FIPS_ENDPOINT', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let gateway: Gateway;

  beforeEach(async () => {
    world = await startReadyWorld({ tls: true, regions: [region] });
    gateway = await startGateway({ leads: world.aws.endpoint });
    const parameters = `arn:aws:ssm:${region}:${ACCOUNT}:parameter/ci/*`;
    const policies = [allow(['ssm:GetParameter', 'ssm:GetParameters'], parameters)];
    world.aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub(), policies });
    world.put('/ci/key', stage.key.privateKey, { region });
  });
  afterEach(async () => {
    gateway.close();
    await world.stop();
  });

  it('the action calls the FIPS endpoints and no others', async () => {
    const { AWS_ENDPOINT_URL: endpoint, ...env } = world.jobEnvironment();
    expect(endpoint).toBe(world.aws.endpoint);
    const job = stage.job({ env: { ...env, HTTPS_PROXY: gateway.url, AWS_USE_FIPS_ENDPOINT: 'true' } });
    const inputs = { keys: '/ci/key', 'aws-region': region, 'role-to-assume': ROLE_ARN };
    expect(told(await job.uses({ with: inputs })).text).toBe('');
    const called = gateway.tunnels.filter((host) => host.includes('amazonaws'));
    expect([...new Set(called)].sort()).toEqual([named('ssm-fips'), named('sts-fips')]);
  });
});
