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
    const finding = findPolicyHome(wish, { env, voice, signal: AbortSignal.abort(reason) });
    await expect(finding).rejects.toBe(reason);
    // The abandoned work still loads files of the AWS SDK.
    await sleep(300);
  });
});
