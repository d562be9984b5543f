/** Makes a KMS key that signs, and its alias, from new or from imported key material. Importing this file loads the AWS SDK. */
import {
  CreateAliasCommand,
  CreateKeyCommand,
  GetParametersForImportCommand,
  GetPublicKeyCommand,
  ImportKeyMaterialCommand,
  KMSServiceException,
  ScheduleKeyDeletionCommand,
  type AlgorithmSpec,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { Failure } from '../errors.ts';
import type { KmsReference } from '../keys/key-reference.ts';
import type { PrivateKey } from '../keys/private-key.ts';
import type { PublicKey } from '../keys/public-key.ts';
import { readSpki } from '../keys/spki.ts';
import { attemptsOf, notFromAws, readAwsError } from '../aws/failures.ts';
import { kmsClient, type KmsPlace } from './kms-client.ts';
import { alreadyThere, makingFailure } from './make-key-failures.ts';
import { wrapMaterial, wrappingOf, type SshKeySpec } from './key-material.ts';

export interface NewKmsKey {
  /** An alias, not an ARN. */
  readonly reference: KmsReference;
  readonly spec: SshKeySpec;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  readonly description?: string | undefined;
  /** Absent: KMS makes it. */
  readonly material?: PrivateKey | undefined;
}

export interface MadeKmsKey {
  readonly arn: string;
  /** Without a comment. */
  readonly publicKey: Pick<PublicKey, 'type' | 'blob'>;
}

export interface MakeOptions {
  readonly place: KmsPlace;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

/** Milliseconds for what has to end well after the caller has left. */
const patience = 5_000;

/**
 * A key that does not get its alias is deleted again.
 *
 * @throws INPUT_INVALID if the alias exists; KEY_ACCESS_DENIED, KEY_UNSUPPORTED, and the failures of any call
 */
export async function makeKmsKey(wanted: NewKmsKey, options: MakeOptions): Promise<MadeKmsKey> {
  return await new Maker(wanted, options).make();
}

class Maker {
  readonly #wanted: NewKmsKey;
  readonly #options: MakeOptions;
  readonly #client: KMSClient;

  constructor(wanted: NewKmsKey, options: MakeOptions) {
    this.#wanted = wanted;
    this.#options = options;
    this.#client = kmsClient(options.place, options.place.region);
  }

  async make(): Promise<MadeKmsKey> {
    const { spec, material } = this.#wanted;
    const wrapping = material && wrappingOf(spec, this.#options.place.region);
    await this.#tell(() => this.#requireFree());
    const arn = await this.#tell(() => this.#create());
    try {
      return await this.#tell(() => this.#finish(arn, wrapping));
    } catch (error) {
      await this.#remove(arn);
      throw error;
    }
  }

  async #tell<T>(work: () => Promise<T>): Promise<T> {
    const { reference, material } = this.#wanted;
    const { place, signal } = this.#options;
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      throw makingFailure(error, {
        text: reference.text,
        region: place.region,
        imports: material !== undefined,
      });
    }
  }

  /** Also for a key that this caller may not read: only a name without a key is NotFoundException. */
  async #requireFree(): Promise<void> {
    const there = new Set([
      'AccessDeniedException',
      'DisabledException',
      'KMSInvalidStateException',
      'UnsupportedOperationException',
    ]);
    const { reference } = this.#wanted;
    const { place, signal: abortSignal } = this.#options;
    const where = { text: reference.text, region: place.region };
    try {
      await this.#client.send(new GetPublicKeyCommand({ KeyId: reference.name }), { abortSignal });
    } catch (error) {
      const { name, message } = readAwsError(error);
      if (name === 'NotFoundException') return;
      // Without an ARN of a key, the permission itself is missing.
      const isThere =
        there.has(name) && (name !== 'AccessDeniedException' || /:key\/[\w-]{36}/.test(message));
      throw isThere ? alreadyThere(where, error) : error;
    }
    throw alreadyThere(where);
  }

  /** Once: a second try after a lost answer would leave a key that nobody knows. */
  async #create(): Promise<string> {
    const { spec, tags, description, material } = this.#wanted;
    const { place, signal: abortSignal } = this.#options;
    const connection = { ...place.connection, maxAttempts: 1 };
    const command = new CreateKeyCommand({
      ...{ KeySpec: spec, KeyUsage: 'SIGN_VERIFY', Origin: material ? 'EXTERNAL' : 'AWS_KMS' },
      ...(description !== undefined && { Description: description }),
      ...(tags.length > 0 && { Tags: tags.map(({ key, value }) => ({ TagKey: key, TagValue: value })) }),
    });
    const { KeyMetadata } = await kmsClient({ ...place, connection }, place.region)
      .send(command, { abortSignal })
      .catch((error: unknown) => {
        if (!(error instanceof KMSServiceException)) this.#warnOfUnknown();
        throw error;
      });
    if (KeyMetadata?.Arn === undefined) throw notFromAws(this.#attempted());
    return KeyMetadata.Arn;
  }

  #warnOfUnknown(): void {
    const { place, warn } = this.#options;
    warn(
      `KMS has perhaps made a key, which has no alias: aws kms list-keys --region ${place.region} shows it, and aws kms schedule-key-deletion deletes it`,
    );
  }

  async #finish(arn: string, wrapping: AlgorithmSpec | undefined): Promise<MadeKmsKey> {
    const { reference, material } = this.#wanted;
    const { signal: abortSignal } = this.#options;
    if (material && wrapping) await this.#import(arn, material, wrapping);
    const { PublicKey: der } = await this.#client.send(new GetPublicKeyCommand({ KeyId: arn }), {
      abortSignal,
    });
    const publicKey = der && readSpki(der);
    if (!publicKey) throw notFromAws(this.#attempted());
    if (material && !publicKey.blob.equals(material.publicKey.blob)) {
      throw new Failure('KEY_MALFORMED', `KMS has another key for ${reference.text} than the file`, {
        hint: 'please report this; the KMS key is deleted again',
      });
    }
    await this.#name(arn);
    return { arn, publicKey };
  }

  /**
   * If an earlier answer was lost, the last one may refuse the alias because it is there. An interrupt does not end the
   * call: a key that gets its alias must not be deleted.
   */
  async #name(arn: string): Promise<void> {
    const { reference } = this.#wanted;
    const { signal } = this.#options;
    signal.throwIfAborted();
    const command = new CreateAliasCommand({ AliasName: reference.name, TargetKeyId: arn });
    try {
      await this.#client.send(command, { abortSignal: abortedLater(signal, patience) });
    } catch (error) {
      if (attemptsOf(error) < 2 && !signal.aborted) throw error;
      const named = new GetPublicKeyCommand({ KeyId: reference.name });
      const abortSignal = AbortSignal.timeout(patience);
      const { KeyId } = await this.#client.send(named, { abortSignal }).catch(() => ({ KeyId: undefined }));
      if (KeyId !== arn) throw error;
    }
  }

  async #import(arn: string, material: PrivateKey, wrapping: AlgorithmSpec): Promise<void> {
    const { signal: abortSignal } = this.#options;
    const asked = { KeyId: arn, WrappingAlgorithm: wrapping, WrappingKeySpec: 'RSA_4096' } as const;
    const { ImportToken, PublicKey: wrappingKey } = await this.#client.send(
      new GetParametersForImportCommand(asked),
      { abortSignal },
    );
    if (!ImportToken || !wrappingKey) throw notFromAws(this.#attempted());
    const command = new ImportKeyMaterialCommand({
      ...{ KeyId: arn, ImportToken, ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' },
      EncryptedKeyMaterial: wrapMaterial(material, wrappingKey, wrapping),
    });
    await this.#client.send(command, { abortSignal });
  }

  /** In seven days, the shortest time that KMS takes. */
  async #remove(arn: string): Promise<void> {
    const { place, warn } = this.#options;
    try {
      // Also for a caller that has left, but not for long.
      const abortSignal = AbortSignal.timeout(patience);
      await this.#client.send(new ScheduleKeyDeletionCommand({ KeyId: arn, PendingWindowInDays: 7 }), {
        abortSignal,
      });
      warn(`the KMS key ${arn} was made for nothing, and will be deleted in seven days`);
    } catch {
      warn(
        `the KMS key ${arn} was made, and has no alias: delete it by aws kms schedule-key-deletion --region ${place.region} --key-id ${arn}`,
      );
    }
  }

  #attempted(): Parameters<typeof notFromAws>[0] {
    return { service: 'kms', region: this.#options.place.region, resource: this.#wanted.reference.text };
  }
}

function abortedLater(signal: AbortSignal, milliseconds: number): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => {
    setTimeout(() => {
      controller.abort(signal.reason);
    }, milliseconds).unref();
  };
  signal.addEventListener('abort', abort, { once: true });
  return controller.signal;
}
