import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { startBackend, type Backend } from '../../support/backend.ts';
import { makeSshKey, type SshKey } from '../../support/ssh-keys.ts';
import { openStage, told, type Stage } from '../stage.ts';
import { itInTurn as it } from '../../support/parts.ts';

describe('a key reference', () => {
  let stage: Stage;
  let aws: Backend;
  let first: SshKey;
  let second: SshKey;
  let arn: string;

  beforeAll(async () => {
    [stage, aws, first, second] = await Promise.all([
      openStage(),
      startBackend(),
      makeSshKey(),
      makeSshKey(),
    ]);
    await aws.put('/ci/deploy-key', first.privateKey, { labels: ['prod'] });
    arn = await aws.put('/ci/deploy-key', second.privateKey);
  });
  afterAll(async () => {
    await Promise.all([stage.close(), aws.stop()]);
  });

  const use = async (
    keys: string,
  ): Promise<ReturnType<typeof told> & { fingerprints: string; files: number }> => {
    const job = stage.job({ env: aws.jobEnvironment() });
    const inputs = { keys, 'aws-region': aws.region, 'role-to-assume': aws.roleArn };
    const main = await job.uses({ with: inputs });
    return { ...told(main), fingerprints: main.outputs['fingerprints'] ?? '', files: job.files().length };
  };

  it.each([
    ['the latest version', '/ci/deploy-key', () => second],
    ['a version', '/ci/deploy-key:1', () => first],
    ['a label', '/ci/deploy-key:prod', () => first],
    ['the scheme ssm:', 'ssm:/ci/deploy-key', () => second],
    ['an ARN', 'ARN', () => second],
    ['an ARN and a version', 'ARN:1', () => first],
  ])('may name %s', async (_, keys, key) => {
    const { fingerprints, text } = await use(keys.replace('ARN', arn));
    expect(text).toBe('');
    expect(JSON.parse(fingerprints)).toEqual([key().fingerprint]);
  });

  it('may stand beside others of the same parameter, each line in its order', async () => {
    const { fingerprints } = await use(
      `# rotated\n/ci/deploy-key\n\n  /ci/deploy-key:1\n${arn}:2\n/ci/deploy-key`,
    );
    const versions = [second, first, second, second];
    expect(JSON.parse(fingerprints)).toEqual(versions.map(({ fingerprint }) => fingerprint));
  });

  it('to a parameter that is not there fails by KEY_NOT_FOUND, and loads nothing', async () => {
    const { code, text, files } = await use('/ci/deploy-key\n/ci/nowhere');
    expect(code).toBe('KEY_NOT_FOUND');
    expect(text).toContain('there is no parameter /ci/nowhere in eu-west-1');
    expect(text).toContain('\nhint: check the name, the region and the account');
    expect(files).toBe(0);
  });

  it.each(['/ci/deploy-key:3', '/ci/deploy-key:nowhere', '/ci/deploy-key\n/ci/deploy-key:3'])(
    'to a version or label that is not there fails by KEY_VERSION_NOT_FOUND: %j',
    async (keys) => {
      const { code, text, files } = await use(keys);
      expect(code).toBe('KEY_VERSION_NOT_FOUND');
      expect(text).toContain('aws ssm get-parameter-history --region eu-west-1 --name /ci/deploy-key');
      expect(files).toBe(0);
    },
  );

  it('is read with the credentials of the environment where no role is named', async () => {
    const job = stage.job({ env: aws.credentialEnvironment() });
    const main = await job.uses({ with: { keys: '/ci/deploy-key', 'aws-region': aws.region } });
    expect(told(main).text).toBe('');
    expect(main.outputs['aws-account-id']).toBe(aws.account);
    expect(JSON.parse(main.outputs['fingerprints'] ?? '')).toEqual([second.fingerprint]);
  });

  it('takes its region from AWS_REGION, then from AWS_DEFAULT_REGION', async () => {
    for (const env of [
      { AWS_REGION: aws.region, AWS_DEFAULT_REGION: 'us-east-1' },
      { AWS_DEFAULT_REGION: aws.region },
    ]) {
      const job = stage.job({ env: { ...aws.jobEnvironment(), ...env } });
      const main = await job.uses({ with: { keys: '/ci/deploy-key', 'role-to-assume': aws.roleArn } });
      expect(told(main).text).toBe('');
    }
  });
});
