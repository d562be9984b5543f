/** Opens sessions of a role, or of a chain of roles, or uses the default credential chain. */
import { Failure } from '../errors.ts';
import type { Reference } from '../keys/reference.ts';
import { roleAsker, type WantedRole } from './assume-role.ts';
import { isMalformedPolicy, isPackedTooLarge } from './assume-role-failures.ts';
import type { Caller, Credentials, Role } from './caller.ts';
import { inTurn, type Outcome, type Turn } from './failover.ts';
import { sourceCredentials, type SourceCredentials } from './web-identity.ts';
import { tagsAt } from './session-tags.ts';
import { halve, narrowSessions, type Home, type NarrowSession } from './session-policy.ts';

/** References, and the credentials to read them with. */
export interface Session {
  readonly references: readonly Reference[];
  /** Absent: the AWS SDK's default chain. */
  readonly credentials?: Credentials;
}

/**
 * Opens one session for all references, or several if STS's limits on policies require it.
 *
 * @returns the sessions, and the Regions to ask next
 * @throws OIDC_UNAVAILABLE, OIDC_REQUEST_FAILED, ASSUME_ROLE_DENIED, INPUT_INVALID, CREDENTIALS_MISSING, THROTTLED, NETWORK_UNREACHABLE
 */
export async function openSessions(
  references: readonly Reference[],
  role: Role | undefined,
  caller: Caller,
): Promise<Outcome<Session[]>> {
  if (!role) return { answer: [{ references }], regions: caller.regions };
  return await inRole(role, caller, async (open, turn) => {
    return await openEach(references, role, { open, home: homeOf(role, turn) });
  });
}

/**
 * Opens one session of the role.
 *
 * @param narrow what `auto` lets the session do: a session policy's JSON
 * @throws as openSessions
 */
export async function openSession(role: Role, narrow: string, caller: Caller): Promise<Outcome<Credentials>> {
  return await inRole(role, caller, async (open) => await open(policyOf(role, narrow)));
}

/** Opens one session. @param policy the session policy's JSON, if there is one */
type Open = (policy: string | undefined) => Promise<Credentials>;

/** Does the work with the last role, in the first Region that can be reached. */
async function inRole<T>(
  role: Role,
  caller: Caller,
  work: (open: Open, turn: Turn) => Promise<T>,
): Promise<Outcome<T>> {
  const { arn, sessionName, durationSeconds, externalId, managedPolicies, through } = role;
  const first = await sourceCredentials(role, caller);
  return await inTurn(async (turn) => {
    const assume = await roleAsker(await walkChain(role, first, { turn, caller }), turn, caller);
    const position = positionOf(through.length, through);
    const tags = tagsAt(role, through.length, first.token !== undefined);
    const session = { sessionName, durationSeconds, externalId, managedPolicies, tags };
    const wanted: WantedRole = { arn, ...session, position };
    const open: Open = async (policy) => {
      try {
        return await assume({ ...wanted, ...(policy !== undefined && { policy }) });
      } catch (error) {
        throw explainPolicy(error, role);
      }
    };
    return await work(open, turn);
  }, caller);
}

function policyOf({ policy }: Role, narrow: string): string | undefined {
  if (policy === 'auto') return narrow;
  return policy === 'none' ? undefined : policy.json;
}

function isTooLarge(error: unknown): boolean {
  return isPackedTooLarge((error as Failure).cause);
}

/** Seconds, for the sessions before the last one: each is used for one call. */
const shortestSession = 900;

/** Assumes the roles before the last one. @returns the credentials that assume the last one */
async function walkChain(
  role: Role,
  first: SourceCredentials,
  { turn, caller }: { turn: Turn; caller: Caller },
): Promise<SourceCredentials> {
  const { through, sessionName } = role;
  let source = first;
  for (const [index, arn] of through.entries()) {
    const assume = await roleAsker(source, turn, caller);
    const position = positionOf(index, through);
    const tags = tagsAt(role, index, first.token !== undefined);
    const session = { sessionName, durationSeconds: shortestSession, tags };
    const credentials = await assume({ arn, ...session, position });
    source = { role: { arn, credentials } };
  }
  return source;
}

function positionOf(index: number, through: readonly string[]): string | undefined {
  return through.length === 0 ? undefined : `role ${index + 1} of ${through.length + 1}`;
}

interface Opening {
  readonly open: Open;
  readonly home: Home;
}

async function openEach(
  references: readonly Reference[],
  role: Role,
  { open, home }: Opening,
): Promise<Session[]> {
  const openAll = async (parts: readonly NarrowSession[]): Promise<Session[]> =>
    (await Promise.all(parts.map(openPart))).flat();
  const openPart = async ({ references, policy }: NarrowSession): Promise<Session[]> => {
    try {
      return [{ references, credentials: await open(policy) }];
    } catch (error) {
      if (!isTooLarge(error) || references.length < 2) throw error;
      return await openAll(halve(references).flatMap((half) => narrowSessions(half, home)));
    }
  };
  if (role.policy === 'auto') return await openAll(narrowSessions(references, home));
  return [{ references, credentials: await open(policyOf(role, '')) }];
}

/** @param turn `regions` begins with `region` */
export function homeOf({ arn, managedPolicies }: Role, { region, regions }: Omit<Turn, 'signal'>): Home {
  const [, partition = 'aws', , , account = ''] = arn.split(':');
  return { partition, region, account, otherRegions: regions.slice(1), managedPolicies };
}

/** The other inputs that count in the packed size of the last session. */
function packedWith({ managedPolicies = [], tags = [] }: Role): string[] {
  const inputs = { 'managed-session-policies': managedPolicies, 'custom-tags': tags };
  return Object.entries(inputs).flatMap(([name, { length }]) => (length > 0 ? [name] : []));
}

/** STS only says "policy": the message must say which one, and where it comes from. */
function explainPolicy(error: unknown, role: Role): unknown {
  if (!(error instanceof Failure)) return error;
  const { message, cause } = error;
  const { policy } = role;
  const [tooLarge, malformed] = [isPackedTooLarge(cause), isMalformedPolicy(cause)];
  if (!tooLarge && !malformed) return error;
  const others = tooLarge ? packedWith(role) : [];
  if (others.length > 0) {
    const hint =
      'write fewer or shorter ones: AWS packs the policies and tags of a session together, and limits their size';
    const which = others.length === 1 ? `input ${others.join()} is` : `inputs ${others.join(' and ')} are`;
    const problem = `the ${which} too large together with session-policy: ${message}`;
    return new Failure('INPUT_INVALID', problem, { hint, cause });
  }
  if (policy === 'none') return error;
  if (typeof policy === 'object') {
    const problem = tooLarge ? 'is too large' : 'is not a policy that AWS STS accepts';
    const hint = tooLarge
      ? 'write fewer or shorter ARNs, with * where they have a beginning in common, or session-policy: auto, which opens several sessions where one policy is too large'
      : 'check it by aws accessanalyzer validate-policy --policy-type IDENTITY_POLICY --policy-document …, or write session-policy: auto';
    return new Failure('INPUT_INVALID', `the input session-policy ${problem}: ${message}`, { hint, cause });
  }
  return new Failure(error.code, `${message} (the session policy that session-policy: auto made)`, {
    hint: tooLarge
      ? 'give the parameter or secret a shorter name, or write session-policy: none, or a policy of your own'
      : 'write session-policy: none, or a policy of your own; and please report the names of the keys, for which no policy could be made',
    cause,
  });
}
