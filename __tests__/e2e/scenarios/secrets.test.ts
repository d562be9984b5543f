import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { startBackend, type Backend } from '../../support/backend.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';
import { openStage, told, type Stage } from '../stage.ts';
import { itInTurn as it } from '../../support/parts.ts';

describe('a secret of Secrets Manager', () => {
  let stage: Stage;
  let aws: Backend;
  let first: SshKey;
  let second: SshKey;
  let arn: string;
  let firstId: string;

  beforeAll(async () => {
    [stage, aws, first, second] = await Promise.all([
      openStage(),
      startBackend(),
      makeSshKey(),
      makeSshKey(),
    ]);
    ({ arn, versionId: firstId } = await aws.putSecret('ci/deploy', first.privateKey));
    await aws.putSecret('ci/deploy', second.privateKey);
    const json = { first: first.privateKey, second: second.privateKey, user: 'git', port: 22 };
    await aws.putSecret('ci/json', JSON.stringify(json));
    await aws.putSecret('ci/binary', Buffer.from(first.privateKey));
    await aws.putSecret('ci/odd_+=.@-name', second.privateKey);
    await aws.put('/ci/deploy-key', second.privateKey);
  });
  afterAll(async () => {
    await Promise.all([stage.close(), aws.stop()]);
  });

  const use = async (
    keys: string,
    more: Record<string, string> = {},
  ): Promise<ReturnType<typeof told> & { fingerprints: string; files: number; log: string }> => {
    const job = stage.job({ env: aws.jobEnvironment() });
    const inputs = { keys, 'aws-region': aws.region, 'role-to-assume': aws.roleArn, ...more };
    const { log, ...main } = await job.uses({ with: inputs });
    const fingerprints = main.outputs['fingerprints'] ?? '';
    return { ...told({ log, ...main }), fingerprints, files: job.files().length, log };
  };
  const named = (keys: string): string => keys.replaceAll('ARN', arn).replaceAll('FIRST-ID', firstId);

  it.each([
    ['text', 'secretsmanager:ci/deploy', () => second],
    ['a name with every character', 'secretsmanager:ci/odd_+=.@-name', () => second],
    ['text, with empty parts behind', 'secretsmanager:ci/deploy:::', () => second],
    ['binary', 'secretsmanager:ci/binary', () => first],
    ['a JSON key', 'secretsmanager:ci/json:first', () => first],
    ['a stage', 'secretsmanager:ci/deploy::AWSPREVIOUS', () => first],
    ['a version id', 'secretsmanager:ci/deploy:::FIRST-ID', () => first],
    ['a stage and a version id', 'secretsmanager:ci/deploy::AWSPREVIOUS:FIRST-ID', () => first],
    ['an ARN', 'ARN', () => second],
    ['an ARN and a stage', 'ARN::AWSPREVIOUS', () => first],
    ['an ARN behind the scheme', 'secretsmanager:ARN:::FIRST-ID', () => first],
  ])('may be %s', async (_, keys, key) => {
    const { fingerprints, text } = await use(named(keys));
    expect(text).toBe('');
    expect(JSON.parse(fingerprints)).toEqual([key().fingerprint]);
  });

  it('may stand beside parameters and parts of itself, each line in its order', async () => {
    const lines = [
      'secretsmanager:ci/json:second',
      '/ci/deploy-key',
      'secretsmanager:ci/deploy',
      'secretsmanager:ci/json:first',
      'ARN::AWSPREVIOUS',
      'secretsmanager:ci/binary',
      'secretsmanager:ci/json:second',
    ];
    const { fingerprints, text, log } = await use(named(lines.join('\n')));
    expect(text).toBe('');
    const keys = [second, second, second, first, first, first, second];
    expect(JSON.parse(fingerprints)).toEqual(keys.map(({ fingerprint }) => fingerprint));
    expect(log).toContain('reading 7 keys from Secrets Manager and Parameter Store\n');
  });

  it('is read with the credentials of the environment where no role is named', async () => {
    const job = stage.job({ env: aws.credentialEnvironment() });
    const keys = 'secretsmanager:ci/deploy\nsecretsmanager:ci/binary';
    const main = await job.uses({ with: { keys, 'aws-region': aws.region } });
    expect(told(main).text).toBe('');
    expect(main.outputs['aws-account-id']).toBe(aws.account);
  });

  // What the session policy leaves out cannot be told from what is not there: both backends are asked without one.
  it.each([
    [
      'secretsmanager:ci/nowhere',
      'KEY_NOT_FOUND',
      /there is no secret secretsmanager:ci\/nowhere in eu-west-1/,
    ],
    ['secretsmanager:ci/deploy\nsecretsmanager:ci/nowhere', 'KEY_NOT_FOUND', /hint: .*describe-secret/],
    ['/ci/deploy-key\nsecretsmanager:ci/nowhere:key', 'KEY_NOT_FOUND', /ci\/nowhere:key in eu-west-1/],
    ['secretsmanager:ci/deploy::nowhere', 'KEY_VERSION_NOT_FOUND', /list-secret-version-ids .*ci\/deploy/],
    [`secretsmanager:ci/deploy:::${'0'.repeat(36)}`, 'KEY_VERSION_NOT_FOUND', /no such version/],
    [
      'secretsmanager:ci/json:third',
      'KEY_FIELD_MISSING',
      /"third" is missing.*\nhint: .*"first", "second", "user"/,
    ],
    ['secretsmanager:ci/json:port', 'KEY_FIELD_MISSING', /"port" is not a string/],
    ['secretsmanager:ci/deploy:key', 'KEY_FIELD_MISSING', /not a JSON object.*\nhint: remove ":key"/],
    ['secretsmanager:ci/json:user', 'KEY_NOT_PRIVATE', /something else/],
    [
      'secretsmanager:ci/json',
      'KEY_MALFORMED',
      /more than one.*\nhint: .*write for example .*ci\/json:first/,
    ],
  ])('%j fails by %s, and loads nothing', async (keys, code, hint) => {
    const result = await use(keys, { 'session-policy': 'none' });
    expect(result.code).toBe(code);
    expect(result.text).toMatch(hint);
    expect(result.text).not.toContain('PRIVATE KEY-----\\n');
    expect(result.files).toBe(0);
  });

  it('of JSON without any key in it is told to be so, with what is in it and none of its values', async () => {
    await aws.putSecret('ci/database', JSON.stringify({ username: 'admin', password: 'correct horse' }));
    const { code, text, log } = await use('secretsmanager:ci/database');
    expect(code).toBe('KEY_NOT_PRIVATE');
    expect(text).toContain('holds JSON, not a private key');
    expect(text).toContain(
      'its JSON has "username", "password": write for example secretsmanager:ci/database:',
    );
    expect(log).not.toContain('horse');
  });

  it('that is wrong is told together with parameters that are', async () => {
    const { text } = await use('/ci/nowhere\nsecretsmanager:ci/nowhere', { 'session-policy': 'none' });
    expect(text).toContain('there is no parameter /ci/nowhere');
    expect(text).toContain('there is no secret secretsmanager:ci/nowhere');
  });
});
