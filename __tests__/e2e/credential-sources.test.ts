/** The sources of credentials that configure-aws-credentials has inputs for, and the account id in the log. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import { ACCOUNT, allow, REGION, ROLE_ARN, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';
import type { Credentials, PolicyDocument } from '../support/aws/local-aws.ts';
import type { StepResult } from '../support/runner/job.ts';
import { told, useStage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

const userArn = `arn:aws:iam::${ACCOUNT}:user/runner`;
const reading = allow('ssm:GetParameter', `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/*`);

function trustIn(principal: string): PolicyDocument {
  const statement = { Effect: 'Allow', Principal: { AWS: principal }, Action: 'sts:AssumeRole' } as const;
  return { Version: '2012-10-17', Statement: [statement] };
}

describe('the credentials of a step', () => {
  const stage = useStage();
  let world: ReadyWorld;
  let folder: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sources-'));
    world = await startReadyWorld();
    world.put('/ci/key', stage.key.privateKey);
  });
  afterEach(async () => {
    await world.stop();
    rmSync(folder, { recursive: true });
  });

  const load = async (more: Record<string, string>, env = world.jobEnvironment()): Promise<StepResult> => {
    const inputs = { keys: '/ci/key', 'aws-region': REGION, 'role-to-assume': ROLE_ARN };
    return await stage.job({ env }).uses({ with: { ...inputs, ...more } });
  };
  const calls = (): (readonly (string | undefined)[])[] =>
    world.aws.calls.map(({ operation, principal, roleArn }) => [operation, roleArn ?? principal]);
  const withKeys = (credentials: Credentials): Record<string, string> => ({
    ...world.aws.environment({ credentials }),
    ...world.aws.actionsEnvironment(),
  });
  const user = (...policies: PolicyDocument[]): Credentials =>
    world.aws.iam.createAccessKey({ userArn, policies });

  describe('with web-identity-token-file', () => {
    const write = async (claims = {}): Promise<string> => {
      const path = join(folder, 'token');
      writeFileSync(path, `${await world.aws.oidc.issueToken({ claims }, 'sts.amazonaws.com')}\n`);
      return path;
    };

    it('are those of the role for the token in the file, and GitHub is not asked', async () => {
      const path = await write();
      const main = await load({ 'web-identity-token-file': path, 'force-skip-oidc': 'true' });
      expect(told(main).text).toBe('');
      expect(calls().map(([operation]) => operation)).toEqual([
        'sts:AssumeRoleWithWebIdentity',
        'ssm:GetParameter',
      ]);
      expect(main.log).toContain(`reading the token in ${path}\n`);
      expect(main.masks).toContain(readFileSync(path, 'utf8').trim());
      expect(main.log).not.toContain(readFileSync(path, 'utf8').slice(0, 40));
      const note = readFileSync(join(dirname(main.paths[0] ?? ''), 'role'), 'utf8');
      expect(JSON.parse(note)).toMatchObject({ role: { arn: ROLE_ARN, tokenFile: path } });
      expect(note).not.toContain('eyJ');
    });

    it('are found by a path in the workspace, and go on along a chain of roles', async () => {
      const hub = `arn:aws:iam::${ACCOUNT}:role/hub`;
      world.aws.iam.createRole({ arn: hub, trustPolicy: trustIn(ROLE_ARN), policies: [reading] });
      await write();
      const main = await load(
        { 'web-identity-token-file': 'token', 'role-to-assume': `${ROLE_ARN}\n${hub}` },
        { ...world.aws.environment(), GITHUB_WORKSPACE: folder },
      );
      expect(told(main).text).toBe('');
      expect(calls().at(-1)).toEqual(['ssm:GetParameter', hub]);
    });

    it('that is too old say which file, and ask for a new token', async () => {
      const path = await write({ exp: Math.floor(Date.now() / 1000) - 60 });
      const { code, text } = told(await load({ 'web-identity-token-file': path }));
      expect(code).toBe('ASSUME_ROLE_DENIED');
      expect(text).toContain(`the token in ${path} is too old`);
    });

    it('that the role does not trust show the claims, an audience of several among them', async () => {
      const path = await write({ sub: 'system:serviceaccount:ci:runner', aud: ['sts.amazonaws.com', 'x'] });
      const { code, text } = told(await load({ 'web-identity-token-file': path }));
      expect(code).toBe('ASSUME_ROLE_DENIED');
      expect(text).toContain('sub system:serviceaccount:ci:runner, aud sts.amazonaws.com, x and iss');
    });

    it('of a missing or empty file, one of 2 MB or a folder end the step before AWS is asked', async () => {
      const large = join(folder, 'large');
      writeFileSync(large, 'x'.repeat(2_000_000));
      writeFileSync(join(folder, 'empty'), '');
      for (const path of [join(folder, 'gone'), join(folder, 'empty'), large, folder]) {
        const main = await load({ 'web-identity-token-file': path });
        expect([told(main).code, main.exitCode, main.env]).toEqual(['INPUT_INVALID', 2, {}]);
        expect(told(main).text).toContain(`the input web-identity-token-file names ${path}, which `);
      }
      expect(world.aws.calls).toEqual([]);
    });
  });

  describe('with force-skip-oidc', () => {
    const skip = { 'force-skip-oidc': 'true' };

    it('are those that the environment has, in a job that may ask for a token', async () => {
      world.aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustIn(userArn), policies: [reading] });
      const main = await load(skip, withKeys(user()));
      expect(told(main).text).toBe('');
      expect(calls()).toEqual([
        ['sts:AssumeRole', userArn],
        ['ssm:GetParameter', ROLE_ARN],
      ]);
      expect(main.log).toContain(
        `force-skip-oidc is set: asking for ${ROLE_ARN} with the credentials of AWS_ACCESS_KEY_ID\n`,
      );
    });

    it('that are nowhere are CREDENTIALS_MISSING, with all ways out', async () => {
      const { code, text } = told(await load(skip));
      expect(code).toBe('CREDENTIALS_MISSING');
      expect(text).toMatch(
        /force-skip-oidc is set.*\nhint: .*web-identity-token-file.*leave force-skip-oidc out/,
      );
      expect(world.aws.calls).toEqual([]);
    });
  });

  describe('with use-existing-credentials', () => {
    const existing = { 'use-existing-credentials': 'true' };

    it('are those of the environment where AWS accepts them, and no role is assumed', async () => {
      const main = await load({ ...existing, 'allowed-account-ids': ACCOUNT }, withKeys(user(reading)));
      expect(told(main).text).toBe('');
      expect(calls()).toEqual([
        ['sts:GetCallerIdentity', userArn],
        ['ssm:GetParameter', userArn],
      ]);
      expect(main.outputs['aws-account-id']).toBe(ACCOUNT);
      expect(main.log).toContain(`no role is assumed, the credentials are those of ${userArn}\n`);
      expect(main.log).toContain('session-policy: auto does not narrow these credentials\n');
    });

    it('warn of the inputs that have no effect without a role', async () => {
      const policy = JSON.stringify({ Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });
      const asked = {
        'session-policy': policy,
        'managed-session-policies': 'arn:aws:iam::aws:policy/ReadOnlyAccess',
      };
      const main = await load({ ...existing, ...asked }, withKeys(user(reading)));
      expect(main.log).toContain(
        '##[warning]ssm-ssh-agent: use-existing-credentials: no role is assumed, so session-policy, managed-session-policies had no effect',
      );
    });

    it('are asked for while ssh-agent starts: if there is none, the error says so', async () => {
      world.aws.faults.order({ operation: 'sts:GetCallerIdentity', fault: { latency: 1000 } });
      const failed = await load(existing, { ...withKeys(user(reading)), PATH: '/nowhere' });
      expect([told(failed).code, failed.exitCode]).toEqual(['AGENT_NOT_FOUND', 1]);
    });

    it('in a use without keys leave the account in the outputs', async () => {
      const main = await load({ ...existing, keys: '' }, withKeys(user()));
      expect(told(main).text).toBe('');
      expect(calls()).toEqual([['sts:GetCallerIdentity', userArn]]);
      expect(main.outputs['aws-account-id']).toBe(ACCOUNT);
    });

    it.each(['none', 'expired', 'invalid', 'a profile that is not there'])(
      'are those of the role where the environment has %s',
      async (what) => {
        const seconds = what === 'expired' ? -60 : 900;
        const session = world.aws.iam.createSession({ roleArn: ROLE_ARN, durationSeconds: seconds });
        const env = {
          none: world.jobEnvironment(),
          expired: withKeys(session),
          invalid: withKeys({ ...session, secretAccessKey: 'wrong' }),
          'a profile that is not there': { ...world.jobEnvironment(), AWS_PROFILE: 'gone' },
        }[what];
        const main = await load(existing, env);
        expect(told(main).text).toBe('');
        expect(calls().slice(-3)).toEqual([
          ['oidc:token', undefined],
          ['sts:AssumeRoleWithWebIdentity', undefined],
          ['ssm:GetParameter', ROLE_ARN],
        ]);
        expect(main.log).toMatch(/use-existing-credentials: the role is assumed \(.+\)\n/);
      },
    );

    it('of an account that is not allowed end the step', async () => {
      const allowed = { 'allowed-account-ids': '444455556666' };
      const failed = await load({ ...existing, ...allowed }, withKeys(user(reading)));
      expect(told(failed).code).toBe('ACCOUNT_NOT_ALLOWED');
    });

    it('are not given up for the role where AWS STS cannot be reached', async () => {
      world.aws.faults.order({ operation: 'sts:GetCallerIdentity', fault: 'reset' });
      const failed = await load({ ...existing, 'max-attempts': '1' }, withKeys(user(reading)));
      expect(told(failed).code).toBe('NETWORK_UNREACHABLE');
    });

    it('that may not read the key are not replaced by the role', async () => {
      expect(told(await load(existing, withKeys(user()))).code).toBe('KEY_ACCESS_DENIED');
    });
  });

  describe('with mask-aws-account-id', () => {
    const mask = { 'mask-aws-account-id': 'true' };

    it('show their account nowhere, in a job that works', async () => {
      const keys = `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/ci/key`;
      const main = await load({ ...mask, keys, 'allowed-account-ids': ACCOUNT });
      expect(told(main).text).toBe('');
      expect(main.log).toContain('assuming arn:aws:iam::***:role/ci as ');
      expect(`${main.log}${main.summary}`).not.toContain(ACCOUNT);
      expect(main.raw.indexOf(`::add-mask::${ACCOUNT}`)).toBe(
        main.raw.indexOf(ACCOUNT) - '::add-mask::'.length,
      );
      expect(main.outputs['aws-account-id']).toBe(ACCOUNT);
    });

    it('show it nowhere in a step that fails, whoever told it', async () => {
      for (const more of [
        { 'role-to-assume': ROLE_ARN.replace(':role/ci', ':user/ci') },
        { 'allowed-account-ids': '444455556666' },
        { keys: '/elsewhere/key' },
        { 'role-to-assume': '', keys: '/elsewhere/key' },
      ]) {
        const main = await load(
          { ...mask, ...more },
          'role-to-assume' in more ? withKeys(user()) : undefined,
        );
        expect(main.outcome).toBe('failure');
        expect(`${main.log}${told(main).text}`).not.toContain(ACCOUNT);
        expect(`${main.log}${told(main).text}`).toContain('***');
      }
    });

    it('show it otherwise, as configure-aws-credentials does', async () => {
      expect((await load({})).log).toContain(`assuming ${ROLE_ARN} as `);
    });
  });
});
