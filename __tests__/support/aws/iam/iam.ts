/** IAM's store: OIDC providers, roles, users' access keys, and STS sessions. */
import { randomBytes } from 'node:crypto';

import { lastSegment, requireArn } from '../arn.ts';
import { parsePolicy, type PolicyDocument } from './policy-document.ts';
import type { PolicySet } from './policy.ts';
import type { SessionTags } from '../sts/session-tags.ts';

export interface OidcProviderInput {
  readonly account: string;
  /** The issuer. Default: `https://token.actions.githubusercontent.com`. */
  readonly url?: string;
  readonly partition?: string;
  /** Default: `sts.amazonaws.com`, or China's `sts.amazonaws.com.cn` there. */
  readonly clientIds?: readonly string[];
  /** The issuer's JWKS, as fetched by AWS. Default: the local issuer's. */
  readonly fetchKeys?: () => Promise<JsonWebKeySet>;
}

export interface JsonWebKeySet {
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

export interface RoleInput {
  readonly arn: string;
  readonly trustPolicy: PolicyDocument;
  readonly policies?: readonly PolicyDocument[];
  /** Seconds, 3600 to 43200. Default: 3600. */
  readonly maxSessionDuration?: number;
}

export interface Role {
  readonly arn: string;
  readonly account: string;
  readonly partition: string;
  readonly name: string;
  /** `AROA…` */
  readonly id: string;
  readonly trustPolicy: PolicyDocument;
  readonly policies: readonly PolicyDocument[];
  readonly maxSessionDuration: number;
}

export interface OidcProvider {
  readonly arn: string;
  readonly account: string;
  readonly url: string;
  readonly clientIds: readonly string[];
  readonly fetchKeys: () => Promise<JsonWebKeySet>;
}

/** Names as in the SDK. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

export interface Principal {
  /** A user's ARN, or `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`. */
  readonly arn: string;
  readonly userId: string;
  readonly account: string;
  readonly partition: string;
  readonly policies: PolicySet;
  /** Only for sessions. */
  readonly roleArn?: string;
  readonly sessionName?: string;
  readonly tags?: SessionTags | undefined;
}

export interface SessionInput {
  readonly roleArn: string;
  /** Default: `local`. */
  readonly sessionName?: string;
  /** The session policies: inline and managed. Absent: the role's full permissions. */
  readonly sessionPolicies?: readonly PolicyDocument[] | undefined;
  /** Default: 3600. */
  readonly durationSeconds?: number;
  readonly tags?: SessionTags;
}

interface Key {
  readonly credentials: Credentials;
  /** Policies are evaluated at each call, as in IAM: a change also affects existing sessions. */
  readonly principal: () => Principal | undefined;
}

interface Defaults {
  readonly clock: () => Date;
  readonly fetchKeys: () => Promise<JsonWebKeySet>;
  /** Seconds: no session of a role is longer. */
  readonly longestSession?: number | undefined;
}

export const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com';

export class Iam {
  readonly #defaults: Defaults;
  readonly #providers = new Map<string, OidcProvider>();
  readonly #roles = new Map<string, Role>();
  readonly #managed = new Map<string, PolicyDocument>();
  readonly #keys = new Map<string, Key>();

  constructor(defaults: Defaults) {
    this.#defaults = defaults;
  }

