import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Failure, type Code } from '../../src/errors.ts';
import type { NewVersion } from '../../src/secrets/new-version.ts';
import { writeVersion } from '../../src/secrets/write.ts';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { everything, failure, openWriteStage, place, wanted, type WriteStage } from './write-stage.ts';

const parameters = `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/`;

describe('a stored parameter', () => {
  let stage: WriteStage;
  let world: WriteStage['world'];
  const { write, operations, parameter }: Pick<WriteStage, 'write' | 'operations' | 'parameter'> = {
    write: (...args) => stage.write(...args),
    operations: () => stage.operations(),
    parameter: (name) => stage.parameter(name),
  };

  beforeEach(async () => {
    stage = await openWriteStage();
    ({ world } = stage);
  });
  afterEach(async () => {
    await stage.close();
  });

  it('makes a SecureString with its tags, description and tier in one call', async () => {
    const stored = await write('/ci/key', {
      ...{ tags: [{ key: 'team', value: 'ci' }], description: 'deploys', tier: 'Advanced' },
    });
    expect(stored).toEqual({ arn: `${parameters}ci/key`, version: '1' });
    expect(parameter('/ci/key')).toEqual({
      ...{ value: 'the key', version: 1, type: 'SecureString', tier: 'Advanced' },
      ...{ keyId: 'alias/aws/ssm', description: 'deploys', tags: { team: 'ci' } },
    });
    expect(operations()).toEqual(['ssm:PutParameter']);
  });

  it('changes nothing that exists, and says how to', async () => {
    world.put('/ci/key', 'old');
    const told = await failure(write('/ci/key'));
    expect([told.code, told.message]).toEqual([
      'INPUT_INVALID',
      `the parameter /ci/key exists in ${REGION}, and was not changed`,
    ]);
    expect(told.hint).toContain(
      '--overwrite, which stores a new version: the old one stays readable as NAME:VERSION',
    );
    expect(parameter('/ci/key')).toMatchObject({ value: 'old', version: 1 });
  });

  it('keeps the KMS key and the description of the version before, and adds tags after it', async () => {
    const keyId = world.aws.kms.createKey({ ...place, alias: 'alias/ci' });
    world.put('/ci/key', 'old', { keyId, description: 'deploys', tags: { team: 'ci', old: 'yes' } });
    const stored = await write('/ci/key', { overwrite: true, tags: [{ key: 'team', value: 'web' }] });
    expect(stored.version).toBe('2');
    expect(parameter('/ci/key')).toMatchObject({
      ...{ value: 'the key', keyId, description: 'deploys', tags: { team: 'web', old: 'yes' } },
    });
    expect(operations()).toEqual(['ssm:DescribeParameters', 'ssm:PutParameter', 'ssm:AddTagsToResource']);
  });

  it('keeps the KMS key that only the second page of an answer tells', async () => {
    const keyId = world.aws.kms.createKey({ ...place, alias: 'alias/ci' });
    world.put('/ci/key', 'old', { keyId, description: 'deploys' });
    world.aws.parameters.startsWithEmptyPage = true;
    await write('/ci/key', { overwrite: true });
    expect(parameter('/ci/key')).toMatchObject({ version: 2, keyId, description: 'deploys' });
  });

  it('changes nothing where it may not ask for the KMS key, and none is named', async () => {
    world.put('/ci/key', 'old');
    const policy = allow('ssm:PutParameter', `${parameters}ci/*`);
    const told = await failure(write('/ci/key', { overwrite: true }, policy));
    expect([told.code, told.message, told.hint]).toEqual([
      'KEY_ACCESS_DENIED',
      expect.stringMatching(/^the KMS key of the parameter \/ci\/key is not known/),
      expect.stringMatching(/--kms-key-id .*"Action":"ssm:DescribeParameters","Resource":"\*"/),
    ]);
    expect(parameter('/ci/key')).toMatchObject({ version: 1, value: 'old' });
    await write('/ci/key', { overwrite: true, kmsKeyId: 'alias/aws/ssm' }, policy);
    expect(parameter('/ci/key')).toMatchObject({ version: 2 });
    expect(stage.warnings).toEqual([
      expect.stringContaining('the description of /ci/key is not kept, if it has one'),
    ]);
  });

  it('keeps the description where the KMS key is named', async () => {
    const keyId = world.aws.kms.createKey({ ...place, alias: 'alias/ci' });
    world.put('/ci/key', 'old', { description: 'deploys' });
    await write('/ci/key', { overwrite: true, kmsKeyId: keyId });
    expect(parameter('/ci/key')).toMatchObject({ version: 2, keyId, description: 'deploys' });
    await write('/ci/key', { overwrite: true, kmsKeyId: keyId, description: 'builds' });
    expect(parameter('/ci/key')).toMatchObject({ version: 3, description: 'builds' });
  });

  it('makes a parameter with overwrite where there is none', async () => {
    expect(await write('/ci/key', { overwrite: true })).toMatchObject({ version: '1' });
  });

  it('takes the ARN of the own account, and of no other', async () => {
    expect(await write(`${parameters}ci/key`)).toEqual({ arn: `${parameters}ci/key`, version: '1' });
    const told = await failure(write(`${parameters.replace(ACCOUNT, '999999999999')}ci/other`));
    expect([told.code, told.message]).toEqual([
      'INPUT_INVALID',
      expect.stringContaining('belongs to the account 9'),
    ]);
    expect(parameter('/ci/other')).toBeUndefined();
  });

  it.each([
    ['reads back', everything, undefined],
    ['may not read', allow('ssm:PutParameter', '*'), 'PROVIDER_FAILED'],
  ] as const)('whose answer is lost %s what it stored', async (_, policy, code) => {
    world.aws.faults.order({ operation: 'ssm:PutParameter', fault: 'cut', times: 1 });
    const writing = write('/ci/key', {}, policy);
    if (code === undefined) expect(await writing).toMatchObject({ version: '1' });
    else expect(await failure(writing)).toMatchObject({ code, message: expect.stringContaining('perhaps') });
    expect(parameter('/ci/key')).toMatchObject({ value: 'the key', version: 1 });
  });

  it("whose answer is lost is told from another program's of the same name", async () => {
    world.put('/ci/key', "another program's");
    world.aws.faults.order({ operation: 'ssm:PutParameter', fault: 'internal-error', times: 1 });
    const told = await failure(write('/ci/key'));
    expect([told.code, told.message]).toEqual(['INPUT_INVALID', expect.stringContaining('was not changed')]);
  });

  it('is tried again while another change is under way', async () => {
    const error = { code: 'TooManyUpdates', message: '' };
    world.aws.faults.order({ operation: 'ssm:PutParameter', fault: { error }, times: 3 });
    expect(await write('/ci/key')).toMatchObject({ version: '1' });
  });

  it('is not stored after an interrupt', async () => {
    const controller = new AbortController();
    const interrupted = new Failure('TIMEOUT', 'interrupted', { hint: '' });
    const account = (): Promise<string> => {
      controller.abort(interrupted);
      return Promise.resolve(ACCOUNT);
    };
    const writing = writeVersion(wanted('/ci/key'), {
      ...stage.options(everything),
      account,
      signal: controller.signal,
    });
    expect(await failure(writing)).toBe(interrupted);
    expect(operations()).toEqual([]);
  });

  it.each<[string, string, string, Code, RegExp, RegExp]>([
    ['PutParameter', 'ParameterLimitExceeded', 'over 10000', 'PROVIDER_FAILED', /quota/, /--tier advanced/],
    [
      'PutParameter',
      'ParameterMaxVersionLimitExceeded',
      '',
      'PROVIDER_FAILED',
      /100 versions/,
      /unlabel-parameter-version --name \/ci\/key/,
    ],
    [
      'PutParameter',
      'HierarchyLevelLimitExceededException',
      '',
      'INPUT_INVALID',
      /15 levels/,
      /fewer slashes/,
    ],
    [
      'PutParameter',
      'HierarchyTypeMismatchException',
      '',
      'INPUT_INVALID',
      /is not a SecureString/,
      /delete-parameter --name \/ci\/key/,
    ],
    [
      'PutParameter',
      'ValidationException',
      'a maximum parameter value of 4096 characters',
      'INPUT_INVALID',
      /too large/,
      /--secretsmanager/,
    ],
    [
      'PutParameter',
      'ValidationException',
      "You can't downgrade a parameter",
      'INPUT_INVALID',
      /cannot become a standard one/,
      /leave out --tier/,
    ],
    [
      'PutParameter',
      'ValidationException',
      'Parameter name: …',
      'INPUT_INVALID',
      /does not accept \/ci\/key/,
      /correct the name/,
    ],
    ['PutParameter', 'TooManyUpdates', '', 'THROTTLED', /other programs/, /run it again/],
    [
      'PutParameter',
      'InvalidKeyId',
      'Alias alias/x does not exist',
      'KMS_KEY_UNUSABLE',
      /is not in eu-west-1/,
      /check --kms-key-id/,
    ],
    [
      'PutParameter',
      'InvalidKeyId',
      'key is disabled. (Error Code: DisabledException)',
      'KMS_KEY_UNUSABLE',
      /cannot be used/,
      /enable-key/,
    ],
  ])('%s with %s (%s) is %s', async (...[operation, code, message, ours, what, hint]) => {
    world.aws.faults.order({ operation: `ssm:${operation}`, fault: { error: { code, message } } });
    const told = await failure(write('/ci/key'));
    expect([told.code, told.message, told.hint]).toEqual([
      ours,
      expect.stringMatching(what),
      expect.stringMatching(hint),
    ]);
  });

  it('that is a plain String stays one, and the message says so', async () => {
    world.put('/ci/key', 'old', { type: 'String' });
    const told = await failure(write('/ci/key', { overwrite: true }));
    expect(told.message).toBe(
      'the parameter /ci/key is not a SecureString, and AWS does not change the type of a parameter',
    );
  });

  it.each<[string, Partial<NewVersion>, readonly string[], Code, string]>([
    [
      'ssm:PutParameter',
      {},
      [],
      'KEY_ACCESS_DENIED',
      `"Action":"ssm:PutParameter","Resource":"${parameters}ci/key"`,
    ],
    [
      ...(['ssm:AddTagsToResource', { tags: [{ key: 'a', value: 'b' }] }, ['ssm:PutParameter']] as const),
      ...([
        'KEY_ACCESS_DENIED',
        `"Action":"ssm:AddTagsToResource","Resource":"${parameters}ci/key"`,
      ] as const),
    ],
    [
      'kms:Encrypt',
      { kmsKeyId: 'alias/ci' },
      ['ssm:PutParameter'],
      'KMS_ACCESS_DENIED',
      '"Action":"kms:Encrypt"',
    ],
    [
      ...(['kms:GenerateDataKey', { kmsKeyId: 'alias/ci', tier: 'Advanced' }, ['ssm:PutParameter']] as const),
      ...(['KMS_ACCESS_DENIED', '"Action":"kms:GenerateDataKey"'] as const),
    ],
  ])('without %s gets the statement to add', async (...[, more, allowed, code, statement]) => {
    world.aws.kms.createKey({ ...place, alias: 'alias/ci' });
    const told = await failure(write('/ci/key', more, allow(['ssm:GetParameter', ...allowed], '*')));
    expect([told.code, told.hint]).toEqual([code, expect.stringContaining(statement)]);
    expect(parameter('/ci/key')).toBeUndefined();
  });

  it('says that it is stored where only its new tags are denied', async () => {
    world.put('/ci/key', 'old');
    const policy = allow(['ssm:PutParameter', 'ssm:DescribeParameters'], '*');
    const told = await failure(
      write('/ci/key', { overwrite: true, tags: [{ key: 'a', value: 'b' }] }, policy),
    );
    expect(told.code).toBe('KEY_ACCESS_DENIED');
    expect(told.message).toMatch(
      /^the parameter \/ci\/key is stored as version 2, but without its tags: tagging /,
    );
    expect(told.hint).toContain('"Action":"ssm:AddTagsToResource"');
  });
});
