/** Makes a KMS key like another one. Importing this file loads the AWS SDK. */
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  KMSServiceException,
  ListResourceTagsCommand,
  type KeyMetadata,
  type Tag,
} from '@aws-sdk/client-kms';
import { readAwsError } from '../aws/failures.ts';
import { tookTooLong, withDeadline } from '../deadline.ts';
import { Failure } from '../errors.ts';
import { kmsClient } from './kms-client.ts';
import type { SshKeySpec } from './key-material.ts';
import { newKeyHint } from './kms-failures.ts';
import type { NamedKey, RotationCalls } from './rotation-calls.ts';

/** Tells a key that was made by a rotation. Its value is the alias of the rotation. */
const madeBy = 'ssm-ssh-agent:rotation';

/** What a new key takes over. */
export interface Model {
  readonly spec: string;
  readonly description: string | undefined;
  readonly tags: readonly Tag[];
  readonly policy: string;
}

/** Seconds for KMS to make a key. */
export const makingPatience = 10;

/** @throws INPUT_INVALID for a key that has copies in other Regions; KEY_ACCESS_DENIED */
export async function modelOf({ arn }: NamedKey, calls: RotationCalls): Promise<Model> {
  const { text, name } = calls.reference;
  const describe = new DescribeKeyCommand({ KeyId: name });
  const reading = new GetKeyPolicyCommand({ KeyId: arn, PolicyName: 'default' });
  const [described, answer, tags] = await Promise.all([
    calls.send('describing', (client, limits) => client.send(describe, limits)),
    calls.send('reading the policy of', (client, limits) => client.send(reading, limits)),
    tagsOf(arn, calls),
  ]);
  const metadata = described?.KeyMetadata;
  if (metadata?.KeySpec === undefined || answer?.Policy === undefined) throw calls.foreign();
  if (metadata.MultiRegion) {
    throw new Failure('INPUT_INVALID', `${text} is a multi-Region key, which rotate does not replace`, {
      hint: 'make a key for each Region by ssm-ssh-agent keygen kms:alias/NAME, register both public keys, and then write the new name in keys',
    });
  }
  return {
    spec: metadata.KeySpec,
    description: metadata.Description || undefined,
    // AWS gives those that begin with aws: by itself.
    tags: tags.filter(({ TagKey = '' }) => !TagKey.startsWith('aws:') && TagKey !== madeBy),
    // A policy belongs to its own key: there, the ARN of the key means the same as *.
    policy: answer.Policy.replaceAll(JSON.stringify(arn), '"*"'),
  };
}

async function tagsOf(arn: string, calls: RotationCalls): Promise<Tag[]> {
  const tags: Tag[] = [];
  let Marker: string | undefined;
  do {
    const page = new ListResourceTagsCommand({ KeyId: arn, ...(Marker !== undefined && { Marker }) });
    const answer = await calls.send('reading the tags of', (client, limits) => client.send(page, limits));
    tags.push(...(answer?.Tags ?? []));
    Marker = answer?.NextMarker;
  } while (Marker !== undefined);
  return tags;
}

/** Whether a rotation of this alias has made the key. */
export async function isMadeFor(arn: string, calls: RotationCalls): Promise<boolean> {
  const tags = await tagsOf(arn, calls);
  return tags.some(({ TagKey, TagValue }) => TagKey === madeBy && TagValue === calls.reference.name);
}

/**
 * Asks once: a second try after a lost answer would make a second key.
 *
 * @returns the ARN
 * @throws the failures of the call; if not `isRefused`, a key may be there nevertheless
 */
export async function makeSimilar(model: Model, spec: SshKeySpec, calls: RotationCalls): Promise<string> {
  const { place, signal } = calls.options;
  const { name, text } = calls.reference;
  const { description, tags, policy } = model;
  const command = new CreateKeyCommand({
    ...{ KeySpec: spec, KeyUsage: 'SIGN_VERIFY', Policy: policy },
    ...(description !== undefined && { Description: description }),
    Tags: [...tags, { TagKey: madeBy, TagValue: name }],
  });
  const once = kmsClient({ ...place, connection: { ...place.connection, maxAttempts: 1 } }, place.region);
  const reason = tookTooLong(`making a KMS key like ${text}`, makingPatience, 'run it again: it goes on');
  const deadline = { milliseconds: makingPatience * 1000, reason, signal };
  const { KeyMetadata: made } = await withDeadline(deadline, (abortSignal) =>
    once.send(command, { abortSignal }),
  ).catch((error: unknown): { KeyMetadata?: KeyMetadata } => {
    signal.throwIfAborted();
    throw calls.options.explain(makingFailure(error, calls));
  });
  if (made?.Arn === undefined) throw calls.foreign();
  return made.Arn;
}

/** Whether the answer says that no key was made. */
export function isRefused(error: unknown): boolean {
  const cause = error instanceof Failure ? error.cause : error;
  return cause instanceof KMSServiceException && cause.$fault === 'client';
}

function makingFailure(error: unknown, calls: RotationCalls): Failure {
  const { name, message } = readAwsError(error);
  const { text } = calls.reference;
  if (name === 'MalformedPolicyDocumentException') {
    return new Failure(
      'KEY_ACCESS_DENIED',
      `KMS does not make a key with the policy of ${text}: ${message}`,
      {
        hint: 'the policy of the key has to let the caller of rotate change it (kms:PutKeyPolicy), or leave that to the account and its IAM policies',
        cause: error,
      },
    );
  }
  if (name === 'UnsupportedOperationException' || name === 'ValidationException') {
    return new Failure('KEY_UNSUPPORTED', `KMS makes no key like ${text}: ${message}`, {
      hint: newKeyHint,
      cause: error,
    });
  }
  return calls.failureOf(error, 'making a new key like');
}
