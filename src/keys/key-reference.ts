/** The grammar of references to keys: stored ones, keys in KMS, and keys that are made for one use. Pure. */
import type { KeyType } from './generate-key.ts';
import { badReference, otherKindOf, parseReference, type Location, type Reference } from './reference.ts';

/** Only a `Reference` can be read. The others sign without being read. */
export type KeyReference = Reference | KmsReference | NewKeyReference;

/** A key that can sign for a long time: stored, or in KMS. */
export type LastingReference = Reference | KmsReference;

/** An asymmetric KMS key. */
export interface KmsReference {
  readonly kind: 'kms';
  /** The user's text, for messages. */
  readonly text: string;
  /** `KeyId` of KMS's calls: `alias/NAME`, the id of a key, or the whole ARN. */
  readonly name: string;
  /** From the ARN; absent for a name. */
  readonly location?: Location;
}

/** A key pair that is made in memory. It needs a certificate to open anything. */
export interface NewKeyReference {
  readonly kind: 'new';
  readonly text: string;
  readonly type: KeyType;
}

const kmsArn = /^arn:(aws[a-z-]*):kms:([a-z0-9-]+):(\d{12}):(.*)$/;
const keyId = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/;
const aliasName = /^[A-Za-z0-9/_-]+$/;

const kmsGrammar = 'write kms:alias/NAME, kms:KEY-ID, or the ARN of a key or an alias';

/** @throws INPUT_INVALID */
export function parseKeyReference(text: string): KeyReference {
  const kind = otherKindOf(text);
  if (kind === 'kms') return parseKmsKey(text);
  return kind === 'new' ? parseNewKey(text) : parseReference(text);
}

/** Whether the reference names a stored value. */
export function isStored(reference: KeyReference): reference is Reference {
  return reference.kind !== 'kms' && reference.kind !== 'new';
}

/** @source KMS API Reference, Sign, `KeyId`, and CreateAlias, `AliasName` */
function parseKmsKey(text: string): KmsReference {
  if (!text.startsWith('arn:')) {
    const name = text.slice('kms:'.length);
    checkKmsName(name, text);
    return { kind: 'kms', text, name };
  }
  const [, partition, region, account, resource = ''] = kmsArn.exec(text) ?? [];
  if (!partition || !region || !account) {
    throw badReference(
      text,
      'is not the ARN of a KMS key',
      'write arn:aws:kms:REGION:ACCOUNT:alias/NAME or arn:aws:kms:REGION:ACCOUNT:key/KEY-ID',
    );
  }
  const bare = resource.replace(/^key\//, '');
  if ((bare === resource) !== bare.startsWith('alias/')) {
    throw badReference(text, 'is the ARN of neither a KMS key nor an alias', kmsGrammar);
  }
  checkKmsName(bare, text);
  return { kind: 'kms', text, name: text, location: { partition, region, account } };
}

function checkKmsName(name: string, text: string): void {
  if (/^(alias\/)?aws\//.test(name)) {
    throw badReference(
      text,
      'names a key that AWS manages, which cannot sign',
      'make a key: ssm-ssh-agent keygen kms:alias/NAME',
    );
  }
  if (name === '' || name === 'alias/') throw badReference(text, 'has no name', kmsGrammar);
  if (!name.startsWith('alias/')) {
    if (keyId.test(name)) return;
    const hint = `${kmsGrammar}; a parameter that is called kms is ssm:kms:VERSION`;
    throw badReference(text, 'has neither the id of a KMS key nor alias/NAME', hint);
  }
  if (!aliasName.test(name)) {
    throw badReference(
      text,
      'has characters that are not allowed in an alias',
      'names are letters, digits and / _ -',
    );
  }
  if (name.length > 256) {
    throw badReference(
      `${text.slice(0, 40)}…`,
      'is longer than 256 characters, the limit of an alias',
      kmsGrammar,
    );
  }
}

const newTypes: readonly string[] = ['ed25519', 'ecdsa', 'rsa'] satisfies KeyType[];

function parseNewKey(text: string): NewKeyReference {
  const type = text.slice('new:'.length);
  if (text.startsWith('new:') && newTypes.includes(type)) return { kind: 'new', text, type: type as KeyType };
  throw badReference(
    text,
    'has no type of key after new:',
    'write new:ed25519, new:ecdsa or new:rsa; a parameter that is called new is ssm:new:VERSION',
  );
}
