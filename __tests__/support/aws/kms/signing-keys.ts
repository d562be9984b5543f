/** The asymmetric keys of KMS and their aliases. */
import { randomUUID, type KeyObject } from 'node:crypto';

import { partitionOf } from '../arn.ts';
import { AwsError } from '../errors.ts';
import type { PolicyDocument } from '../iam/policy-document.ts';
import { generate, specOf } from './key-specs.ts';

export type SigningKeyState = 'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingImport' | 'Unavailable';

export interface Place {
  readonly account: string;
  readonly region: string;
}

export interface SigningKeyInput extends Place {
  /** Default: `ECC_NIST_P256`, or the one of the private key. */
  readonly spec?: string;
  /** Default: `SIGN_VERIFY`. */
  readonly usage?: string;
  /** `alias/deploy` */
  readonly alias?: string;
  /** Default: a new one. */
  readonly privateKey?: KeyObject;
  /** Default: the account may give permissions by IAM, as of keys that the console makes. */
  readonly policy?: PolicyDocument;
  readonly origin?: 'AWS_KMS' | 'EXTERNAL';
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

export interface SigningKey extends Place {
  readonly arn: string;
  readonly id: string;
  readonly spec: string;
  readonly usage: string;
  readonly origin: 'AWS_KMS' | 'EXTERNAL';
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt: Date;
  state: SigningKeyState;
  /** Of a deletion that is scheduled. */
  pendingDays?: number;
  policy: PolicyDocument;
  /** Undefined before material is imported, and of a symmetric key. */
  privateKey: KeyObject | undefined;
}

export class SigningKeys {
  readonly #keys = new Map<string, SigningKey>();
  /** The ARN of an alias → the ARN of its key. */
  readonly #aliases = new Map<string, string>();
  /** The ARN of an alias → when it was made. */
  readonly #madeAt = new Map<string, Date>();
  readonly #clock: () => Date;

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  /** Returns the key's ARN. */
  create(input: SigningKeyInput): string {
    const { account, region, origin = 'AWS_KMS', usage = 'SIGN_VERIFY', privateKey } = input;
    const spec = input.spec ?? (privateKey && specOf(privateKey)) ?? 'ECC_NIST_P256';
    const id = randomUUID();
    const arn = `arn:${partitionOf(region)}:kms:${region}:${account}:key/${id}`;
    this.#keys.set(arn, {
      ...{ account, region, id, arn, spec, usage, origin, createdAt: this.#clock() },
      description: input.description ?? '',
      tags: input.tags ?? {},
      state: origin === 'EXTERNAL' ? 'PendingImport' : 'Enabled',
      policy: input.policy ?? accountPolicy(input),
      privateKey: privateKey ?? (origin === 'EXTERNAL' ? undefined : generate(spec)),
    });
    if (input.alias !== undefined) this.setAlias(input, input.alias, arn);
    return arn;
  }

  setState(arn: string, state: SigningKeyState): void {
    this.get(arn).state = state;
  }

  setPolicy(arn: string, policy: PolicyDocument): void {
    this.get(arn).policy = policy;
  }

  /** Makes the alias, or moves it. */
  setAlias(place: Place, alias: string, keyArn: string): void {
    const arn = aliasArn(place, alias);
    if (!this.#aliases.has(arn)) this.#madeAt.set(arn, this.#clock());
    this.#aliases.set(arn, this.get(keyArn).arn);
  }

  removeAlias(place: Place, alias: string): void {
    this.#aliases.delete(aliasArn(place, alias));
  }

  /** The state after the waiting period of a deletion. Its aliases end with it. */
  remove(arn: string): void {
    this.#keys.delete(arn);
    for (const [alias, key] of this.#aliases) if (key === arn) this.#aliases.delete(alias);
  }

  get(arn: string): SigningKey {
    const key = this.#keys.get(arn);
    if (key === undefined) throw notFound(`Key '${arn}' does not exist`);
    return key;
  }

  /** `alias/deploy`, … */
  aliasesOf(arn: string): string[] {
    return this.aliases().flatMap(({ alias, key }) => (key === arn ? [alias.replace(/^.*:/, '')] : []));
  }

  /** All aliases, as ARNs, with the ARNs of their keys. */
  aliases(): { readonly alias: string; readonly key: string; readonly madeAt: Date }[] {
    return [...this.#aliases].map(([alias, key]) => {
      return { alias, key, madeAt: this.#madeAt.get(alias) ?? this.#clock() };
    });
  }

  /** All keys of an account and a Region, in the order of their making. */
  all({ account, region }: Place): SigningKey[] {
    return [...this.#keys.values()].filter((key) => key.account === account && key.region === region);
  }

  /** The key of an id, an ARN, an alias, or the ARN of an alias. An endpoint knows its own Region only. */
  find(keyId: string, place: Place): SigningKey {
    const arn = arnOf(keyId, place);
    if (arn === undefined) throw notFound(`Invalid keyId '${keyId}'`);
    if (arn.split(':')[3] !== place.region) throw notFound(`Invalid arn ${arn.split(':')[3] ?? ''}`);
    if (!arn.includes(':alias/')) return this.get(arn);
    const key = this.#aliases.get(arn);
    if (key === undefined) throw notFound(`Alias ${arn} is not found.`);
    return this.get(key);
  }
}

export function aliasArn({ account, region }: Place, alias: string): string {
  return `arn:${partitionOf(region)}:kms:${region}:${account}:${alias}`;
}

/** The alias in a request's KeyId, for `kms:RequestAlias`. */
export function requestAlias(keyId: string): string | undefined {
  return /(?:^|:)(alias\/.+)$/.exec(keyId)?.[1];
}

function arnOf(keyId: string, place: Place): string | undefined {
  if (keyId.startsWith('arn:')) return /^arn:[^:]+:kms:[^:]+:\d{12}:(?:key|alias)\/.+$/.exec(keyId)?.[0];
  if (keyId.startsWith('alias/')) return aliasArn(place, keyId);
  return /^[\da-z-]{36}$/.test(keyId) ? aliasArn(place, `key/${keyId}`) : undefined;
}

function notFound(message: string): AwsError {
  return new AwsError({ code: 'NotFoundException', message });
}

/** Source: KMS Developer Guide, "Default key policy". */
function accountPolicy({ account, region }: Place): PolicyDocument {
  return {
    Version: '2012-10-17',
    Id: 'key-default-1',
    Statement: {
      Sid: 'Enable IAM User Permissions',
      Effect: 'Allow',
      Principal: { AWS: `arn:${partitionOf(region)}:iam::${account}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
  };
}
