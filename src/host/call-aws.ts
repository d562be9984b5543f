/** How AWS is called: Region, connection, and what is said about missing or expired credentials. Importing this file loads the AWS SDK, but no client of it. */
import { setTimeout } from 'node:timers/promises';
import { openConnection } from '../aws/connection.ts';
import type { EarlyAgent } from '../aws/early-agent.ts';
import { patienceOf } from '../aws/patience.ts';
import { hasExpired, type Renewable } from '../aws/renewing.ts';
import { tokenService } from '../aws/token-request.ts';
import { instanceRegion } from '../aws/region.ts';
import type { Caller, Role } from '../aws/caller.ts';
import { Failure } from '../errors.ts';
import { abortable } from '../deadline.ts';
import { unusedProxy } from '../proxy-environment.ts';
import type { Voice } from './voice.ts';
import { referencesOf, type KeyLine } from '../keys/key-line.ts';
import type { Reference } from '../keys/reference.ts';

/** The keys, and the credentials to read them with. */
export interface Wanted {
  readonly keys: readonly KeyLine[];
  /** In order of preference. Empty: the Region of the keys' ARNs, or the machine's. */
  readonly regions: readonly string[];
  /** Absent: the default credential chain. */
  readonly role: Role | undefined;
  /** Empty: any account is allowed. */
  readonly allowedAccounts: readonly string[];
  readonly maxAttempts: number;
  /** Tries of a call that AWS throttles. Default: maxAttempts. */
  readonly throttledAttempts?: number;
  readonly timeoutSeconds: number;
}

export interface ReadOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly voice: Voice;
  /** Hints for missing values. */
  readonly missing: {
    readonly region: string;
    readonly credentials: string;
    /** If the credentials have expired. */
    readonly expired: string;
  };
  readonly headStart?: HeadStart | undefined;
}

/** What was begun before the AWS SDK was loaded. */
export interface HeadStart {
  readonly early: Caller['early'];
  readonly https: EarlyAgent;
}

interface Expiring extends Pick<ReadOptions, 'env' | 'voice'>, Renewable {
  readonly role: Role | undefined;
}

/** Tries once more if AWS says that a token, a role's session or a machine's credentials have expired. */
export async function retryIfExpired<T>(
  { role, env, voice, forget }: Expiring,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!hasExpired(error) || areFixed(role, env)) throw error;
    voice.info('AWS says that the credentials have expired: asking for new ones');
    forget?.();
    return await work();
  }
}

/** Whether the first credentials are the environment's access keys: those cannot be renewed. */
export function areFixed(role: Role | undefined, env: ReadOptions['env']): boolean {
  if (usesToken(role, env)) return false;
  return Boolean(env['AWS_ACCESS_KEY_ID']) && !env['AWS_PROFILE'];
}

function usesToken(role: Role | undefined, env: ReadOptions['env']): boolean {
  if (role?.tokenFile !== undefined) return true;
  return role?.audience !== undefined && tokenService(env) !== undefined;
}

const toldOfProxy = new WeakSet<Voice>();

/** Once, if Node does not use the proxy of the environment. */
export function warnOfProxy(
  { env, voice }: Pick<ReadOptions, 'env' | 'voice'>,
  version: string = process.versions.node,
): void {
  const unused = unusedProxy(env, version);
  if (toldOfProxy.has(voice) || !unused) return;
  toldOfProxy.add(voice);
  voice.warn(`the proxy is not used: ${unused.why}; ${unused.remedy}`);
}

/** Adds a hint about the default credential chain to errors of missing or expired credentials. */
export function explained(
  error: unknown,
  { role, env }: { readonly role: Role | undefined; readonly env: ReadOptions['env'] },
  { credentials, expired }: Omit<ReadOptions['missing'], 'region'>,
): unknown {
  if (!(error instanceof Failure)) return error;
  const { code, message } = error;
  if (code === 'CREDENTIALS_MISSING' && !role) {
    return new Failure(code, message, { hint: credentials, cause: error });
  }
  if (code !== 'CREDENTIALS_EXPIRED') return error;
  const hint = usesToken(role, env)
    ? 'the credentials were new: check the clock of this machine, and run the job again'
    : expired;
  return new Failure(code, message, { hint, cause: error });
}

export function callerOf(
  wanted: Pick<Wanted, 'regions' | 'maxAttempts' | 'throttledAttempts' | 'timeoutSeconds'>,
  { env, signal, voice, headStart }: Omit<ReadOptions, 'missing'>,
): Caller {
  const { regions, maxAttempts, throttledAttempts, timeoutSeconds } = wanted;
  const say = (line: string): void => {
    voice.info(line);
  };
  const debug = (line: string): void => {
    voice.debug?.(line);
  };
  return {
    ...{ env, signal, regions, say, debug, share: (timeoutSeconds * 1000) / (regions.length + 1) },
    early: headStart?.early,
    connection: openConnection({
      ...{ env, maxAttempts, throttledAttempts, patience: patienceOf(wanted), signal, say, debug },
      https: headStart?.https,
    }),
    sleep: (milliseconds) => setTimeout(milliseconds, undefined, { signal }),
    mask: (...secrets) => {
      voice.mask(...secrets);
    },
    warn: (message) => {
      voice.warn(message);
    },
  };
}

/** The wanted ones, or the one that is found. @throws as regionFor */
export async function regionsOf(wanted: Wanted, options: ReadOptions): Promise<readonly string[]> {
  if (wanted.regions.length > 0) return wanted.regions;
  const search = { hint: options.missing.region, ...options, ...wanted };
  return [await abortable(regionFor(referencesOf(wanted.keys), search), options.signal)];
}

export interface RegionSearch extends Pick<ReadOptions, 'env' | 'signal'> {
  readonly hint: string;
  readonly maxAttempts: number;
  readonly timeoutSeconds: number;
}

/** @throws REGION_MISSING; NETWORK_UNREACHABLE, PROVIDER_FAILED, THROTTLED if the instance metadata cannot be read */
export async function regionFor(references: readonly Reference[], search: RegionSearch): Promise<string> {
  const [first] = references;
  const { hint } = search;
  const named = references.every(({ location }) => location) && first?.location?.region;
  const patience = patienceOf({ ...search, regions: [''] });
  const region = named || (await instanceRegion({ ...search, patience }));
  if (region) return region;
  throw new Failure(
    'REGION_MISSING',
    `no AWS region is known${references.length > 0 ? ' for the keys' : ''}`,
    {
      hint,
    },
  );
}
