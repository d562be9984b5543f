import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Failure } from '../../src/errors.ts';
import { findPolicyHome } from '../../src/host/policy-home.ts';
import { parseReference } from '../../src/keys/reference.ts';

describe('the account and the Region of a policy', () => {
  it('are not guessed after an interrupt, even if the ARNs of the references would do', async () => {
    const arn = 'arn:aws:ssm:eu-west-1:111122223333:parameter/ci/key';
    const reason = new Failure('TIMEOUT', 'interrupted by SIGINT', { hint: 'run it again' });
    const wish = {
      ...{ references: [parseReference(arn)], signing: [], namesAccount: false, namesRegion: false },
      ...{ account: undefined, kmsKeyId: undefined },
      host: { region: undefined, roles: [], timeoutSeconds: 1 },
    };
    const voice = { info: () => undefined, warn: () => undefined, mask: () => undefined };
    const env = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'none' };
    // The abandoned work goes on in the AWS SDK: what it needs is there, so that it ends at once.
    Object.assign(process.env, env);
    await Promise.all([import('@aws-sdk/client-sts'), import('@aws-sdk/credential-provider-env')]);
    const finding = findPolicyHome(wish, { env, voice, signal: AbortSignal.abort(reason) });
    await expect(finding).rejects.toBe(reason);
    await sleep(300);
  });
});
