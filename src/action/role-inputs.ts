/** The inputs about the role: which role, how it is assumed, what its session may do. Pure. */
import type { Role, SessionTag } from '../aws/caller.ts';
import { stsAudience } from '../keys/partition.ts';
import { looksSecret } from '../keys/secret-text.ts';
import { input, invalid, isOn, wholeNumber, type Env } from './input.ts';
import { checkManagedPolicies, parseManagedPolicies, parseTags } from './session-inputs.ts';

/** Seconds. The longest session of a role that is assumed from another role. */
const longestChained = 3600;

/** Characters of a session policy (AssumeRole, `Policy`). */
const longestPolicy = 2048;

/** @throws INPUT_INVALID, also for wrong inputs that have no effect without a role */
export function parseRole(env: Env): Role | undefined {
  const durationSeconds = wholeNumber(env, 'role-duration-seconds', [900, 43_200]);
  const sessionName = parseSessionName(env);
  const session = parseSession(env);
  const roles = parseRoles(env);
  const arn = roles.at(-1);
  if (arn === undefined) {
    refuseWithoutRole(session);
    return undefined;
  }
  const through = roles.slice(0, -1);
  if (through.length > 0 && durationSeconds > longestChained) {
    throw invalid(
      'role-duration-seconds',
      `is more than an hour, and role-to-assume is a chain of roles: "${durationSeconds}"`,
      `write ${longestChained} or less: AWS limits the session of a role assumed from another role`,
    );
  }
  const { tokenFile, skipsOidc, tags, managedPolicies, externalId, policy } = session;
  if (through.length === 0 && (tokenFile !== undefined || (hasToken(env) && !skipsOidc))) {
    refuseWithToken(session);
  }
  checkManagedPolicies(managedPolicies, arn);
  const usesGitHub = tokenFile === undefined && !skipsOidc;
  return {
    ...{ arn, through, sessionName, durationSeconds, externalId, policy },
    audience: usesGitHub ? input(env, 'audience') || standardAudience(arn) : undefined,
    ...(tokenFile !== undefined && { tokenFile }),
    ...(tokenFile === undefined && skipsOidc && { skipsOidc }),
    ...(managedPolicies.length > 0 && { managedPolicies }),
    ...(tags.length > 0 && { tags }),
  };
}

/** The inputs that are sent with the request for the role. */
interface SessionInputs {
  readonly policy: Role['policy'];
  readonly externalId: string | undefined;
  readonly tokenFile: string | undefined;
  readonly skipsOidc: boolean;
  readonly managedPolicies: readonly string[];
  readonly tags: readonly SessionTag[];
}

function parseSession(env: Env): SessionInputs {
  return {
    policy: parseSessionPolicy(env),
    externalId: parseExternalId(env),
    tokenFile: parseTokenFile(env),
    skipsOidc: isOn(env, 'force-skip-oidc'),
    managedPolicies: parseManagedPolicies(env),
    tags: parseTags(env),
  };
}

function refuseWithoutRole({ policy, externalId, tokenFile, managedPolicies, tags }: SessionInputs): void {
  const set = {
    'session-policy': typeof policy === 'string' ? '' : 'is a policy',
    'role-external-id': externalId === undefined ? '' : 'is set',
    'web-identity-token-file': tokenFile === undefined ? '' : 'is set',
    'managed-session-policies': managedPolicies.length === 0 ? '' : 'names policies',
    'custom-tags': tags.length === 0 ? '' : 'has tags',
  };
  for (const [name, what] of Object.entries(set)) {
    if (what === '') continue;
    const hint = 'write role-to-assume, or leave it out';
    throw invalid(name, `${what}, and role-to-assume names no role`, hint);
  }
}

/** @source AWS STS API Reference, AssumeRoleWithWebIdentity: it has neither parameter */
function refuseWithToken({ externalId, tags }: SessionInputs): void {
  const problem = 'cannot be sent with an OIDC token, and role-to-assume is assumed with an OIDC token';
  if (externalId !== undefined) {
    const hint =
      'leave it out and let the trust policy of the role check the token; or write a chain of roles whose last one asks for it';
    throw invalid('role-external-id', problem, hint);
  }
  if (tags.length > 0) {
    const hint =
      'write a chain of roles in role-to-assume: each role that is assumed from another one can have tags; or leave it out, and let policies check the claims of the token';
    throw invalid('custom-tags', problem, hint);
  }
}

