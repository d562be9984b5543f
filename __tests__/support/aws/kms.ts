/** KMS for stored secrets: keys and their states, permissions, and encryption with a context. */
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';

import { dnsSuffix, partitionOf, requireArn } from './arn.ts';
import { refusalOf, type Caller } from './iam/caller.ts';
import { AwsError } from './errors.ts';
import type { RequestContext } from './iam/policy.ts';

export type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion';
export type KmsWording = 'old' | 'new';

export interface KmsKeyInput {
  readonly account: string;
  readonly region: string;
  /** Default: `Enabled`. */
  readonly state?: KeyState;
  /** `alias/ci` */
  readonly alias?: string;
  /** Accounts that the key policy allows, in addition to its own. */
  readonly sharedWith?: readonly string[];
}

interface KmsKey extends KmsKeyInput {
  readonly arn: string;
  readonly state: KeyState;
  readonly secret: Buffer;
  /** `alias/aws/ssm` and similar keys: every user of the account can use them through the service, and nobody else. */
  readonly awsManaged: boolean;
}

export interface KeyUse {
  readonly keyArn: string;
  /** `ssm`: the service that calls KMS for the user. */
  readonly via: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
}

/** KMS's refusal before a service passes it on; `code` is KMS's own. */
export class KmsError extends AwsError {}

export class Kms {
  readonly #keys = new Map<string, KmsKey>();
  readonly #wording: KmsWording;

  constructor(wording: KmsWording) {
    this.#wording = wording;
  }

  /** Creates a customer key. Returns its ARN. */
  createKey(input: KmsKeyInput): string {
    return this.#create(input, false);
  }

  setState(keyArn: string, state: KeyState): void {
    this.#keys.set(keyArn, { ...this.#find(keyArn), state });
  }

  /** The state after the waiting period of a deletion. */
  deleteKey(keyArn: string): void {
    this.#keys.delete(keyArn);
  }

  /** A key's id, alias or ARN → its ARN. AWS-managed keys are created at their first use. */
  resolve(keyId: string, place: { readonly account: string; readonly region: string }): string {
    if (keyId.startsWith('arn:') && !keyId.includes(':alias/')) return keyId;
    const alias = /alias\/.*$/.exec(keyId)?.[0];
    const own = [...this.#keys.values()].filter(
      (key) => key.account === place.account && key.region === place.region,
    );
    const found = own.find((key) =>
      alias === undefined ? key.arn.endsWith(`/${keyId}`) : key.alias === alias,
    );
    if (found !== undefined) return found.arn;
    if (alias?.startsWith('alias/aws/')) return this.#create({ ...place, alias }, true);
    const { account, region } = place;
    return `arn:${partitionOf(region)}:kms:${region}:${account}:${alias ?? `key/${keyId}`}`;
  }

  /** `alias/ci`; undefined if the key has none. */
  aliasOf(keyArn: string): string | undefined {
    return this.#keys.get(keyArn)?.alias;
  }

  /**
   * Checks whether the caller may use the key for `kms:Decrypt`, `kms:Encrypt`, …, and whether it is usable. Throws
   * KmsError.
   */
  authorize(caller: Caller, action: string, { keyArn, via, encryptionContext }: KeyUse): void {
    const key = this.#find(keyArn);
    // The key policy of an AWS-managed key allows everyone of the account, through the service; other policies cannot
    // limit that.
    const open = key.awsManaged && key.account === caller.principal.account;
    if (!open) this.#checkPermission(caller, action, { key, via, encryptionContext });
    if (key.state === 'Disabled') {
      throw new KmsError({ code: 'DisabledException', message: `${keyArn} is disabled.` });
    }
    if (key.state === 'PendingDeletion') {
      throw new KmsError({ code: 'KMSInvalidStateException', message: `${keyArn} is pending deletion.` });
    }
  }

  #checkPermission(
    caller: Caller,
    action: string,
    use: { key: KmsKey; via: string; encryptionContext: KeyUse['encryptionContext'] },
  ): void {
    const { key, via, encryptionContext } = use;
    const context = kmsContext({ keyArn: key.arn, via, encryptionContext }, caller, key.alias);
    const refusal = refusalOf(caller, { action, resource: key.arn, context });
    const foreign = key.account !== caller.principal.account;
    const keyPolicyAllows = !foreign || (key.sharedWith ?? []).includes(caller.principal.account);
    if (refusal === undefined && keyPolicyAllows) return;
    const reason = refusal?.reason ?? `because no resource-based policy allows the ${action} action`;
    throw new KmsError({ code: 'AccessDeniedException', message: this.#denial(caller, action, reason) });
  }

  /** Both messages exist: which one a caller gets depends on the service. */
  #denial({ principal }: Caller, action: string, reason: string): string {
    return this.#wording === 'old'
      ? 'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or ' +
          'you are not allowed to access.'
      : `User: ${principal.arn} is not authorized to perform: ${action} on the resource associated with this ` +
          `ciphertext ${reason}`;
  }

  encrypt(plaintext: string, { keyArn, encryptionContext }: Omit<KeyUse, 'via'>): Buffer {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#find(keyArn).secret, iv);
    cipher.setAAD(Buffer.from(JSON.stringify(encryptionContext)));
    const sealed = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
  }

  decrypt(ciphertext: Buffer, { keyArn, encryptionContext }: Omit<KeyUse, 'via'>): string {
    const decipher = createDecipheriv('aes-256-gcm', this.#find(keyArn).secret, ciphertext.subarray(0, 12));
    decipher.setAuthTag(ciphertext.subarray(12, 28));
    decipher.setAAD(Buffer.from(JSON.stringify(encryptionContext)));
    return Buffer.concat([decipher.update(ciphertext.subarray(28)), decipher.final()]).toString('utf8');
  }

  #create(input: KmsKeyInput, awsManaged: boolean): string {
    const { account, region, state = 'Enabled' } = input;
    const arn = `arn:${partitionOf(region)}:kms:${region}:${account}:key/${randomUUID()}`;
    this.#keys.set(arn, { ...input, arn, state, secret: randomBytes(32), awsManaged });
    return arn;
  }

  #find(keyArn: string): KmsKey {
    const key = this.#keys.get(keyArn);
    if (key !== undefined) return key;
    const noun = requireArn(keyArn).resource.startsWith('alias/') ? 'Alias' : 'Key';
    const subject = noun === 'Key' ? `'${keyArn}'` : keyArn;
    throw new KmsError({ code: 'NotFoundException', message: `${noun} ${subject} does not exist` });
  }
}

/** The condition keys of "AWS KMS condition keys" for the use of a key. */
function kmsContext(
  { keyArn, via, encryptionContext }: KeyUse,
  { principal }: Caller,
  alias?: string,
): RequestContext {
  const { region, partition } = requireArn(keyArn);
  const entries = Object.entries(encryptionContext);
  return {
    'kms:ViaService': `${via}.${region}.${dnsSuffix(partition)}`,
    ...(alias !== undefined && { 'kms:ResourceAliases': [alias] }),
    'kms:CallerAccount': principal.account,
    'kms:EncryptionContextKeys': entries.map(([name]) => name),
    ...Object.fromEntries(entries.map(([name, value]) => [`kms:EncryptionContext:${name}`, value])),
  };
}
