/** Why a host may have let nobody in with a key that AWS took. Pure. */
import { Failure } from '../../src/errors.ts';
import type { PushTarget } from './pushed-key.ts';

export function loginRefused({ instanceId, user }: PushTarget): Failure {
  return new Failure(
    'INSTANCE_CONNECT_FAILED',
    `${instanceId} did not let ${user} in with the key that was pushed`,
    {
      hint:
        `most often it has no user ${user} (Amazon Linux has ec2-user, Ubuntu ubuntu, Debian admin), or the package ` +
        "ec2-instance-connect is missing there, so that its sshd does not ask for pushed keys; the policy's ec2:osuser is not the cause, since AWS took the key",
    },
  );
}
