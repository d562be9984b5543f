/** What narrows the credentials before a key is read: the accounts that are allowed, and the user's own policy. */
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { ACCOUNT, allow, REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import type { StepResult } from '../support/runner/job.ts';
import { told, useStage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

const OTHER = '444455556666';
const parameter = `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/key`;

const stage = useStage();
let world: ReadyWorld;

beforeEach(async () => {
  world = await startReadyWorld();
  world.put('/ci/key', stage.key.privateKey);
});
afterEach(async () => {
  await world.stop();
});

async function load(
  more: Record<string, string> = {},
  env: Record<string, string> = world.jobEnvironment(),
): Promise<StepResult> {
  const inputs = { keys: '/ci/key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN, ...more };
  return await stage.job({ env }).uses({ with: inputs });
}

const operations = (): string[] => world.aws.calls.map(({ operation }) => operation);

/** For jobs without a role: credentials of the environment. */
function credentialsOf(account: string): Record<string, string> {
  const userArn = `arn:aws:iam::${account}:user/runner`;
  const policies = [allow('ssm:GetParameter', parameter)];
  return world.aws.environment({ credentials: world.aws.iam.createAccessKey({ userArn, policies }) });
}

describe('the allowed accounts', () => {
  it('let the role of one of them through, and cost no call', async () => {
    expect(told(await load({ 'allowed-account-ids': `${OTHER}, ${ACCOUNT}` })).text).toBe('');
    expect(operations()).toEqual(['oidc:token', 'sts:AssumeRoleWithWebIdentity', 'ssm:GetParameter']);
  });

  it('keep a role of another account out before anything is asked', async () => {
    const main = await load({ 'allowed-account-ids': OTHER });
    expect(told(main)).toMatchObject({ code: 'ACCOUNT_NOT_ALLOWED' });
    expect(told(main).text).toMatch(`${ROLE_ARN} belongs to the account ${ACCOUNT}`);
    expect(told(main).text).toContain(`allowed-account-ids names ${OTHER}`);
    expect(operations()).toEqual([]);
    expect(main.env).toEqual({});
  });

  it('are those of the last role of a chain', async () => {
    const chain = { 'role-to-assume': `arn:aws:iam::${OTHER}:role/hub\n${ROLE_ARN}` };
    expect(told(await load({ ...chain, 'allowed-account-ids': OTHER })).code).toBe('ACCOUNT_NOT_ALLOWED');
    expect(told(await load({ ...chain, 'allowed-account-ids': ACCOUNT })).code).toBe('ASSUME_ROLE_DENIED');
  });

  it('hold for a job that reads no key', async () => {
    expect(told(await load({ keys: '', 'allowed-account-ids': OTHER })).code).toBe('ACCOUNT_NOT_ALLOWED');
  });

  it('of a job without a role are asked for, before the key is', async () => {
    const alone = { 'role-to-assume': '', 'allowed-account-ids': ACCOUNT };
    expect(told(await load(alone, credentialsOf(ACCOUNT))).text).toBe('');
    expect(operations()).toEqual(['sts:GetCallerIdentity', 'ssm:GetParameter']);
    world.aws.forgetCalls();
    const { code, text } = told(await load(alone, credentialsOf(OTHER)));
    expect(code).toBe('ACCOUNT_NOT_ALLOWED');
    expect(text).toContain(`arn:aws:iam::${OTHER}:user/runner belongs to the account ${OTHER}`);
    expect(operations()).toEqual(['sts:GetCallerIdentity']);
  });

  it('are not asked for where the input is not set', async () => {
    expect(told(await load({ 'role-to-assume': '' }, credentialsOf(ACCOUNT))).text).toBe('');
    expect(operations()).toEqual(['ssm:GetParameter']);
  });

  it('of a job without any credentials: CREDENTIALS_MISSING, with where to look', async () => {
    const alone = { 'role-to-assume': '', 'allowed-account-ids': ACCOUNT };
    const { code, text } = told(await load(alone, world.aws.environment()));
    expect(code).toBe('CREDENTIALS_MISSING');
    expect(text).toContain('hint: set role-to-assume');
  });

  it.each([
    ['throttling', 'THROTTLED'],
    ['malformed', 'NETWORK_UNREACHABLE'],
    ['hang', 'TIMEOUT'],
  ] as const)('that STS does not tell (%s) are a failure: %s', async (fault, code) => {
    world.aws.faults.order({ operation: 'sts:GetCallerIdentity', fault });
    const more = {
      'role-to-assume': '',
      'allowed-account-ids': ACCOUNT,
      'max-attempts': '2',
      ...(fault === 'hang' && { 'timeout-seconds': '3' }),
    };
    expect(told(await load(more, credentialsOf(ACCOUNT))).code).toBe(code);
    expect(operations()).not.toContain('ssm:GetParameter');
  });
});

describe("a session policy of the user's", () => {
  const policy = (resource: string): string =>
    JSON.stringify(allow('ssm:GetParameter', resource), undefined, 2);

  it('is what STS gets, without the white space', async () => {
    expect(told(await load({ 'session-policy': policy(parameter) })).text).toBe('');
    const asked = world.aws.calls[1]?.parameters['Policy'];
    expect(asked).toBe(JSON.stringify(allow('ssm:GetParameter', parameter)));
  });

  it('narrows: what it does not allow is denied', async () => {
    const { code, text } = told(await load({ 'session-policy': policy(`${parameter}-of-another`) }));
    expect(code).toBe('KEY_ACCESS_DENIED');
    expect(text).toContain('session policy');
  });

  it('that is too large once packed is INPUT_INVALID, with what to do', async () => {
    const arns = Array.from({ length: 25 }, (_, i) => `${parameter}-${String(i)}`);
    const { code, text } = told(
      await load({ 'session-policy': JSON.stringify(allow('ssm:GetParameter', arns)) }),
    );
    expect(code).toBe('INPUT_INVALID');
    expect(text).toMatch(/session-policy is too large: .* Packed policy consumes/);
    expect(text).toContain('session-policy: auto');
    expect(operations()).toEqual(['oidc:token', 'sts:AssumeRoleWithWebIdentity']);
  });

  it('that STS does not understand is INPUT_INVALID, as one that is too large is', async () => {
    const { code, text } = told(await load({ 'session-policy': '{"Statement":[{"Effect":"Perhaps"}]}' }));
    expect(code).toBe('INPUT_INVALID');
    expect(text).toMatch(
      /: the input session-policy is not a policy that AWS STS accepts: .*\nhint: .*session-policy/,
    );
  });
});
