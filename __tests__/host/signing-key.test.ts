/** A key with a certificate, opened for the agent in front. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SigningOrder } from '../../src/host/front-order.ts';
import { serveKey, type Opening } from '../../src/host/signing-key.ts';
import { parseKeyLine, type SigningKeyLine } from '../../src/keys/key-line.ts';
import { Identities } from '../../src/kms/front/identities.ts';
import { UseLog } from '../../src/kms/front/use-log.ts';
import { ACCOUNT, allow, REGION } from '../support/aws/world.ts';
import { openKmsStage, place, type KmsStage } from '../kms/kms-stage.ts';

const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;
let stage: KmsStage;

beforeEach(async () => {
  stage = await openKmsStage();
  stage.aws.signingKeys.create({ ...place, spec: 'ECC_NIST_EDWARDS25519', alias: 'alias/ca' });
  const user = { userArn: `arn:aws:iam::${ACCOUNT}:user/signer`, policies: [allow('kms:*', '*')] };
  const { accessKeyId, secretAccessKey } = stage.aws.iam.createAccessKey(user);
  process.env['AWS_ACCESS_KEY_ID'] = accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = secretAccessKey;
});
afterEach(async () => {
  for (const name of names) Reflect.deleteProperty(process.env, name);
  await stage.close();
});

const order: SigningOrder = {
  line: parseKeyLine('new:ed25519 ca=kms:alias/ca principals=deploy') as SigningKeyLine,
  ...{ lifetime: 3600, knownHosts: [] },
};

describe('a key with ca=', () => {
  it('has one renewal of its certificate, also if the first signature of the authority failed', async () => {
    const ended = new AbortController();
    const said: string[] = [];
    const opening: Opening = {
      wanted: {
        ...{ regions: [REGION], role: null, allowedAccounts: [] },
        ...{ maxAttempts: 1, timeoutSeconds: 20 },
      },
      ...{ env: { GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'acme/app', GITHUB_RUN_ID: '1' } },
      ...{ signal: AbortSignal.timeout(20_000), ended: ended.signal },
      voice: { info: (text) => said.push(text), warn: (text) => said.push(text), mask: () => undefined },
      missing: { region: '', credentials: '', expired: '' },
    };
    const error = { code: 'ExpiredTokenException', message: 'The security token has expired' };
    // The signer itself tries once more.
    stage.aws.faults.order({ operation: 'kms:Sign', fault: { error }, times: 2 });
    const identities = new Identities({ now: () => performance.now(), onEmpty: () => undefined });
    try {
      const served = await serveKey(order, { identities, log: new UseLog() }, opening);
      expect(served.certificate).toContain('-cert-v01@');
      expect(said.join()).toContain('asking for new ones');
      await sleep(2000);
      expect(stage.operations().filter((name) => name === 'kms:Sign')).toHaveLength(3);
    } finally {
      ended.abort();
      identities.removeAll();
    }
  });
});
