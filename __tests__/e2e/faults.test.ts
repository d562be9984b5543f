import { afterEach, beforeEach, describe, expect, it as everyIt } from '@jest/globals';
import { REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import type { Fault } from '../support/aws/local-aws.ts';
import { told, useStage } from './stage.ts';
import { itInTurn as it, rowsOf } from '../support/parts.ts';
import { columnsInTurn } from '../support/sample.ts';

describe('trouble on the way to AWS', () => {
  const stage = useStage();
  let world: ReadyWorld;

  beforeEach(async () => {
    world = await startReadyWorld();
    world.put('/ci/deploy-key', stage.key.privateKey);
  });
  afterEach(async () => {
    await world.stop();
  });

  const load = async (
    more: Record<string, string> = {},
  ): Promise<{ code: string; text: string; left: number }> => {
    const job = stage.job({ env: world.jobEnvironment() });
    const inputs = { keys: '/ci/deploy-key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN, ...more };
    const main = await job.uses({ with: inputs });
    return { ...told(main), left: job.files().length + job.processes().length };
  };
  const operations = ['oidc:token', 'sts:AssumeRoleWithWebIdentity', 'ssm:GetParameter'] as const;
  const calls = (operation: string): number =>
    world.aws.calls.filter((call) => call.operation === operation).length;

  const passing: Fault[] = ['throttling', 'internal-error', 'unavailable', 'reset', 'cut'];
  everyIt.each(rowsOf(columnsInTurn(passing, operations)))(
    '%s is overcome where it passes, at %s',
    async (fault, operation) => {
      world.aws.faults.order({ operation, fault, times: 2 });
      expect((await load()).text).toBe('');
      expect(calls(operation)).toBe(3);
    },
  );

  it.each([
    ['ACTIONS_ID_TOKEN_REQUEST_URL', 'ftp://runner.test/token', /did not answer/],
    ['ACTIONS_ID_TOKEN_REQUEST_URL', 'http://[::1', /is not a URL/],
    ['ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'not\na header', /did not answer/],
  ])('an environment with a broken %s (%j) is OIDC_REQUEST_FAILED', async (name, value, text) => {
    const job = stage.job({ env: { ...world.jobEnvironment(), [name]: value } });
    const inputs = { keys: '/ci/deploy-key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
    const failed = told(await job.uses({ with: { ...inputs, 'max-attempts': '1' } }));
    expect(failed.code).toBe('OIDC_REQUEST_FAILED');
    expect(failed.text).toMatch(text);
  });

  it.each([
    ['oidc:token', 'internal-error', 'OIDC_REQUEST_FAILED', /answered 500, tried 2 times/],
    ['oidc:token', 'reset', 'OIDC_REQUEST_FAILED', /did not answer/],
    ['oidc:token', 'malformed', 'OIDC_REQUEST_FAILED', /without a token.*\nhint: .*proxy/],
    ['sts:AssumeRoleWithWebIdentity', 'throttling', 'THROTTLED', /sts in eu-west-1 limits/],
    ['sts:AssumeRoleWithWebIdentity', 'reset', 'NETWORK_UNREACHABLE', /meant to be the endpoint of sts/],
    ['ssm:GetParameter', 'throttling', 'THROTTLED', /ssm in eu-west-1 limits/],
    [
      'ssm:GetParameter',
      'unavailable',
      'PROVIDER_FAILED',
      /\/ci\/deploy-key.*\nhint: run it again; .*AWS_ENDPOINT_URL_SSM/,
    ],
    ['ssm:GetParameter', 'reset', 'NETWORK_UNREACHABLE', /meant to be the endpoint of ssm/],
    ['sts:AssumeRoleWithWebIdentity', 'malformed', 'NETWORK_UNREACHABLE', /not from AWS/],
    ['ssm:GetParameter', 'malformed', 'NETWORK_UNREACHABLE', /not from AWS/],
  ] as const)('at %s that stays ends the step after max-attempts: %s is %s', async (...row) => {
    const [operation, fault, code, text] = row;
    world.aws.faults.order({ operation, fault });
    const failed = await load({ 'max-attempts': '2' });
    expect(failed.code).toBe(code);
    expect(failed.text).toMatch(text);
    expect(failed.left).toBe(0);
    expect(calls(operation)).toBeLessThanOrEqual(2);
  });

  it('that is no service at all is NETWORK_UNREACHABLE', async () => {
    const env = world.jobEnvironment();
    const inputs = {
      keys: '/ci/deploy-key',
      'aws-region': REGION,
      'role-to-assume': ROLE_ARN,
      'max-attempts': '2',
    };
    const main = await stage
      .job({ env: { ...env, AWS_ENDPOINT_URL: 'http://127.0.0.1:9' } })
      .uses({ with: inputs });
    expect(told(main).code).toBe('NETWORK_UNREACHABLE');
    expect(told(main).text).toContain('ECONNREFUSED');
  });
});
