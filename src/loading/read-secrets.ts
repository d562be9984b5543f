/** The AWS half of loading keys: who we are, then what is stored. All that the AWS SDK weighs hangs on this file. */
import { setTimeout } from 'node:timers/promises';
import { checkAccount } from '../aws/account.ts';
import { ignoresProxy, openConnection } from '../aws/connection.ts';
import { ec2SessionPolicy } from '../aws/ec2-session-policy.ts';
import { inTurn } from '../aws/failover.ts';
import { instanceRegion } from '../aws/region.ts';
import { openSession, openSessions, type Caller, type Role, type Session } from '../aws/session.ts';
import { Failure } from '../errors.ts';
import { referencesOf, type KeyLine } from '../keys/key-line.ts';
import type { Reference } from '../keys/reference.ts';
import { readReferences, storesOf } from '../secrets/read.ts';
import type { Secret } from '../secrets/source.ts';

/** Which keys, and as whom. */
export interface Wanted {
  readonly keys: readonly KeyLine[];
  /** In order of preference. None: the keys' own, or the machine's. */
  readonly regions: readonly string[];
  /** Absent: the default credential chain. */
  readonly role: Role | undefined;
  /** None: credentials of any account will do. */
  readonly allowedAccounts: readonly string[];
  readonly maxAttempts: number;
  readonly timeoutSeconds: number;
}

/** Where it is said what is going on. */
export interface Voice {
  info(line: string): void;
  warn(message: string): void;
  /** From now on the text shows nowhere. */
  mask(secret: string): void;
}

export interface ReadOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly voice: Voice;
  /** Hints, where these are missing. */
  readonly missing: { readonly region: string; readonly credentials: string };
}

/** What is stored at every reference of the keys, in their order. */
export async function readSecrets(wanted: Wanted, options: ReadOptions): Promise<Secret[]> {
  const { env, voice, missing } = options;
  const references = referencesOf(wanted.keys);
  const regions = wanted.regions.length > 0 ? wanted.regions : [await regionFor(references, missing.region)];
  const caller = callerOf({ ...wanted, regions }, options);
  if (ignoresProxy(env, process.versions.node)) {
    voice.warn(`the proxy is not used: this Node ${process.versions.node} knows no HTTPS_PROXY, 24.5 does`);
  }
  try {
    const known = await checkAccount(wanted.allowedAccounts, wanted.role, caller);
    if (references.length === 0) return await tryRole(wanted.role, { ...caller, regions: known });
    const opened = await openSessions(references, wanted.role, { ...caller, regions: known });
    voice.info(
      `reading ${wanted.keys.length === 1 ? 'a key' : `${wanted.keys.length} keys`} from ${storesOf(references)}`,
    );
    return inOrder(references, await readAll(opened.answer, { ...caller, regions: opened.regions }));
  } catch (error) {
    throw explained(error, wanted.role, missing.credentials);
  }
}

/** One that reads no key is for EC2 hosts: what is wrong with it shows now, and not in the step that needs it. */
async function tryRole(role: Role | undefined, caller: Caller): Promise<[]> {
  const [region = ''] = caller.regions;
  if (role) await openSession(role, ec2SessionPolicy({}, { ...role, region }), caller);
  return [];
}

/** With what to check, where it was left to the default credential chain to find credentials. */
export function explained(error: unknown, role: Role | undefined, hint: string): unknown {
  if (!(error instanceof Failure) || error.code !== 'CREDENTIALS_MISSING' || role) return error;
  return new Failure(error.code, error.message, { hint, cause: error });
}

export function callerOf(
  wanted: Pick<Wanted, 'regions' | 'maxAttempts' | 'timeoutSeconds'>,
  { env, signal, voice }: Omit<ReadOptions, 'missing'>,
): Caller {
  const { regions, maxAttempts, timeoutSeconds } = wanted;
  return {
    ...{ env, signal, regions, share: (timeoutSeconds * 1000) / (regions.length + 1) },
    connection: openConnection({ env, maxAttempts }),
    sleep: (milliseconds) => setTimeout(milliseconds, undefined, { signal }),
    mask: (secret) => {
      voice.mask(secret);
    },
    say: (line) => {
      voice.info(line);
    },
    warn: (message) => {
      voice.warn(message);
    },
  };
}

/** @throws REGION_MISSING */
export async function regionFor(references: readonly Reference[], hint: string): Promise<string> {
  const [first] = references;
  const named = references.every(({ location }) => location) && first?.location?.region;
  const region = named || (await instanceRegion());
  if (region) return region;
  throw new Failure(
    'REGION_MISSING',
    `no AWS region is known${references.length > 0 ? ' for the keys' : ''}`,
    {
      hint,
    },
  );
}

/** A reference that is an ARN stays in its region, whatever becomes of the others. */
async function readAll(sessions: readonly Session[], caller: Caller): Promise<Secret[]> {
  const { connection, regions, signal } = caller;
  const [region = ''] = regions;
  if (regions.length === 1) return await readEach(sessions, { connection, region, signal });
  const exact = parts(sessions, ({ location }) => location !== undefined);
  const named = parts(sessions, ({ location }) => location === undefined);
  const [secrets, { answer }] = await Promise.all([
    readEach(exact, { connection, region, signal }),
    inTurn((turn) => readEach(named, { connection, ...turn }), caller),
  ]);
  return [...secrets, ...answer];
}

function parts(sessions: readonly Session[], wanted: (reference: Reference) => boolean): Session[] {
  return sessions.map((session) => ({ ...session, references: session.references.filter(wanted) }));
}

type Place = Pick<Caller, 'connection' | 'signal'> & { readonly region: string };

async function readEach(sessions: readonly Session[], place: Place): Promise<Secret[]> {
  return (await Promise.all(sessions.map((session) => read(session, place)))).flat();
}

async function read({ references, credentials }: Session, place: Place): Promise<Secret[]> {
  return await readReferences(references, { ...place, ...(credentials && { credentials }) });
}

function inOrder(references: readonly Reference[], secrets: readonly Secret[]): Secret[] {
  return references.flatMap((reference) => secrets.filter((secret) => secret.reference === reference));
}
