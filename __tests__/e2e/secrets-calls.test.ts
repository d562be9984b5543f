/** What Secrets Manager is asked, and what it refuses: by the local AWS's call log and its IAM and KMS. */
import { afterEach, beforeEach, describe, expect } from '@jest/globals';
import {
  ACCOUNT,
  allow,
  REGION,
  ROLE_ARN,
  startReadyWorld,
  trustGitHub,
  type ReadyWorld,
} from '../support/aws/world.ts';
import type { Call, PolicyDocument } from '../support/aws/local-aws.ts';
import { makeSshKey } from '../support/ssh-keys.ts';
import { told, useStage } from './stage.ts';
import { itInTurn as it } from '../support/parts.ts';

describe('Secrets Manager', () => {
  const stage = useStage();
  let world: ReadyWorld;

  beforeEach(async () => {
    world = await startReadyWorld();
  });
  afterEach(async () => {
    await world.stop();
  });

  const use = async (
    keys: readonly string[],
    more: Record<string, string> = {},
  ): Promise<{ code: string; text: string; calls: readonly Call[] }> => {
    world.aws.forgetCalls();
    const job = stage.job({ env: world.jobEnvironment() });
    const inputs = { keys: keys.join('\n'), 'aws-region': REGION, 'role-to-assume': ROLE_ARN, ...more };
    const main = await job.uses({ with: inputs });
    const result = told(main);
    if (result.code !== '') expect([main.outputs, job.processes(), job.files()]).toEqual([{}, [], []]);
    return { ...result, calls: world.aws.calls };
  };
  const load = async (keys: readonly string[], more?: Record<string, string>): Promise<readonly Call[]> => {
    const { text, calls } = await use(keys, more);
    expect(text).toBe('');
    return calls.slice(2);
  };
  const operations = (calls: readonly Call[]): string[] =>
    calls.map(({ operation }) => operation.replace(/^\w+:/, ''));
  const put = (count: number): string[] =>
    Array.from({ length: count }, (_, i) => {
      world.putSecret(`ci/key-${String(i)}`, stage.key.privateKey);
      return `secretsmanager:ci/key-${String(i)}`;
    });
  const secretArn = (name: string): string => `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}`;
  const grant = (...policies: PolicyDocument[]): void => {
    world.aws.iam.createRole({ arn: ROLE_ARN, trustPolicy: trustGitHub(), policies });
  };
  const get = (resource: string): PolicyDocument => allow('secretsmanager:GetSecretValue', resource);
  const statementIn = (text: string): unknown => JSON.parse(/\{"Effect".*\}/.exec(text)?.[0] ?? 'null');

  describe('is asked', () => {
    it('for one secret: by GetSecretValue alone', async () => {
      grant(get(secretArn('ci/*')));
      const calls = await load(put(1));
      expect(calls.map(({ operation }) => operation)).toEqual(['secretsmanager:GetSecretValue']);
      expect(calls[0]?.parameters).toEqual({ SecretId: 'ci/key-0' });
    });

    it('for 21 secrets: by two batches, the second of which is one secret', async () => {
      const calls = await load(put(21), { 'session-policy': 'none' });
      expect(operations(calls).sort()).toEqual(['BatchGetSecretValue', 'GetSecretValue']);
      const ids = calls.flatMap(({ parameters: { SecretIdList, SecretId } }) => SecretIdList ?? SecretId);
      expect(new Set(ids).size).toBe(21);
    });

    it('for several, where a batch is not allowed: for each by itself', async () => {
      grant(get(secretArn('ci/*')));
      const names = operations(await load(put(3)));
      expect(names).toEqual(['BatchGetSecretValue', 'GetSecretValue', 'GetSecretValue', 'GetSecretValue']);
    });

    it('once for the parts of one secret', async () => {
      const { privateKey } = stage.key;
      world.putSecret('ci/json', JSON.stringify({ a: privateKey, b: privateKey }));
      const keys = ['secretsmanager:ci/json:a', 'secretsmanager:ci/json:b', 'secretsmanager:ci/json:a'];
      expect(operations(await load(keys))).toEqual(['GetSecretValue']);
    });

    it('for stages and version ids by GetSecretValue, beside the batch of the others', async () => {
      const [first = '', second = ''] = put(2);
      const { versionId } = world.putSecret('ci/key-0', stage.key.privateKey);
      const calls = await load([
        first,
        second,
        `${first}::AWSPREVIOUS`,
        `${first}:::${versionId}`,
        `${second}::`,
      ]);
      const asked = calls.map(({ parameters }) => JSON.stringify(parameters)).sort();
      expect(asked).toEqual(
        [
          { SecretId: 'ci/key-0', VersionId: versionId },
          { SecretId: 'ci/key-0', VersionStage: 'AWSPREVIOUS' },
          { SecretIdList: ['ci/key-0', 'ci/key-1'] },
        ].map((parameters) => JSON.stringify(parameters)),
      );
    });

    it('in each region that an ARN names, with the same role', async () => {
      grant(get(`arn:aws:secretsmanager:*:${ACCOUNT}:secret:*`));
      const { arn } = world.putSecret('ci/there', stage.key.privateKey, { region: 'us-east-1' });
      const calls = await load([...put(1), arn]);
      expect(calls.map(({ operation, region }) => `${operation} ${String(region)}`).sort()).toEqual([
        'secretsmanager:GetSecretValue eu-west-1',
        'secretsmanager:GetSecretValue us-east-1',
      ]);
    });

    it('not at all by a job that names parameters only', async () => {
      world.put('/ci/key', stage.key.privateKey);
      expect(operations(await load(['/ci/key']))).toEqual(['GetParameter']);
    });
  });

  describe('refuses', () => {
    it('a secret: KEY_ACCESS_DENIED, and the statement in the hint fixes it', async () => {
      const { arn } = world.putSecret('ci/deploy', stage.key.privateKey);
      grant(get(secretArn('ci/other-*')));
      const { code, text } = await use(['secretsmanager:ci/deploy']);
      expect(code).toBe('KEY_ACCESS_DENIED');
      expect(text).toContain('reading the secret secretsmanager:ci/deploy in eu-west-1 is denied');
      const statement = statementIn(text);
      expect(statement).toEqual({ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: arn });
      grant({ Statement: [statement as never] });
      await load(['secretsmanager:ci/deploy']);
    });

    it('one of a batch: the error says which', async () => {
      const keys = put(2);
      world.putSecret('other/key', stage.key.privateKey);
      const { code, text, calls } = await use([...keys, 'secretsmanager:other/key']);
      expect(code).toBe('KEY_ACCESS_DENIED');
      expect(text).toContain('other/key');
      expect(text).not.toContain('ci/key');
      expect(operations(calls.slice(2))).toEqual(['BatchGetSecretValue']);
    });

    it('a wrong name in a narrowed session as if it were denied, and the hint says so', async () => {
      const { code, text } = await use(['secretsmanager:ci/nowhere']);
      expect(code).toBe('KEY_ACCESS_DENIED');
      expect(text).toContain('AWS gives the same answer for a wrong name');
    });

    it("another account's secret that is not shared, and the hint says who has to", async () => {
      const account = '444455556666';
      const { arn } = world.putSecret('ci/theirs', stage.key.privateKey, { account });
      grant(get('*'));
      const { code, text } = await use([arn]);
      expect(code).toBe('KEY_ACCESS_DENIED');
      expect(text).toContain('the secret belongs to another account');
    });

    it('a KMS key that is denied: KMS_ACCESS_DENIED, and the statement in the hint fixes it', async () => {
      const keyId = world.aws.kms.createKey({ account: ACCOUNT, region: REGION });
      world.putSecret('ci/deploy', stage.key.privateKey, { keyId });
      const { code, text } = await use(['secretsmanager:ci/deploy']);
      expect(code).toBe('KMS_ACCESS_DENIED');
      expect(text).toContain('Access to KMS is not allowed');
      const statement = { ...(statementIn(text) as object), Resource: keyId };
      expect(statement).toMatchObject({
        Action: 'kms:Decrypt',
        Condition: { StringEquals: { 'kms:ViaService': 'secretsmanager.eu-west-1.amazonaws.com' } },
      });
      grant(get(secretArn('ci/*')), { Statement: [statement as never] });
      await load(['secretsmanager:ci/deploy']);
    });

    it.each(['Disabled', 'PendingDeletion'] as const)(
      'a KMS key in state %s: KMS_KEY_UNUSABLE',
      async (state) => {
        const keyId = world.aws.kms.createKey({ account: ACCOUNT, region: REGION });
        world.putSecret('ci/deploy', stage.key.privateKey, { keyId });
        grant(get('*'), allow('kms:Decrypt', keyId));
        world.aws.kms.setState(keyId, state);
        const { code, text } = await use(['secretsmanager:ci/deploy']);
        expect(code).toBe('KMS_KEY_UNUSABLE');
        expect(text).toContain('store the secret again under another key');
      },
    );

    it.each([1, 2])(
      'a secret that is being deleted, among %i: KEY_NOT_FOUND, and how to keep it',
      async (count) => {
        const keys = put(count);
        world.aws.secrets.markDeleted({ account: ACCOUNT, region: REGION }, 'ci/key-0');
        const { code, text } = await use(keys);
        expect(code).toBe('KEY_NOT_FOUND');
        expect(text).toContain('aws secretsmanager restore-secret --region eu-west-1 --secret-id ci/key-0');
      },
    );

    it('nothing of another account in place of a secret of the same name', async () => {
      const [account, theirs] = ['222233334444', await makeSshKey()];
      const sharing = { account, sharedWith: [ACCOUNT] };
      const keyId = world.aws.kms.createKey({ ...sharing, region: REGION, alias: 'alias/ci' });
      const { arn } = world.putSecret('ci/key', theirs.privateKey, { ...sharing, keyId });
      world.putSecret('ci/key', stage.key.privateKey);
      grant(allow(['secretsmanager:*', 'kms:Decrypt'], '*'));
      const job = stage.job({ env: world.jobEnvironment() });
      const keys = `secretsmanager:ci/key\n${arn} gitlab.com`;
      const { outputs } = await job.uses({
        with: { keys, 'aws-region': REGION, 'role-to-assume': ROLE_ARN },
      });
      expect(outputs['fingerprints']).toBe(JSON.stringify([stage.key.fingerprint, theirs.fingerprint]));
    });

    it('a secret without a value: KEY_EMPTY', async () => {
      world.aws.secrets.put({ account: ACCOUNT, region: REGION, name: 'ci/empty' });
      const { code, text } = await use(['secretsmanager:ci/empty']);
      expect(code).toBe('KEY_EMPTY');
      expect(text).toContain('aws secretsmanager put-secret-value');
    });

    it('every call for a while: THROTTLED, after as many tries as are allowed', async () => {
      put(1);
      world.aws.faults.order({ operation: 'secretsmanager:*', fault: 'throttling', times: 9 });
      const { code, calls } = await use(['secretsmanager:ci/key-0'], { 'max-attempts': '2' });
      expect(code).toBe('THROTTLED');
      expect(operations(calls.slice(2))).toEqual(['GetSecretValue', 'GetSecretValue']);
    });
  });
});
