/** Parameter Store's contents: parameters with their versions and labels, secrets encrypted. */
import { AwsError } from '../errors.ts';
import type { Kms } from '../kms.ts';
import { checkName, parameterArn, type Place } from './parameter-name.ts';

export type ParameterType = 'String' | 'StringList' | 'SecureString';
export type Tier = 'Standard' | 'Advanced';

export interface ParameterInput extends Place {
  readonly name: string;
  readonly value: string;
  /** Default: `SecureString`. */
  readonly type?: ParameterType;
  /** A KMS key's id, alias or ARN. Default: `alias/aws/ssm`. */
  readonly keyId?: string;
  /** Default: `Standard` if the value fits, as with Intelligent-Tiering. */
  readonly tier?: Tier | 'Intelligent-Tiering';
  /** Labels of this version. */
  readonly labels?: readonly string[];
  /** Accounts that it is shared with through AWS RAM. */
  readonly sharedWith?: readonly string[];
  readonly description?: string;
  /** Added to the tags that the parameter has. */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface ParameterVersion {
  readonly version: number;
  readonly type: ParameterType;
  readonly tier: Tier;
  readonly lastModified: Date;
  readonly labels: Set<string>;
  /** Plain text, or a SecureString's ciphertext. */
  readonly stored: string | Buffer;
  readonly keyArn: string | undefined;
  /** As in the request: an id, an alias or an ARN. */
  readonly keyId: string | undefined;
  readonly description: string | undefined;
}

export interface Parameter extends Place {
  readonly name: string;
  readonly arn: string;
  readonly versions: readonly ParameterVersion[];
  readonly sharedWith: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
}

const MAX_VERSIONS = 100;
const STANDARD_LIMIT = 4096;
/** The beginning of ciphertext: a KMS blob for a standard parameter, an AWS Encryption SDK message for an advanced one. */
const HEADERS = {
  Standard: Buffer.from([1, 2, 2, 0, 0x78]),
  Advanced: Buffer.from([1, 0x80, 3, 0x78, 0]),
} as const;

export class ParameterStore {
  /** DescribeParameters works on a best-effort basis: a page may be empty, and a later one not. */
  startsWithEmptyPage = false;
  readonly #parameters = new Map<string, Parameter>();
  readonly #kms: Kms;
  readonly #clock: () => Date;

  constructor(kms: Kms, clock: () => Date) {
    this.#kms = kms;
    this.#clock = clock;
  }

  /** Stores a version, the next one if the parameter exists. Without a permission check, which PutParameter does. */
  put(input: ParameterInput): { readonly arn: string; readonly version: number; readonly tier: Tier } {
    const { name, account, region, value, type = 'SecureString', labels = [] } = input;
    checkName(name);
    const key = keyOf(input, name);
    const previous = this.#parameters.get(key);
    const arn = parameterArn(input, name);
    const tier = tierFor(value, input.tier, previous?.versions.at(-1)?.tier);
    const keyArn =
      type === 'SecureString' ? this.#kms.resolve(input.keyId ?? 'alias/aws/ssm', input) : undefined;
    const version: ParameterVersion = {
      version: (previous?.versions.at(-1)?.version ?? 0) + 1,
      type,
      tier,
      lastModified: this.#clock(),
      labels: new Set(),
      stored: keyArn === undefined ? value : this.#kms.encrypt(value, { keyArn, ...bindTo(arn) }),
      keyArn,
      keyId: keyArn === undefined ? undefined : (input.keyId ?? 'alias/aws/ssm'),
      description: input.description,
    };
    const versions = [...roomForOneMore(previous?.versions ?? []), version];
    const sharedWith = input.sharedWith ?? previous?.sharedWith ?? [];
    const tags = { ...previous?.tags, ...input.tags };
    this.#parameters.set(key, { name, account, region, arn, versions, sharedWith, tags });
    moveLabels(versions, version.version, labels);
    return { arn, version: version.version, tier };
  }

