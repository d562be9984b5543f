/**
 * The Region and the credentials of this machine, found once for all checks. Importing this file loads the AWS SDK.
 */
import type { AwsCredentialIdentity } from '@smithy/types';
import { callerAccount, type Identity } from '../../src/aws/account.ts';
import type { Caller, Credentials, Role } from '../../src/aws/caller.ts';
import { instanceRegion, profileRegion } from '../../src/aws/region.ts';
import { openSession } from '../../src/aws/session.ts';
import { hasTokenAlone } from '../../src/aws/web-identity.ts';
import { tookTooLong, withDeadline } from '../../src/deadline.ts';
import { Failure } from '../../src/errors.ts';
import { callerOf, explained } from '../../src/host/call-aws.ts';
import { missingOnHost, roleOnHost } from '../../src/host/caller.ts';
import type { JobRole } from '../../src/host/job-role.ts';
import type { Voice } from '../../src/host/voice.ts';
import { stsAudience } from '../../src/keys/partition.ts';
import type { Location } from '../../src/keys/reference.ts';
import { isRegion } from '../../src/keys/region-name.ts';
import { parseRegion, parseRoles } from '../command-line/account.ts';
import { needs, Unmet } from './finding.ts';
import type { Place } from './wanted.ts';

export interface AccessOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly voice: Voice;
  /** The Region of `--region`. */
  readonly given: string | undefined;
  /** The Region of their ARNs is the last resort before the instance's. */
  readonly references: readonly { readonly location?: Location }[];
  /** In a job, the role of the action. */
  readonly job: JobRole | undefined;
}

export interface FoundRegion {
  readonly region: string;
  /** For people: the setting that names it. */
  readonly from: string;
}

export interface Reader {
  readonly caller: Caller;
  readonly region: string;
  /** Absent: the default credential chain. */
  readonly credentials?: Credentials | undefined;
}

/** Seconds for one step: the Region, the identity, a role. Tries of one call. */
const [timeoutSeconds, maxAttempts] = [8, 2];

export class AwsAccess {
  readonly #options: AccessOptions;
  readonly #caller: Caller;
  readonly #regions = new Map<string, Promise<FoundRegion>>();
  readonly #readers = new Map<string, Promise<Reader>>();
  #identity: Promise<Identity> | undefined;

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#caller = callerOf({ regions: [''], maxAttempts, timeoutSeconds }, options);
  }

  /** @throws REGION_MISSING, INPUT_INVALID, and the errors of the instance metadata */
  region(place: Place): Promise<FoundRegion> {
    return once(this.#regions, place.region ?? '', () =>
      this.#limited('finding the Region', () => this.#findRegion(place)),
    );
  }

  /** The caller of the default credential chain, as AWS STS names it. */
  identity(place: Place): Promise<Identity> {
    this.#identity ??= settled(
      this.#limited('asking AWS STS', async (signal) => {
        if (this.#usesToken) throw new Unmet("the roles are assumed by the job's OIDC token alone");
        const { region } = await needs(this.region(place), 'region');
        return await callerAccount({ region, signal }, this.#callerIn(region));
      }).catch((error: unknown) => {
        const { env } = this.#options;
        throw explained(error, { role: undefined, env }, missingOnHost(env)) as Error;
      }),
    );
    return this.#identity;
  }

  /** The credentials of the default chain, with their end if it is known. */
  async credentials(): Promise<AwsCredentialIdentity> {
    return await this.#caller.connection.credentials();
  }

  get #usesToken(): boolean {
    return hasTokenAlone(this.#options.env);
  }

  /** What reads with the roles of the place. @throws Unmet if another check reports why it cannot */
  reader(place: Place): Promise<Reader> {
    return once(this.#readers, JSON.stringify(place), async () => {
      const { region } = await needs(this.region(place), 'region');
      const caller = this.#callerIn(region);
      const role = this.#roleOf(place);
      if (!role) {
        await needs(this.identity(place), 'identity');
        return { caller, region };
      }
      if (!this.#usesToken) await needs(this.identity(place), 'identity');
      const { answer } = await this.#limited(`assuming ${role.arn}`, (signal) =>
        openSession(role, '', { ...caller, signal }),
      );
      return { caller, region, credentials: answer };
    });
  }

  #roleOf({ roles }: Place): Role | undefined {
    const { job } = this.#options;
    if (roles.length === 0) return job && { ...job.role, policy: 'none' };
    const role = roleOnHost(parseRoles(roles, 'ssm.roleArn (SSM_SSH_ROLE_ARN)'));
    return (
      role && (this.#usesToken ? { ...role, audience: stsAudience(role.arn.split(':')[1] ?? '') } : role)
    );
  }

  async #findRegion(place: Place): Promise<FoundRegion> {
    const { env, given, references, job } = this.#options;
    const [first] = references;
    const ofArns = references.every(({ location }) => location) ? first?.location?.region : undefined;
    // The Region of another service.
    const usable = (text = ''): string => (ofArns === undefined || isRegion(text.trim()) ? text.trim() : '');
    const candidates: [string | undefined, () => string | undefined | Promise<string | undefined>][] = [
      ['--region', () => given],
      [env['SSM_SSH_REGION'] ? 'SSM_SSH_REGION' : 'ssm.region', () => place.region],
      ['AWS_REGION', () => usable(env['AWS_REGION'])],
      ['AWS_DEFAULT_REGION', () => usable(env['AWS_DEFAULT_REGION'])],
      ['the profile of the AWS configuration', async () => usable(await profileRegion())],
      ["the action's aws-region", () => job?.regions[0]],
      ["the keys' ARNs", () => ofArns],
      ['the instance metadata', () => instanceRegion({ env, patience: 1500, signal: this.#caller.signal })],
    ];
    for (const [from = '', look] of candidates) {
      const region = await look();
      if (region) return { region: parseRegion(region, from) ?? '', from };
    }
    throw new Failure('REGION_MISSING', 'no AWS region is known', {
      hint: 'git config --global ssm.region REGION, set SSM_SSH_REGION or AWS_REGION, or pass --region',
    });
  }

  #callerIn(region: string): Caller {
    return { ...this.#caller, regions: [region] };
  }

  async #limited<T>(what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const reason = tookTooLong(what, timeoutSeconds, 'check the network of this machine');
    const deadline = { milliseconds: timeoutSeconds * 1000, reason, signal: this.#options.signal };
    try {
      return await withDeadline(deadline, work);
    } catch (error) {
      throw this.#caller.connection.troubles.explain(error);
    }
  }
}

function once<T>(known: Map<string, Promise<T>>, key: string, work: () => Promise<T>): Promise<T> {
  const before = known.get(key);
  if (before) return before;
  const now = settled(work());
  known.set(key, now);
  return now;
}

/** A rejection that no check has awaited yet is no unhandled rejection. */
function settled<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}
