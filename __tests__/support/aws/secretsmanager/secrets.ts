/** Secrets Manager's store: secrets with their versions and staging labels, encrypted. */
import { randomBytes, randomUUID } from 'node:crypto';

import { partitionOf } from '../arn.ts';
import type { Kms } from '../kms.ts';

export interface Place {
  readonly account: string;
  readonly region: string;
}

export interface SecretInput extends Place {
  readonly name: string;
  /** A string is stored as SecretString, bytes as SecretBinary; absent: the secret has no value yet. */
  readonly value?: string | Uint8Array;
  /** Of a new secret, with the six random characters. Default: made up. */
  readonly arn?: string;
  /** Default: random. */
  readonly versionId?: string;
  /** Default: `AWSCURRENT`; its former version becomes `AWSPREVIOUS`. */
  readonly stages?: readonly string[];
  /** A KMS key's id, alias or ARN. Default: `alias/aws/secretsmanager`. */
  readonly keyId?: string;
  /** Accounts that the secret's resource policy allows to read it. */
  readonly sharedWith?: readonly string[];
  readonly description?: string;
  /** Added to the tags that the secret has. */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface SecretVersion {
  readonly versionId: string;
  readonly created: Date;
  readonly stages: Set<string>;
  readonly keyArn: string;
  readonly sealed: Buffer;
}

export interface StoredSecret extends Place {
  readonly name: string;
  /** With the six random characters. */
  readonly arn: string;
  readonly versions: readonly SecretVersion[];
  readonly sharedWith: readonly string[];
  readonly deleted: boolean;
  readonly description: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Of new versions. */
  readonly keyId: string | undefined;
}

const suffix = /-[A-Za-z0-9]{6}$/;

export class Secrets {
  readonly #secrets = new Map<string, StoredSecret>();
  readonly #kms: Kms;
  readonly #clock: () => Date;

  constructor(kms: Kms, clock: () => Date) {
    this.#kms = kms;
    this.#clock = clock;
  }

  /** Stores a version without a permission check. Returns the ARN and the version's id. */
  put(input: SecretInput): { readonly arn: string; readonly versionId: string } {
    const { name, account, region, value, versionId = randomUUID() } = input;
    const previous = this.find(input, name);
    const arn = previous?.arn ?? input.arn ?? newSecretArn(input, name);
    const versions = [...(previous?.versions ?? [])];
    const keyId = input.keyId ?? previous?.keyId;
    if (value !== undefined) {
      const keyArn = this.#kms.resolve(keyId ?? 'alias/aws/secretsmanager', { account, region });
      const sealed = this.#kms.encrypt(pack(value), { keyArn, ...bindTo(arn, versionId) });
      versions.push({ versionId, created: this.#clock(), stages: new Set(), keyArn, sealed });
      moveStages(versions, versionId, input.stages ?? ['AWSCURRENT']);
    }
    const sharedWith = input.sharedWith ?? previous?.sharedWith ?? [];
    this.#secrets.set(keyOf(input, name), {
      name,
      account,
      region,
      arn,
      versions,
      sharedWith,
      deleted: false,
      description: input.description ?? previous?.description,
      tags: { ...previous?.tags, ...input.tags },
      keyId,
    });
    return { arn, versionId };
  }

  /** Like DeleteSecret with a recovery window: it exists, but cannot be read. */
  markDeleted(place: Place, name: string): void {
    const secret = this.find(place, name);
    if (secret === undefined) throw new TypeError(`no such secret: ${name}`);
    this.#secrets.set(keyOf(place, name), { ...secret, deleted: true });
  }

  find(place: Place, name: string): StoredSecret | undefined {
    return this.#secrets.get(keyOf(place, name));
  }

  /** The whole ARN, or without the six random characters. */
  findByArn(arn: string): StoredSecret | undefined {
    const all = [...this.#secrets.values()];
    return (
      all.find((secret) => secret.arn === arn) ??
      all.find(({ arn: whole }) => whole.replace(suffix, '') === arn)
    );
  }

  reveal({ keyArn, sealed, versionId }: SecretVersion, arn: string): string | Uint8Array {
    return unpack(this.#kms.decrypt(sealed, { keyArn, ...bindTo(arn, versionId) }));
  }
}

/** Secrets Manager's encryption context ("Secret encryption and decryption in AWS Secrets Manager"). */
export function bindTo(
  arn: string,
  versionId: string,
): { readonly encryptionContext: Readonly<Record<string, string>> } {
  return { encryptionContext: { SecretARN: arn, SecretVersionId: versionId } };
}

/** With six random characters. */
export function newSecretArn(place: Place, name: string): string {
  return secretArn(place, `${name}-${randomSuffix()}`);
}

export function secretArn({ account, region }: Place, nameAndSuffix: string): string {
  return `arn:${partitionOf(region)}:secretsmanager:${region}:${account}:secret:${nameAndSuffix}`;
}

/** A stage belongs to one version; the former version of AWSCURRENT becomes AWSPREVIOUS. */
export function moveStages(
  versions: readonly SecretVersion[],
  target: string,
  stages: readonly string[],
): void {
  for (const stage of stages) {
    const holder = versions.find((version) => version.stages.has(stage) && version.versionId !== target);
    holder?.stages.delete(stage);
    if (stage === 'AWSCURRENT' && holder) moveStages(versions, holder.versionId, ['AWSPREVIOUS']);
    versions.find(({ versionId }) => versionId === target)?.stages.add(stage);
  }
}

/** KMS here only encrypts text. */
function pack(value: string | Uint8Array): string {
  return JSON.stringify(
    typeof value === 'string' ? { text: value } : { base64: Buffer.from(value).toString('base64') },
  );
}

function unpack(packed: string): string | Uint8Array {
  const { text, base64 = '' } = JSON.parse(packed) as { text?: string; base64?: string };
  return text ?? Buffer.from(base64, 'base64');
}

function randomSuffix(): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return [...randomBytes(6)].map((byte) => alphabet.charAt(byte % alphabet.length)).join('');
}

function keyOf({ account, region }: Place, name: string): string {
  return `${account} ${region} ${name}`;
}
