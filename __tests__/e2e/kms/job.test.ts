/** Keys that stay in KMS, in a job: the built action, real ssh, sshd, git and ssh-agent. */
import { createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { authorizedKeysLine } from '../../../src/keys/public-key.ts';
import { readSpki } from '../../../src/keys/spki.ts';
import {
  ACCOUNT,
  allow,
  REGION,
  startReadyWorld,
  trustGitHub,
  type ReadyWorld,
} from '../../support/aws/world.ts';
import { openStage, told, type Stage } from '../stage.ts';
import { itInTurn as it } from '../../support/parts.ts';

const place = { account: ACCOUNT, region: REGION };
const role = `arn:aws:iam::${ACCOUNT}:role/signing`;
const specs = { rsa: 'RSA_2048', p256: 'ECC_NIST_P256', ed25519: 'ECC_NIST_EDWARDS25519' } as const;
const names = Object.keys(specs) as (keyof typeof specs)[];

describe('keys in KMS', () => {
  let stage: Stage;
  let world: ReadyWorld;

  beforeAll(async () => {
    [stage, world] = await Promise.all([openStage(), startReadyWorld()]);
    const { signingKeys, iam } = world.aws;
    world.put('/ci/deploy-key', stage.key.privateKey);
    iam.createRole({
      arn: role,
      trustPolicy: trustGitHub(),
      policies: [
        allow(['kms:GetPublicKey', 'kms:Sign'], `arn:aws:kms:${REGION}:${ACCOUNT}:key/*`),
        allow(['ssm:GetParameter', 'ssm:GetParameters'], '*'),
      ],
    });
    for (const name of names) {
      const arn = signingKeys.create({ ...place, spec: specs[name], alias: `alias/${name}` });
      const { privateKey } = signingKeys.get(arn);
      if (!privateKey) throw new Error('the key has no material');
      const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
      const publicKey = readSpki(der);
      if (!publicKey) throw new Error('not a key of SSH');
      await stage.host.createRepository(`acme/${name}`);
      const line = authorizedKeysLine({ ...publicKey, comment: name });
      stage.host.addDeployKey({ repository: `acme/${name}`, publicKey: line, write: true });
    }
  });
  afterAll(async () => {
    await Promise.all([stage.close(), world.stop()]);
  });

  const host = (): string => `${stage.host.address}:${String(stage.host.port)}`;
  const inputs = (more: Record<string, string> = {}): Record<string, string> => ({
    keys: [
      ...names.map((name) => `kms:alias/${name} ${host()}/acme/${name}`),
      `/ci/deploy-key ${host()}/acme/lib`,
    ].join('\n'),
    'aws-region': REGION,
    'role-to-assume': role,
    'known-hosts': stage.host.knownHosts,
    ...more,
  });

  it('clone and push four repositories, each by its own key, and post leaves nothing', async () => {
    const job = stage.job({ env: world.jobEnvironment() });
    const main = await job.uses({ with: inputs() });
    expect(told(main).text).toBe('');
    const steps = [...names, 'lib'].map(
      (name) => `git clone --quiet ${stage.host.url(`acme/${name}`)} ${name} && cd ${name} &&
        git -c user.name=ci -c user.email=ci@acme.test commit --quiet --allow-empty -m "${name}" &&
        git push --quiet origin HEAD && cd ..`,
    );
    const { log, exitCode } = await job.run(`set -e\n${steps.join('\n')}\nssh-add -l`);
    expect([exitCode, log]).toEqual([0, expect.stringContaining('ED25519')]);
    expect(log.trim().split('\n')).toHaveLength(4);
    expect(world.aws.calls.filter(({ operation }) => operation === 'kms:Sign')).toHaveLength(6);
  });
});
