import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Code } from '../../src/errors.ts';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { failure, openWriteStage, place, type WriteStage } from './write-stage.ts';

const secrets = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:`;

describe('a stored secret', () => {
  let stage: WriteStage;
  let world: WriteStage['world'];
  const { write, operations, secret }: Pick<WriteStage, 'write' | 'operations' | 'secret'> = {
    write: (...args) => stage.write(...args),
    operations: () => stage.operations(),
    secret: (name) => stage.secret(name),
  };

  beforeEach(async () => {
    stage = await openWriteStage();
    ({ world } = stage);
  });
  afterEach(async () => {
    await stage.close();
  });

  const name = 'secretsmanager:ci/deploy';

  it('makes it with its tags, description and KMS key in one call', async () => {
    const keyId = world.aws.kms.createKey({ ...place, alias: 'alias/ci' });
    const stored = await write(name, {
      ...{ tags: [{ key: 'team', value: 'ci' }], description: 'deploys', kmsKeyId: keyId },
    });
    expect(stored).toEqual({
      arn: world.aws.secrets.find(place, 'ci/deploy')?.arn,
      version: world.aws.secrets.find(place, 'ci/deploy')?.versions[0]?.versionId,
    });
    expect(secret('ci/deploy')).toEqual({
      ...{ value: 'the key', versions: 1, description: 'deploys', tags: { team: 'ci' }, keyId },
    });
    expect(operations()).toEqual(['secretsmanager:CreateSecret']);
  });

  it.each([name, 'ARN'])('changes nothing that exists (%s)', async (text) => {
    const { arn } = world.putSecret('ci/deploy', 'old');
    const told = await failure(write(text === 'ARN' ? arn : text));
    expect([told.code, told.hint]).toEqual(['INPUT_INVALID', expect.stringContaining('AWSPREVIOUS')]);
    expect(secret('ci/deploy')).toMatchObject({ value: 'old', versions: 1 });
  });

  it.each([
    [{}, ['secretsmanager:PutSecretValue']],
    [{ description: 'new' }, ['secretsmanager:UpdateSecret']],
    [
      { tags: [{ key: 'team', value: 'web' }] },
      ['secretsmanager:PutSecretValue', 'secretsmanager:TagResource'],
    ],
  ])('with overwrite and %j stores a version by %j', async (more, calls) => {
    world.putSecret('ci/deploy', 'old', { tags: { old: 'yes' }, description: 'deploys' });
    await write(name, { overwrite: true, ...more });
    expect(secret('ci/deploy')).toMatchObject({ value: 'the key', versions: 2, tags: { old: 'yes' } });
    expect(operations()).toEqual(calls);
  });

  it('with overwrite makes one where there is none', async () => {
    await write(name, { overwrite: true });
    expect(secret('ci/deploy')).toMatchObject({ value: 'the key', versions: 1 });
    const told = await failure(write(`${secrets}ci/other-AbCdEf`, { overwrite: true }));
    expect(told.code).toBe('KEY_NOT_FOUND');
  });

  it('sets one member, and keeps all other text', async () => {
    world.putSecret('ci/deploy', '{\n  "port": 22.0,\n  "key": "old"\n}\n');
    const told = await failure(write(`${name}:key`));
    expect([told.code, told.message]).toEqual(['INPUT_INVALID', expect.stringContaining('was not changed')]);
    await write(`${name}:key`, { overwrite: true });
    expect(secret('ci/deploy')).toMatchObject({ value: '{\n  "port": 22.0,\n  "key": "the key"\n}\n' });
    await write(`${name}:second`);
    expect(secret('ci/deploy')).toMatchObject({
      value: '{\n  "port": 22.0,\n  "key": "the key", "second": "the key"\n}\n',
      versions: 3,
    });
  });

  it('gets a new member only without what would change it for its other members', async () => {
    const value = '{"port": 22}';
    world.putSecret('ci/deploy', value, { description: 'database' });
    const more = { description: 'deploys', kmsKeyId: 'alias/ci', tags: [{ key: 'team', value: 'ci' }] };
    const told = await failure(write(`${name}:key`, more));
    expect([told.code, told.message, told.hint]).toEqual([
      'INPUT_INVALID',
      expect.stringContaining('exists, and --kms-key-id, --description, --tag would change it'),
      expect.stringContaining('add --overwrite'),
    ]);
    expect(secret('ci/deploy')).toMatchObject({ value, description: 'database', versions: 1 });
    await write(`${name}:key`, { overwrite: true, description: 'deploys' });
    expect(secret('ci/deploy')).toMatchObject({ description: 'deploys', versions: 2 });
  });

  it('is made with its first member, and an empty one gets it', async () => {
    await write(`${name}:key`);
    expect(secret('ci/deploy')).toMatchObject({ value: '{"key":"the key"}' });
    world.aws.secrets.put({ ...place, name: 'ci/empty' });
    await write('secretsmanager:ci/empty:key', { description: 'its first' });
    expect(secret('ci/empty')).toMatchObject({ value: '{"key": "the key"}' });
  });

  it('without JSON gets no member', async () => {
    world.putSecret('ci/deploy', 'old');
    const told = await failure(write(`${name}:key`, { overwrite: true }));
    expect([told.code, told.message]).toEqual([
      'INPUT_INVALID',
      expect.stringContaining('is not a JSON object'),
    ]);
    expect(secret('ci/deploy')).toMatchObject({ value: 'old' });
  });

  it('whose answer is lost is stored once', async () => {
    world.aws.faults.order({ operation: 'secretsmanager:*', fault: 'cut', times: 1 });
    await write(name);
    world.aws.faults.order({ operation: 'secretsmanager:*', fault: 'cut', times: 1 });
    await write(name, { overwrite: true });
    expect(secret('ci/deploy')).toMatchObject({ versions: 2 });
  });

  describe('that exists at the second try, after the first answer was lost,', () => {
    beforeEach(() => {
      const there = { code: 'ResourceExistsException', message: 'it exists' };
      world.aws.faults.order({ operation: 'secretsmanager:CreateSecret', fault: 'cut', times: 1 });
      world.aws.faults.order({ operation: 'secretsmanager:CreateSecret', fault: { error: there } });
    });

    it('is the one that the first try made', async () => {
      expect(await write(name)).toMatchObject({ arn: world.aws.secrets.find(place, 'ci/deploy')?.arn });
    });

    it('may be that one if it cannot be read', async () => {
      const told = await failure(write(name, {}, allow(['secretsmanager:CreateSecret'], '*')));
      expect([told.code, told.message]).toEqual([
        'PROVIDER_FAILED',
        expect.stringMatching(/perhaps this command stored it/),
      ]);
    });
  });

  it.each([
    ['secretsmanager:CreateSecret', {}, [], 'KEY_ACCESS_DENIED', '"Action":"secretsmanager:CreateSecret"'],
    [
      ...(['secretsmanager:TagResource', { tags: [{ key: 'a', value: 'b' }] }] as const),
      ...([['secretsmanager:CreateSecret'], 'KEY_ACCESS_DENIED', '"secretsmanager:TagResource"'] as const),
    ],
    [
      ...(['kms:GenerateDataKey', { kmsKeyId: 'alias/ci' }, ['secretsmanager:CreateSecret']] as const),
      ...(['KMS_ACCESS_DENIED', '"Action":"kms:GenerateDataKey"'] as const),
    ],
  ] as const)('without %s gets the statement to add', async (...[, more, allowed, code, statement]) => {
    world.aws.kms.createKey({ ...place, alias: 'alias/ci' });
    const told = await failure(write(name, more, allow(['ssm:GetParameter', ...allowed], '*')));
    expect([told.code, told.hint]).toEqual([code, expect.stringContaining(statement)]);
    expect(secret('ci/deploy')).toBeUndefined();
  });

  it('that is being deleted is not made again', async () => {
    world.putSecret('ci/deploy', 'old');
    world.aws.secrets.markDeleted(place, 'ci/deploy');
    const told = await failure(write(name));
    expect([told.code, told.hint]).toEqual(['KEY_NOT_FOUND', expect.stringContaining('restore-secret')]);
  });

  it.each<[string, Code]>([
    ['LimitExceededException', 'PROVIDER_FAILED'],
    ['EncryptionFailure', 'KMS_KEY_UNUSABLE'],
    ['InvalidParameterException', 'INPUT_INVALID'],
  ])('CreateSecret with %s is %s', async (code, ours) => {
    world.aws.faults.order({ operation: 'secretsmanager:*', fault: { error: { code, message: 'told' } } });
    expect((await failure(write(name))).code).toBe(ours);
  });
});
