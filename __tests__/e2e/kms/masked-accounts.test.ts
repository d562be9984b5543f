/** `mask-aws-account-id` at the end of a job, where post tells what the keys in KMS were used for. */
import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { authorizedKeysLine } from '../../../src/keys/public-key.ts';
import { readSpki } from '../../../src/keys/spki.ts';
import type { PolicyDocument } from '../../support/aws/local-aws.ts';
import { ACCOUNT, allow, REGION, startReadyWorld } from '../../support/aws/world.ts';
import { useStage } from '../stage.ts';

const account = '444455556666';
const policy: PolicyDocument = {
  Version: '2012-10-17',
  Statement: [
    {
      ...{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } },
      ...{ Action: 'kms:*', Resource: '*' },
    },
  ],
};

describe('mask-aws-account-id', () => {
  const stage = useStage();

  it('hides the account of the credentials, which only a refused signature names, from the log of post', async () => {
    const world = await startReadyWorld();
    const { host } = stage;
    const spec = 'ECC_NIST_EDWARDS25519';
    const arn = world.aws.signingKeys.create({ account, region: REGION, spec, alias: 'alias/ci', policy });
    const { privateKey = '' } = world.aws.signingKeys.get(arn);
    const publicKey = readSpki(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
    if (!publicKey) throw new Error('the key is of no known type');
    host.addDeployKey({
      ...{ repository: 'acme/lib', publicKey: authorizedKeysLine({ ...publicKey, comment: '' }) },
    });
    const userArn = `arn:aws:iam::${ACCOUNT}:user/runner`;
    const policies = [allow('kms:GetPublicKey', '*')];
    const credentials = world.aws.iam.createAccessKey({ userArn, policies });
    const job = stage.job({ env: world.aws.environment({ credentials }) });
    const keys = `${arn} ${host.address}:${String(host.port)}`;
    const inputs = { keys, 'aws-region': REGION, 'known-hosts': host.knownHosts };
    await job.uses({ with: { ...inputs, 'mask-aws-account-id': 'true' } });
    await job.run(`git ls-remote ${host.url('acme/lib')} || true`);
    const [post] = (await job.finish()).posts;
    expect(post?.log).toContain('not authorized to perform: kms:Sign');
    expect(post?.log).not.toContain(ACCOUNT);
    await world.stop();
  });
});
