/** Storing with the real AWS SDK against the local AWS: what is stored, what is asked, and what errors say. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openConnection } from '../../src/aws/connection.ts';
import { Failure, type Code } from '../../src/errors.ts';
import { parseStorageName } from '../../src/keys/storage-name.ts';
import type { NewVersion, StoredVersion, WriteOptions } from '../../src/secrets/new-version.ts';
import { writeVersion } from '../../src/secrets/write.ts';
import type { PolicyDocument } from '../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, startReadyWorld, type ReadyWorld } from '../support/aws/world.ts';

const place = { account: ACCOUNT, region: REGION };
const parameters = `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/`;
const secrets = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:`;
const everything = allow(['ssm:*', 'secretsmanager:*', 'kms:*'], '*');

describe('storing', () => {
  let world: ReadyWorld;
  let warnings: string[];
  let clients: { connection: WriteOptions['connection'] }[];

  beforeEach(async () => {
    world = await startReadyWorld();
    [warnings, clients] = [[], []];
  });
  afterEach(async () => {
    for (const { connection } of clients) connection.requestHandler.destroy();
    await world.stop();
  });

  function options(...policies: PolicyDocument[]): WriteOptions {
    const user = { userArn: `arn:aws:iam::${ACCOUNT}:user/writer`, policies };
    const credentials = world.aws.iam.createAccessKey(user);
    const connection = openConnection({ env: {}, maxAttempts: 3 });
    clients.push({ connection });
    process.env['AWS_ENDPOINT_URL'] = world.aws.endpoint;
    return {
      ...{
        connection,
        credentials: { sessionToken: '', ...credentials },
        region: REGION,
        signal: new AbortController().signal,
      },
      account: () => Promise.resolve(ACCOUNT),
      sleep: () => Promise.resolve(),
      warn: (message) => warnings.push(message),
    };
  }

  const wanted = (name: string, more: Partial<NewVersion> = {}): NewVersion => ({
    reference: parseStorageName(name, { secret: false }),
    ...{ text: 'the key', overwrite: false, tier: 'Intelligent-Tiering', tags: [] },
    ...more,
  });
  const write = (
    name: string,
    more?: Partial<NewVersion>,
    ...policies: PolicyDocument[]
  ): Promise<StoredVersion> =>
    writeVersion(wanted(name, more), options(...(policies.length > 0 ? policies : [everything])));
  const failure = async (work: Promise<unknown>): Promise<Failure> => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error instanceof Failure) return error;
    throw new Error('nothing was thrown, or no Failure', { cause: error });
  };
  const parameter = (name: string): unknown => {
    const found = world.aws.parameters.find(place, name);
    const latest = found?.versions.at(-1);
    if (!found || !latest) return undefined;
    const { version, type, tier, keyId, description } = latest;
    const value = world.aws.parameters.reveal(latest, found.arn);
    return { value, version, type, tier, keyId, description, tags: found.tags };
  };
  const secret = (name: string): unknown => {
    const found = world.aws.secrets.find(place, name);
    const current = found?.versions.find(({ stages }) => stages.has('AWSCURRENT'));
    if (!found || !current) return undefined;
    const { description, tags, keyId } = found;
    return {
      value: world.aws.secrets.reveal(current, found.arn),
      versions: found.versions.length,
      description,
      tags,
      keyId,
    };
  };
  const operations = (): string[] => world.aws.calls.map(({ operation }) => operation);

  describe('a parameter', () => {
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

    it('says that it does not know the KMS key, where it may not ask', async () => {
      world.put('/ci/key', 'old');
      await write('/ci/key', { overwrite: true }, allow('ssm:PutParameter', `${parameters}ci/*`));
      expect(warnings).toEqual([expect.stringMatching(/^the KMS key of \/ci\/key is unknown.*--kms-key-id/)]);
      await write(
        '/ci/key',
        { overwrite: true, kmsKeyId: 'alias/aws/ssm' },
        allow('ssm:PutParameter', `${parameters}ci/*`),
      );
      expect(warnings.length).toBe(1);
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
      else
        expect(await failure(writing)).toMatchObject({ code, message: expect.stringContaining('perhaps') });
      expect(parameter('/ci/key')).toMatchObject({ value: 'the key', version: 1 });
    });

    it("whose answer is lost is told from another program's of the same name", async () => {
      world.put('/ci/key', "another program's");
      world.aws.faults.order({ operation: 'ssm:PutParameter', fault: 'internal-error', times: 1 });
      const told = await failure(write('/ci/key'));
      expect([told.code, told.message]).toEqual([
        'INPUT_INVALID',
        expect.stringContaining('was not changed'),
      ]);
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
        ...options(everything),
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
        ...([
          'kms:GenerateDataKey',
          { kmsKeyId: 'alias/ci', tier: 'Advanced' },
          ['ssm:PutParameter'],
        ] as const),
        ...(['KMS_ACCESS_DENIED', '"Action":"kms:GenerateDataKey"'] as const),
      ],
    ])('without %s gets the statement to add', async (_, more, allowed, code, statement) => {
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

  describe('a secret', () => {
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
      expect([told.code, told.message]).toEqual([
        'INPUT_INVALID',
        expect.stringContaining('was not changed'),
      ]);
      await write(`${name}:key`, { overwrite: true });
      expect(secret('ci/deploy')).toMatchObject({ value: '{\n  "port": 22.0,\n  "key": "the key"\n}\n' });
      await write(`${name}:second`);
      expect(secret('ci/deploy')).toMatchObject({
        value: '{\n  "port": 22.0,\n  "key": "the key", "second": "the key"\n}\n',
        versions: 3,
      });
    });

    it('is made with its first member, and an empty one gets it', async () => {
      await write(`${name}:key`);
      expect(secret('ci/deploy')).toMatchObject({ value: '{"key":"the key"}' });
      world.aws.secrets.put({ ...place, name: 'ci/empty' });
      await write('secretsmanager:ci/empty:key');
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
    ] as const)('without %s gets the statement to add', async (_, more, allowed, code, statement) => {
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
});
