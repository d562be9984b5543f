/** References → session policies that allow to read them and nothing else, as many as STS's limits require. Pure. */
import { arnOf, type Location, type Reference } from '../keys/reference.ts';
import { dnsSuffix } from '../keys/partition.ts';
import type { KmsReference } from '../keys/key-reference.ts';
import { kmsStatement, signingActions } from './kms-statement.ts';

/** Characters of an inline session policy, white space included (AssumeRoleWithWebIdentity, `Policy`). */
const longestPolicy = 2048;

/**
 * STS also limits the size after packing, and does not publish how it packs: about 16 parameters fit. More are split at
 * once, because a refused try takes longer than a session more.
 */
export const mostReferences = 16;

/** The place of a reference without an ARN: the account of the role, and the chosen Region or another one. */
export interface Home extends Location {
  readonly otherRegions?: readonly string[];
  /** ARNs of managed policies that are sent with it: STS may count the text of both together. */
  readonly managedPolicies?: readonly string[] | undefined;
}

export interface NarrowSession {
  readonly references: readonly Reference[];
  /** JSON. */
  readonly policy: string;
}

/**
 * Allows to read exactly these parameters and secrets, and to decrypt only through the service that stores them. So the
 * KMS key need not be known.
 */
export function narrowSessions(references: readonly Reference[], home: Home): NarrowSession[] {
  if (references.length > mostReferences) {
    const [some, others] = [references.slice(0, mostReferences), references.slice(mostReferences)];
    return [some, others].flatMap((part) => narrowSessions(part, home));
  }
  const policy = render(references, home);
  const taken = home.managedPolicies?.join('').length ?? 0;
  if (policy.length + taken <= longestPolicy || references.length < 2) return [{ references, policy }];
  return halve(references).flatMap((half) => narrowSessions(half, home));
}

/** How STS packs policies is not published. If it refuses a policy that is short enough, two halves are sent. */
export function halve<T>(items: readonly T[]): [T[], T[]] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
}

function render(references: readonly Reference[], home: Home): string {
  const homes = [home, ...(home.otherRegions ?? []).map((region) => ({ ...home, region }))];
  const hosts = references.flatMap((reference) =>
    (reference.location ? [reference.location] : homes).map((place) => storeHost(reference, place)),
  );
  const decrypt = {
    ...allow('kms:Decrypt', '*'),
    Condition: { StringEquals: { 'kms:ViaService': [...new Set(hosts)] } },
  };
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [...readStatements(references, homes), decrypt],
  });
}

/** Allows to sign with these keys in KMS, and to read their public halves. */
export function signingPolicy(
  references: readonly KmsReference[],
  home: Home,
  actions: readonly string[] = signingActions,
): string {
  const regions = [home.region, ...(home.otherRegions ?? [])];
  const statements = references.map((reference) => {
    if (reference.location || regions.length === 1) return kmsStatement(reference, home, actions);
    const { Condition, ...anywhere } = kmsStatement(reference, { ...home, region: '*' }, actions);
    const conditions = { ...Condition?.StringEquals, 'aws:RequestedRegion': regions };
    return { ...anywhere, Condition: { StringEquals: conditions } };
  });
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

/** With several Regions a name is written once, and its Regions are a condition: ARNs use most of STS's limit. */
function readStatements(references: readonly Reference[], homes: readonly Location[]): object[] {
  const [home, ...others] = homes;
  if (!home) return [];
  if (others.length === 0) return statementsFor(references, home);
  const exact = references.filter(({ location }) => location);
  const named = references.filter(({ location }) => !location);
  const Condition = { StringEquals: { 'aws:RequestedRegion': homes.map(({ region }) => region) } };
  const anywhere = statementsFor(named, { ...home, region: '*' });
  return [...statementsFor(exact, home), ...anywhere.map((statement) => ({ ...statement, Condition }))];
}

function statementsFor(references: readonly Reference[], home: Location): object[] {
  return (['parameter', 'secret'] as const).flatMap((kind) => {
    const named = references.filter((reference) => reference.kind === kind);
    const arns = [...new Set(named.map((reference) => arnOf(reference, home)))];
    return arns.length > 0 ? allowReading[kind](arns) : [];
  });
}

const allowReading = {
  parameter: (arns: readonly string[]) => [allow(['ssm:GetParameter', 'ssm:GetParameters'], arns)],
  // BatchGetSecretValue supports no resources. Each secret in a batch also needs GetSecretValue.
  secret: (arns: readonly string[]) => [
    allow('secretsmanager:GetSecretValue', arns),
    ...(arns.length > 1 ? [allow('secretsmanager:BatchGetSecretValue', '*')] : []),
  ],
};

function allow(Action: string | readonly string[], Resource: string | readonly string[]): object {
  return { Effect: 'Allow', Action, Resource };
}

/** The host of the store, in the form of `kms:ViaService`. @source KMS Developer Guide, "kms:ViaService" */
export function storeHost({ kind }: Reference, { region }: Location): string {
  return `${kind === 'secret' ? 'secretsmanager' : 'ssm'}.${region}.${dnsSuffix(region)}`;
}
