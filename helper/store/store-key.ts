/** Stores a key for keygen and put: what their common options mean, the call, and what they print. */
import { Failure } from '../../src/errors.ts';
import { authorizedKeysLine, fingerprint, type PublicKey } from '../../src/keys/public-key.ts';
import type { Reference } from '../../src/keys/reference.ts';
import { checkSize, parseStorageName, type Tier } from '../../src/keys/storage-name.ts';
import { visible } from '../../src/keys/visible-text.ts';
import type { NewVersion, StoredVersion, Tag } from '../../src/secrets/new-version.ts';
import { voiceOf } from '../command-line/keys.ts';
import type { Running } from '../command-line/command.ts';
import { invalid, type Common, type Values } from '../command-line/parse.ts';
import type { storeOptions } from './options.ts';
import { parseAccount, type Account } from '../command-line/account.ts';

type StoreValues = Values<typeof storeOptions>;

/** Where and how a key is stored. */
export interface Storing extends Omit<NewVersion, 'text'> {
  readonly account: Account;
}

/** @throws INPUT_INVALID */
export function parseStoring(name: string, values: StoreValues & Common): Storing {
  const reference = parseStorageName(name, { secret: values.secretsmanager });
  return {
    reference,
    overwrite: values.overwrite,
    tier: parseTier(values.tier, reference),
    tags: parseTags(values.tag),
    description: parseDescription(values.description, reference),
    kmsKeyId: parseKmsKey(values['kms-key-id']),
    account: parseAccount(values),
  };
}

const tiers: Readonly<Record<string, Tier>> = {
  standard: 'Standard',
  advanced: 'Advanced',
  'intelligent-tiering': 'Intelligent-Tiering',
};

function parseTier(text: string | undefined, { kind }: Reference): Tier {
  if (text !== undefined && kind === 'secret') {
    throw invalid('--tier is for parameters, and the name is a secret', 'leave out --tier');
  }
  const tier = tiers[(text ?? 'intelligent-tiering').toLowerCase()];
  if (tier) return tier;
  throw invalid(`--tier cannot be "${text ?? ''}"`, 'write standard, advanced or intelligent-tiering');
}

/** @source Systems Manager API Reference and Secrets Manager API Reference, `Tag` */
export function parseTags(texts: readonly string[]): Tag[] {
  const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
  const tags = texts.map((text): Tag => {
    const [, key, value] = /^([^=]{1,128})=(.{0,256})$/u.exec(text) ?? [];
    if (key === undefined || value === undefined || !allowed.test(text)) {
      throw invalid(`--tag is not KEY=VALUE: "${text}"`, 'write for example --tag team=ci');
    }
    if (/^aws:/i.test(key))
      throw invalid(`--tag cannot be "${text}": AWS keeps aws: for itself`, 'write another key');
    return { key, value };
  });
  const twice = tags.find(({ key }, index) => tags.findIndex((tag) => tag.key === key) !== index);
  if (twice) throw invalid(`--tag names the key "${twice.key}" twice`, 'write each key once');
  if (tags.length > 50) throw invalid(`there are ${tags.length} tags, and AWS allows 50`, 'write fewer');
  return tags;
}

/** @source Systems Manager API Reference, PutParameter; Secrets Manager API Reference, CreateSecret: `Description` */
function parseDescription(text: string | undefined, { kind }: Reference): string | undefined {
  const most = kind === 'secret' ? 2048 : 1024;
  if (text === undefined || text.length <= most) return text;
  throw invalid(
    `--description has ${text.length} characters, and AWS allows ${most}`,
    'write a shorter text',
  );
}

/** @source Systems Manager API Reference, PutParameter, `KeyId` */
function parseKmsKey(text: string | undefined): string | undefined {
  if (text === undefined || /^(?!kms:)[a-zA-Z0-9:/_-]{1,256}$/.test(text)) return text;
  throw invalid(`--kms-key-id is not a KMS key: "${text}"`, 'write its id, alias/NAME, or its ARN');
}

/** Seconds for one region to answer. */
const timeoutSeconds = 30;

/**
 * @param text secret
 * @throws INPUT_INVALID before anything is asked, if the text is too large; the errors of storing
 */
export async function storeKey(
  { account, ...where }: Storing,
  text: string,
  { quiet, verbose, ...running }: Running & Pick<Common, 'quiet' | 'verbose'>,
): Promise<StoredVersion> {
  checkSize(text, where.reference, where.tier);
  const { region, roles, profile } = account;
  const { env: given, signal } = running;
  const env = profile === undefined ? given : { ...given, AWS_PROFILE: profile };
  // The first import of the AWS SDK: after the command line and the key were checked.
  const { writeHostVersion } = await import('../../src/host/write-key.ts');
  const version = { ...where, text };
  const voice = voiceOf({ quiet, verbose }, running);
  try {
    return await writeHostVersion({ version, region, roles, timeoutSeconds }, { env, signal, voice });
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'REGION_MISSING') throw error;
    const hint = 'pass --region eu-west-1, set AWS_REGION, or write the ARN of a parameter as NAME';
    throw new Failure(error.code, 'no AWS region is known to store the key in', { hint, cause: error });
  }
}

/** Absent parts: of a key whose public half only its passphrase shows. */
export interface Report extends StoredVersion {
  readonly reference: Reference;
  readonly publicKey: PublicKey | undefined;
}

/** The public key, or JSON, on standard output; one line for people on standard error. */
export function reportStored(
  { reference, arn, version, publicKey }: Report,
  { json, quiet, ...running }: Running & Pick<Common, 'json' | 'quiet'>,
): void {
  const [type, print] = publicKey ? [publicKey.type, fingerprint(publicKey)] : [null, null];
  const line = publicKey ? authorizedKeysLine(publicKey) : null;
  const what = type === null ? 'an encrypted key' : `${type} ${print}`;
  if (!quiet)
    running.err(`ssm-ssh-agent: stored ${visible(`${reference.text} (version ${version}): ${what}`)}\n`);
  if (json) {
    const record = { reference: reference.text, arn, version, type, fingerprint: print, publicKey: line };
    running.out(`${JSON.stringify(record, null, 2)}\n`);
  } else if (line !== null) running.out(`${line}\n`);
}