/** Relative to the workspace, as in aws-actions/configure-aws-credentials. */
function parseTokenFile(env: Env): string | undefined {
  const text = input(env, 'web-identity-token-file');
  if (text === '') return undefined;
  const fail = (problem: string, hint: string): Error => invalid('web-identity-token-file', problem, hint);
  if (looksSecret(text)) throw fail('has a token in it', 'write the path of the file that has the token');
  // eslint-disable-next-line no-control-regex -- a path of several lines, or with a NUL, is no path
  if (/[\x00-\x1f]/.test(text)) throw fail('is not a path', 'write the path of one file on one line');
  const { GITHUB_WORKSPACE: workspace } = env;
  if (text.startsWith('/') || !workspace) return text;
  return `${workspace}/${text}`;
}

/** Not `list`: a chain may contain a role twice, and a role's name a comma. */
function parseRoles(env: Env): string[] {
  const text = input(env, 'role-to-assume');
  const roles = text
    .split(/[\r\n]|,(?=[\s,]*(?:arn:|$))/)
    .map((role) => role.trim())
    .filter((role) => role !== '');
  const wrong = roles.find((role) => !roleArn.test(role));
  if (wrong !== undefined || (text !== '' && roles.length === 0)) {
    throw invalid(
      'role-to-assume',
      `is not the ARN of a role: "${wrong ?? text}"`,
      'write arn:aws:iam::ACCOUNT:role/NAME, one per line for a chain',
    );
  }
  const partitions = new Set(roles.map((role) => role.split(':')[1]));
  if (partitions.size < 2) return roles;
  throw invalid(
    'role-to-assume',
    `has roles of ${[...partitions].join(' and ')}`,
    'write roles of one partition: credentials of one are unknown in the other',
  );
}

const roleArn = /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/;

function standardAudience(arn: string): string {
  return stsAudience(arn.split(':')[1] ?? '');
}

function parseSessionName(env: Env): string {
  const name = input(env, 'role-session-name') || sessionNameOf(env);
  if (/^[\w+=,.@-]{2,64}$/.test(name)) return name;
  throw invalid('role-session-name', 'is not a session name', 'write 2 to 64 letters, digits and _+=,.@-');
}

/** @source AWS STS API Reference, AssumeRole, `ExternalId` */
function parseExternalId(env: Env): string | undefined {
  const text = input(env, 'role-external-id');
  if (text === '' || /^[\w+=,.@:/-]{2,1224}$/.test(text)) return text || undefined;
  throw invalid('role-external-id', 'is not an external id', 'write 2 to 1224 letters, digits and _+=,.@:/-');
}

function parseSessionPolicy(env: Env): Role['policy'] {
  const text = input(env, 'session-policy');
  if (text === 'auto' || text === 'none') return text;
  const fail = (problem: string, hint: string): Error => invalid('session-policy', problem, hint);
  if (!text.startsWith('{')) throw fail('is not a policy', 'write auto, none, or the JSON of a policy');
  // White space counts in the size of a policy, so it is removed.
  const json = minified(text);
  if (json === undefined) throw fail('is not valid JSON', 'write auto, none, or the JSON of a policy');
  const { Statement: statement } = JSON.parse(json) as { Statement?: unknown };
  if (typeof statement !== 'object' || statement === null || Object.keys(statement).length === 0) {
    throw fail('has no Statement', 'write {"Version":"2012-10-17","Statement":[…]}');
  }
  if (json.length <= longestPolicy) return { json };
  throw fail(
    `has ${json.length} characters, and a session takes ${longestPolicy}`,
    'write fewer or shorter ARNs, with * where they begin alike, or auto, which opens several sessions',
  );
}

function minified(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Whether the job has the variables to ask GitHub for a token. */
function hasToken(env: Env): boolean {
  return Boolean(env['ACTIONS_ID_TOKEN_REQUEST_URL'] && env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']);
}

/** The longest name of a session, in characters. */
const longestName = 64;

/**
 * The name that CloudTrail shows for the run: `<owner>-<repo>-<run id>-<attempt>`, changed to fit STS's rules. If it is
 * too long, it is cut before the run id.
 *
 * @source AssumeRoleWithWebIdentity, `RoleSessionName`: 2 to 64 of `[\w+=,.@-]`
 */
export function sessionNameOf(env: Env): string {
  const { GITHUB_REPOSITORY = 'ssm-ssh-agent', GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT } = env;
  const clean = (text: string): string => text.replace(/[^\w+=,.@-]/g, '-');
  const run = [GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT].filter(Boolean).map((part) => `-${clean(part ?? '')}`);
  const end = run.join('').slice(-longestName);
  return clean(GITHUB_REPOSITORY).slice(0, longestName - end.length) + end;
}
