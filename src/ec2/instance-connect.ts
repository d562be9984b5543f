/** EC2 Instance Connect: a temporary key that one instance accepts for one user for 60 seconds. */
import { generateKeyPairSync } from 'node:crypto';
import { EC2InstanceConnectClient, SendSSHPublicKeyCommand } from '@aws-sdk/client-ec2-instance-connect';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import { backOff } from '../back-off.ts';
import { renewing } from '../aws/renewing.ts';
import { abortable } from '../deadline.ts';
import { parsePrivateKey, type PrivateKey } from '../keys/private-key.ts';
import { authorizedKeysLine, type PublicKey } from '../keys/public-key.ts';
import type { Ec2Caller } from './caller.ts';
import { notAccepted, pushFailure } from './push-failures.ts';

/** Seconds that an instance accepts a pushed key. @source EC2 Instance Connect API Reference, SendSSHPublicKey */
export const pushedKeyLifetime = 60;

export interface Push {
  readonly instanceId: string;
  /** The login name on the instance. */
  readonly user: string;
  readonly publicKey: PublicKey;
}

/**
 * An Ed25519 key that exists only in memory.
 *
 * @param comment for `ssh-add -l`
 */
export function makeKeyPair(comment: string): PrivateKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  return parsePrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), comment);
}

/** Number of tries of one push: many connections at the same time exceed AWS's rate limit. */
const attempts = 6;
/** Milliseconds between two tries. */
const waits = { first: 200, longest: 2000 };

/**
 * Success only means that AWS has the key. The instance may still not ask for it.
 *
 * @param pause milliseconds before the next try of a call that was throttled or lost: before the first repetition,
 *   the second, …
 * @throws INSTANCE_CONNECT_FAILED, TARGET_NOT_FOUND (no such instance, or it is not running), THROTTLED, and the errors
 *   of any AWS call (src/aws/failures.ts)
 */
export async function pushKey(
  { instanceId, user, publicKey }: Push,
  caller: Ec2Caller,
  pause: (attempt: number) => number = (attempt) => backOff(waits, attempt),
): Promise<void> {
  const { region, connection, credentials, signal } = caller;
  // A client keeps its credentials.
  const open = (): EC2InstanceConnectClient =>
    new EC2InstanceConnectClient({
      ...{ region, ...connection, ...(credentials && { credentials }) },
      retryStrategy: new ConfiguredRetryStrategy(attempts, pause),
    });
  const command = new SendSSHPublicKeyCommand({
    InstanceId: instanceId,
    InstanceOSUser: user,
    SSHPublicKey: authorizedKeysLine(publicKey),
  });
  try {
    const push = renewing(caller, () => open().send(command, { abortSignal: signal }));
    const { Success } = await abortable(push, signal);
    if (Success === false) throw notAccepted({ instanceId, user, region });
  } catch (error) {
    signal.throwIfAborted();
    throw pushFailure(error, { instanceId, user, region });
  }
}
