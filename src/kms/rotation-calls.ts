/** The calls to KMS by which a key behind an alias is replaced. Importing this file loads the AWS SDK. */
import {
  CreateAliasCommand,
  DeleteAliasCommand,
  GetPublicKeyCommand,
  ListAliasesCommand,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
  type AliasListEntry,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { notFromAws, readAwsError, roleDenied } from '../aws/failures.ts';
import { renewing } from '../aws/renewing.ts';
import { abortable } from '../deadline.ts';
import { Failure } from '../errors.ts';
import type { KmsReference } from '../keys/key-reference.ts';
import type { PublicKey } from '../keys/public-key.ts';
import { pendingDays } from '../keys/rotation-aliases.ts';
import { readSpki } from '../keys/spki.ts';
import { kmsClient, type KmsPlace } from './kms-client.ts';
import { kmsFailure, newKeyHint } from './kms-failures.ts';

export interface RotationOptions {
  readonly place: KmsPlace;
  readonly signal: AbortSignal;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly warn: (message: string) => void;
  /** Returns the error to throw instead of a failure. */
  readonly explain: (error: unknown) => unknown;
}

/** A KMS key as its alias leads to it. */
export interface NamedKey {
  readonly arn: string;
  /** Without a comment. */
  readonly publicKey: Pick<PublicKey, 'type' | 'blob'>;
}

/** `gone`: there is such an alias, and the deletion of its key is scheduled. */
export type Named = NamedKey | 'gone' | undefined;

type Limits = Readonly<{ abortSignal: AbortSignal }>;

export class RotationCalls {
  readonly reference: KmsReference;
  readonly options: RotationOptions;
  readonly client: KMSClient;

  constructor(reference: KmsReference, options: RotationOptions) {
    this.reference = reference;
    this.options = options;
    this.client = kmsClient(options.place, options.place.region);
  }

  /**
   * @param doing `reading the policy of`, for messages
   * @param ignored the names of errors that mean: it is so already
   * @throws the failures of the call
   */
  async send<T>(
    doing: string,
    call: (client: KMSClient, limits: Limits) => Promise<T>,
    ignored: readonly string[] = [],
  ): Promise<T | undefined> {
    const { signal, explain, place } = this.options;
    try {
      const calling = renewing(place, () => call(this.client, { abortSignal: signal }));
      return await abortable(calling, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (ignored.includes(readAwsError(error).name)) return undefined;
      throw explain(this.failureOf(error, doing));
    }
  }

  failureOf(error: unknown, doing: string, text = this.reference.text): Failure {
    if (error instanceof Failure) return error;
    const { region } = this.options.place;
    const { name, message } = readAwsError(error);
    if (/^AccessDenied/.test(name)) {
      if (message.includes('sts:AssumeRole')) return roleDenied(error);
      const late = /Alias|Deletion/.test(message)
        ? '; AWS may take five minutes to see a new alias there'
        : '';
      return new Failure(
        'KEY_ACCESS_DENIED',
        `${doing} the KMS key ${text} in ${region} is denied: ${message}`,
        {
          hint: `ssm-ssh-agent policy ${this.reference.text} --for rotate prints what the role needs${late}; then run it again`,
          cause: error,
        },
      );
    }
    return kmsFailure(error, { reference: { ...this.reference, text }, region, doing });
  }

  foreign(): Failure {
    return notFromAws({ service: 'kms', region: this.options.place.region, resource: this.reference.text });
  }

  async find(alias: string): Promise<Named> {
    const text = `kms:${alias}`;
    const { signal, explain, place } = this.options;
    try {
      const command = new GetPublicKeyCommand({ KeyId: alias });
      const reading = renewing(place, () => this.client.send(command, { abortSignal: signal }));
      const answer = await abortable(reading, signal);
      const { KeyId: arn, PublicKey: der, KeyUsage } = answer;
      if (arn === undefined || !der) throw this.foreign();
      const publicKey = readSpki(der);
      if (!publicKey || (KeyUsage !== undefined && KeyUsage !== 'SIGN_VERIFY')) throw cannotSign(text);
      return { arn, publicKey };
    } catch (error) {
      signal.throwIfAborted();
      const { name, message } = readAwsError(error);
      if (alias !== this.reference.name) {
        if (name === 'NotFoundException') return undefined;
        if (name === 'KMSInvalidStateException' && /delet/i.test(message)) return 'gone';
      }
      throw explain(this.failureOf(error, 'reading the public key of', text));
    }
  }

  /** @returns whether there was no such alias */
  async createAlias(alias: string, TargetKeyId: string): Promise<boolean> {
    const command = new CreateAliasCommand({ AliasName: alias, TargetKeyId });
    const call = (client: KMSClient, limits: Limits): Promise<unknown> => client.send(command, limits);
    return (await this.send(`giving ${alias} to`, call, ['AlreadyExistsException'])) !== undefined;
  }

  /** @returns whether the alias is there */
  async moveAlias(alias: string, TargetKeyId: string): Promise<boolean> {
    const command = new UpdateAliasCommand({ AliasName: alias, TargetKeyId });
    const call = (client: KMSClient, limits: Limits): Promise<unknown> => client.send(command, limits);
    return (
      (await this.send(`moving ${alias} to another key than`, call, ['NotFoundException'])) !== undefined
    );
  }

  async deleteAlias(alias: string): Promise<void> {
    const command = new DeleteAliasCommand({ AliasName: alias });
    const call = (client: KMSClient, limits: Limits): Promise<unknown> => client.send(command, limits);
    await this.send(`removing ${alias} beside`, call, ['NotFoundException']);
  }

  async aliasesOf(arn: string): Promise<AliasListEntry[]> {
    const found: AliasListEntry[] = [];
    let Marker: string | undefined;
    do {
      const page = new ListAliasesCommand({ KeyId: arn, ...(Marker !== undefined && { Marker }) });
      const answer = await this.send('listing the aliases of', (client, limits) => client.send(page, limits));
      found.push(...(answer?.Aliases ?? []));
      Marker = answer?.NextMarker;
    } while (Marker !== undefined);
    return found;
  }

  /** Succeeds if it is scheduled already. */
  async scheduleDeletion(arn: string): Promise<void> {
    const command = new ScheduleKeyDeletionCommand({ KeyId: arn, PendingWindowInDays: pendingDays });
    const call = (client: KMSClient, limits: Limits): Promise<unknown> => client.send(command, limits);
    await this.send('scheduling the deletion of', call, ['KMSInvalidStateException', 'NotFoundException']);
  }
}

function cannotSign(text: string): Failure {
  return new Failure('KEY_UNSUPPORTED', `the KMS key ${text} cannot sign logins`, { hint: newKeyHint });
}