  addTags(place: Place, name: string, tags: Readonly<Record<string, string>>): void {
    const parameter = this.find(place, name);
    if (parameter === undefined) throw new TypeError(`no such parameter: ${name}`);
    this.#parameters.set(keyOf(place, name), { ...parameter, tags: { ...parameter.tags, ...tags } });
  }

  find(place: Place, name: string): Parameter | undefined {
    return this.#parameters.get(keyOf(place, name));
  }

  /** In an ARN, a parameter of one level may be named `key` or `/key`. */
  findByArn(arn: string): Parameter | undefined {
    return [...this.#parameters.values()].find((parameter) => parameter.arn === arn);
  }

  /** The account's parameters in the Region with this prefix, by name. */
  under({ account, region }: Place, beginning: string): Parameter[] {
    return [...this.#parameters.values()]
      .filter((one) => one.account === account && one.region === region && one.name.startsWith(beginning))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  delete(place: Place, name: string): boolean {
    return this.#parameters.delete(keyOf(place, name));
  }

  /** The value with decryption. */
  reveal({ stored, keyArn }: ParameterVersion, arn: string): string {
    return typeof stored === 'string' || keyArn === undefined
      ? stored.toString()
      : this.#kms.decrypt(stored, { keyArn, ...bindTo(arn) });
  }
}

/** The value without decryption: base64 that begins with `AQICAH` or `AYAD`. */
export function sealedValue({ stored, tier }: ParameterVersion): string {
  return typeof stored === 'string' ? stored : Buffer.concat([HEADERS[tier], stored]).toString('base64');
}

/** Parameter Store's encryption context ("AWS KMS encryption for Parameter Store SecureString parameters"). */
export function bindTo(arn: string): { readonly encryptionContext: Readonly<Record<string, string>> } {
  return { encryptionContext: { PARAMETER_ARN: arn } };
}

/** A label belongs to one version: setting it removes it from another one. */
export function moveLabels(
  versions: readonly ParameterVersion[],
  target: number,
  labels: readonly string[],
): void {
  for (const label of labels) {
    for (const { version, labels: held } of versions) {
      if (version === target) held.add(label);
      else held.delete(label);
    }
  }
}

function keyOf({ account, region }: Place, name: string): string {
  return `${account} ${region} ${name}`;
}

function roomForOneMore(versions: readonly ParameterVersion[]): readonly ParameterVersion[] {
  if (versions.length < MAX_VERSIONS) return versions;
  if ((versions[0]?.labels.size ?? 0) === 0) return versions.slice(1);
  throw new AwsError({
    code: 'ParameterMaxVersionLimitExceeded',
    message: `The parameter has ${String(MAX_VERSIONS)} versions, and a label is attached to the oldest one.`,
  });
}

/** Source: "Managing parameter tiers". An advanced parameter stays advanced. */
export function tierFor(value: string, wanted: ParameterInput['tier'], held: Tier | undefined): Tier {
  const size = Buffer.byteLength(value);
  if (size > 2 * STANDARD_LIMIT) {
    throw invalid('Parameter value is over the maximum of 8192 characters for the advanced-parameter tier.');
  }
  const tier = wanted ?? held ?? 'Intelligent-Tiering';
  if (tier === 'Intelligent-Tiering')
    return size > STANDARD_LIMIT || held === 'Advanced' ? 'Advanced' : 'Standard';
  if (tier === 'Standard' && size > STANDARD_LIMIT) {
    throw invalid(
      'Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter ' +
        'value, upgrade the parameter to use the advanced-parameter tier.',
    );
  }
  if (tier === 'Standard' && held === 'Advanced') {
    throw invalid(
      "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter " +
        'tier to the standard-parameter tier.',
    );
  }
  return tier;
}

function invalid(message: string): AwsError {
  return new AwsError({ code: 'ValidationException', message });
}