  /** Returns the provider's ARN. */
  createOidcProvider(input: OidcProviderInput): string {
    const { account, url = GITHUB_ISSUER, partition = 'aws', fetchKeys = this.#defaults.fetchKeys } = input;
    const arn = `arn:${partition}:iam::${account}:oidc-provider/${url.replace('https://', '')}`;
    const audience = partition === 'aws-cn' ? 'sts.amazonaws.com.cn' : 'sts.amazonaws.com';
    this.#providers.set(arn, { arn, account, url, clientIds: input.clientIds ?? [audience], fetchKeys });
    return arn;
  }

  findProvider(account: string, issuer: string): OidcProvider | undefined {
    return [...this.#providers.values()].find((one) => one.account === account && one.url === issuer);
  }

  /** Replaces a role with the same ARN. */
  createRole({ arn, trustPolicy, policies = [], maxSessionDuration = 3600 }: RoleInput): Role {
    const parsed = requireArn(arn);
    const role: Role = {
      arn,
      account: parsed.account,
      partition: parsed.partition,
      name: lastSegment(parsed),
      id: this.#roles.get(arn)?.id ?? uniqueId('AROA'),
      trustPolicy: parsePolicy(JSON.stringify(trustPolicy), 'trust'),
      policies: policies.map(checked),
      maxSessionDuration,
    };
    this.#roles.set(arn, role);
    return role;
  }

  findRole(arn: string): Role | undefined {
    return this.#roles.get(arn);
  }

  /** A managed policy, for STS's PolicyArns. */
  createPolicy({ arn, document }: { readonly arn: string; readonly document: PolicyDocument }): void {
    this.#managed.set(arn, checked(document));
  }

  findPolicy(arn: string): PolicyDocument | undefined {
    return this.#managed.get(arn);
  }

  createAccessKey(input: {
    readonly userArn: string;
    readonly policies?: readonly PolicyDocument[];
  }): Credentials {
    const { userArn: arn, policies = [] } = input;
    const { account, partition } = requireArn(arn);
    const credentials = { accessKeyId: uniqueId('AKIA'), secretAccessKey: secret(30) };
    const identity = policies.map(checked);
    const userId = uniqueId('AIDA');
    const principal: Principal = { arn, userId, account, partition, policies: { identity } };
    this.#keys.set(credentials.accessKeyId, { credentials, principal: () => principal });
    return credentials;
  }

  /** Temporary credentials of a role, as from STS or EC2, without a check of the trust policy. */
  createSession(input: SessionInput): Required<Credentials> {
    const { roleArn, sessionName = 'local', durationSeconds = 3600 } = input;
    const seconds = Math.min(durationSeconds, this.#defaults.longestSession ?? Infinity);
    if (!this.#roles.has(roleArn)) throw new TypeError(`no such role: ${roleArn}`);
    const credentials: Required<Credentials> = {
      accessKeyId: uniqueId('ASIA'),
      secretAccessKey: secret(30),
      sessionToken: `IQoJb3JpZ2luX2Vj${secret(270)}`,
      // STS counts whole seconds.
      expiration: new Date(Math.floor(this.#defaults.clock().getTime() / 1000) * 1000 + seconds * 1000),
    };
    const principal = (): Principal | undefined => {
      const role = this.#roles.get(roleArn);
      return role && sessionPrincipal(role, { ...input, sessionName });
    };
    this.#keys.set(credentials.accessKeyId, { credentials, principal });
    return credentials;
  }

  findKey(accessKeyId: string): Key | undefined {
    return this.#keys.get(accessKeyId);
  }
}

function sessionPrincipal(
  role: Role,
  { sessionName, sessionPolicies: session, tags }: SessionInput & { readonly sessionName: string },
): Principal {
  const { account, partition, id, arn: roleArn, policies: identity } = role;
  return {
    arn: assumedRoleArn(role, sessionName),
    userId: `${id}:${sessionName}`,
    account,
    partition,
    policies: { identity, session },
    roleArn,
    sessionName,
    tags,
  };
}

/** The path of a role is not a part of its sessions' ARNs. */
export function assumedRoleArn({ partition, account, name }: Role, sessionName: string): string {
  return `arn:${partition}:sts::${account}:assumed-role/${name}/${sessionName}`;
}

function checked(policy: PolicyDocument): PolicyDocument {
  return parsePolicy(JSON.stringify(policy), 'permission');
}

function secret(bytes: number): string {
  return randomBytes(bytes).toString('base64');
}

/** Twenty characters: IAM's prefix for the kind of resource, then base32. */
function uniqueId(prefix: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const rest = [...randomBytes(16)].map((byte) => alphabet.charAt(byte % alphabet.length));
  return `${prefix}${rest.join('')}`;
}
