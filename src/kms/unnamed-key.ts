/** Finds the key of a rotation that was stopped before the key got its alias. Importing this file loads the AWS SDK. */
import { DescribeKeyCommand, ListKeysCommand } from '@aws-sdk/client-kms';
import { Failure } from '../errors.ts';
import { inLanes } from '../in-lanes.ts';
import type { RotationCalls } from './rotation-calls.ts';
import { isMadeFor } from './similar-key.ts';

/** Milliseconds that KMS's own clocks may differ by. */
const tolerance = 2_000;

/**
 * KMS cannot search, so each key of the account and Region is asked for its tags.
 *
 * @param begun when the rotation began: older keys were made by other rotations
 * @returns the ARN
 */
export async function findUnnamed(begun: Date, calls: RotationCalls): Promise<string | undefined> {
  const tagged = await inLanes(await allKeys(calls), async (arn) =>
    (await isOurs(arn, calls)) ? [arn] : [],
  );
  for (const arn of tagged.flat()) if (await isUnused(arn, begun, calls)) return arn;
  return undefined;
}

async function allKeys(calls: RotationCalls): Promise<string[]> {
  const arns: string[] = [];
  let Marker: string | undefined;
  do {
    const page = new ListKeysCommand({ Limit: 1000, ...(Marker !== undefined && { Marker }) });
    const answer = await calls.send('looking for a new key of', (client, limits) =>
      client.send(page, limits),
    );
    arns.push(...(answer?.Keys ?? []).flatMap(({ KeyArn }) => KeyArn ?? []));
    Marker = answer?.NextMarker;
  } while (Marker !== undefined);
  return arns;
}

/** The policies of other keys may not let this caller read their tags. */
async function isOurs(arn: string, calls: RotationCalls): Promise<boolean> {
  try {
    return await isMadeFor(arn, calls);
  } catch (error) {
    if (error instanceof Failure && error.code === 'KEY_ACCESS_DENIED') return false;
    throw error;
  }
}

async function isUnused(arn: string, begun: Date, calls: RotationCalls): Promise<boolean> {
  if ((await calls.aliasesOf(arn)).length > 0) return false;
  const command = new DescribeKeyCommand({ KeyId: arn });
  const answer = await calls.send('describing', (client, limits) => client.send(command, limits));
  const { KeyState, CreationDate } = answer?.KeyMetadata ?? {};
  return KeyState === 'Enabled' && (CreationDate?.getTime() ?? 0) >= begun.getTime() - tolerance;
}
