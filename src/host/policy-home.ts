/** The account and the Region of a policy: from the ARNs, or from the credentials of this machine. */
import { callerAccount } from '../aws/account.ts';
import { encryptionOf, type Encryption, type Stored } from '../aws/key-policy.ts';
import { profileRegion } from '../aws/region.ts';
import { abortable } from '../deadline.ts';
import { Failure } from '../errors.ts';
import { partitionOf } from '../keys/partition.ts';
import type { Location, Reference } from '../keys/reference.ts';
import { describeEncryption, type Described } from '../secrets/encryption.ts';
import { openEc2Caller } from './ec2-caller.ts';
import { environmentRegion } from './job-role.ts';
import type { KmsReference } from '../keys/key-reference.ts';
import type { Host } from './caller.ts';
import type { ReadOptions } from './call-aws.ts';

export interface PolicyWish {
  readonly references: readonly Reference[];
  /** They sign in KMS. Nothing is looked up for them. */
  readonly signing: readonly KmsReference[];
  /** Whether the policy names something by the account and the Region: hosts, or a role's trust. */
  readonly namesAccount: boolean;
  readonly namesRegion: boolean;
  /** `--account-id`. With it AWS is not asked. */
  readonly account: string | undefined;
  /** `--kms-key-id`. With it no key is looked up. */
  readonly kmsKeyId: string | undefined;
  readonly host: Host;
}

export interface PolicyHome {
  readonly home: Location;
  readonly stored: readonly Stored[];
  /** Lines for people: what is not known, and why. */
  readonly notes: readonly string[];
}

type Options = Omit<ReadOptions, 'missing'>;

/**
 * @throws REGION_MISSING, CREDENTIALS_MISSING and the errors of AWS STS, if the account or the Region is needed and nothing
 *   names it; INPUT_INVALID for a KMS key
 */
export async function findPolicyHome(wish: PolicyWish, options: Options): Promise<PolicyHome> {
  const { account } = wish;
  if (account === undefined) return await askAws(wish, options);
  const home = locationIn((await knownRegion(wish, options.env)) ?? '', account);
  if (home.region === '' && needsRegion(wish)) throw regionMissing();
  return offline(wish, home, 'AWS is not asked (--account-id)');
}

/** Without credentials the ARNs of the references are enough. */
async function askAws(wish: PolicyWish, options: Options): Promise<PolicyHome> {
  try {
    const { region, signal, connection, credentials } = await openEc2Caller({}, placeOf(wish), options);
    const called = { ...connection, ...(credentials && { credentials }) };
    const asked = callerAccount({ region, signal }, { connection: called });
    const { account, arn } = await abortable(asked, signal);
    const home = { partition: arn.split(':')[1] ?? 'aws', region, account };
    if (wish.kmsKeyId !== undefined) return offline(wish, home, '');
    const described = await describeEncryption(wish.references, {
      ...called,
      connection: called,
      signal,
      home,
    });
    return { home, stored: described, notes: notesOf(described) };
  } catch (error) {
    options.signal.throwIfAborted();
    return withoutAws(wish, error);
  }
}

function withoutAws(wish: PolicyWish, error: unknown): PolicyHome {
  if (!(error instanceof Failure) || error.code === 'INPUT_INVALID') throw error;
  const named = namedIn(wish);
  const location = named[0]?.location;
  const isEnough = !wish.namesAccount && named.every((reference) => reference.location);
  if (location && isEnough) return offline(wish, location, error.message);
  const hint =
    error.code === 'REGION_MISSING'
      ? 'pass --region eu-west-1, or set AWS_REGION'
      : 'pass --account-id 111122223333 and --region eu-west-1: then AWS is not asked';
  throw new Failure(error.code, error.message, { hint, cause: error });
}

/** If the Region is in the references only, it is theirs. */
function placeOf(wish: PolicyWish): Host {
  const { namesAccount, host } = wish;
  const [first] = namedIn(wish);
  const ofReference = namesAccount ? undefined : first?.location?.region;
  return { ...host, region: host.region ?? ofReference };
}

async function knownRegion(wish: PolicyWish, env: Options['env']): Promise<string | undefined> {
  return placeOf(wish).region ?? (environmentRegion(env) || (await profileRegion()));
}

function needsRegion(wish: PolicyWish): boolean {
  return wish.namesRegion || namedIn(wish).some(({ location }) => !location);
}

function namedIn({ references, signing }: PolicyWish): readonly (Reference | KmsReference)[] {
  return [...references, ...signing];
}

function locationIn(region: string, account: string): Location {
  return { partition: partitionOf(region), region, account };
}

/** @param why empty: the key is known, nothing needs to be said */
function offline({ references, kmsKeyId }: PolicyWish, home: Location, why: string): PolicyHome {
  const stored = references.map((reference): Described => {
    const encryption = kmsKeyId === undefined ? undefined : keyIn(kmsKeyId, reference.location ?? home);
    return encryption ? { reference, encryption } : { reference, encryption: { kind: 'unknown' }, why };
  });
  return { home, stored, notes: notesOf(stored) };
}

function keyIn(kmsKeyId: string, place: Location): Encryption {
  const encryption = encryptionOf(kmsKeyId, place);
  if (encryption && encryption.kind !== 'unknown') return encryption;
  throw new Failure('INPUT_INVALID', `--kms-key-id is not a key of AWS KMS: "${kmsKeyId}"`, {
    hint: 'write the id or the ARN of a key, or alias/NAME of the same account',
  });
}

function notesOf(stored: readonly Described[]): string[] {
  const unknown = stored.filter(({ encryption }) => encryption.kind === 'unknown');
  const reasons = [...new Set(unknown.map(({ why = '' }) => why))];
  return reasons.map((reason) => {
    const some = unknown.filter(({ why = '' }) => why === reason);
    const names = some.map(({ reference }) => reference.text).join(', ');
    return `the KMS key of ${names} is not known${reason && ` (${reason})`}: the policy allows any key, but only for these values`;
  });
}

function regionMissing(): Failure {
  return new Failure('REGION_MISSING', 'no AWS region is known for the policy', {
    hint: 'pass --region eu-west-1, or set AWS_REGION',
  });
}
