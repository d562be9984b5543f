/** Signs for GitHub Apps whose key is in KMS, in a session that may do nothing else. Importing this file loads the AWS SDK. */
import type { KmsReference } from '../keys/key-reference.ts';
import { appActions, signForApp } from '../kms/app-signature.ts';
import type { FrontWanted } from './front-order.ts';
import type { Host } from './caller.ts';
import { withKms } from './kms.ts';
import type { ReadOptions } from './call-aws.ts';
import { signingAccess } from './signing-access.ts';

/** @throws the errors of assuming the role, and of signForApp */
export async function signForAppInJob(
  { reference, message }: Signed,
  wanted: FrontWanted,
  options: ReadOptions,
): Promise<Buffer> {
  const asked = { ...options, ended: options.signal, actions: appActions };
  const access = await signingAccess([reference], wanted, asked);
  return await access.explain(() => signForApp(reference, message, access));
}

/** @throws as signForAppInJob */
export async function signForAppOnHost(
  { reference, message }: Signed,
  host: Host,
  options: Omit<ReadOptions, 'missing'>,
): Promise<Buffer> {
  return await withKms([reference], host, {
    options,
    work: (access) => signForApp(reference, message, access),
  });
}

interface Signed {
  readonly reference: KmsReference;
  readonly message: Buffer;
}
