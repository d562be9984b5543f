/** The inputs that say which role, and what its session may do. Pure. */
import { input, invalid, wholeNumber, type Env } from './input.ts';

export interface RoleInputs {
  /** The role that reads the keys: the last of a chain. */
  readonly arn: string;
  /** The roles on the way to it, in order. */
  readonly through: readonly string[];
  readonly sessionName: string;
  readonly durationSeconds: number;
  readonly audience: string;
  readonly externalId: string | undefined;
  readonly policy: SessionPolicy;
}

export type SessionPolicy = 'auto' | 'none' | { readonly json: string };

/** AWS caps the session of a role that was assumed from another role. Seconds. */
const longestChained = 3600;

/** Characters of a session policy (AssumeRole, `Policy`). */
const longestPolicy = 2048;

/** @throws INPUT_INVALID, for what is wrong without a role as well */
export function parseRole(env: Env): RoleInputs | undefined {
  const policy = parseSessionPolicy(env);
  const durationSeconds = wholeNumber(env, 'role-duration-seconds', [900, 43_200]);
  const sessionName = parseSessionName(env);
  const externalId = parseExternalId(env);
  const roles = parseRoles(env);
  const arn = roles.at(-1);
  if (arn === undefined) {
    if (typeof policy !== 'string') throw needsRole('session-policy', 'is a policy');
    if (externalId !== undefined) throw needsRole('role-external-id', 'is set');
    return undefined;
  }
  const through = roles.slice(0, -1);
  if (through.length > 0 && durationSeconds > longestChained) {
    throw invalid(
      'role-duration-seconds',
      `is more than an hour, and role-to-assume is a chain of roles: "${durationSeconds}"`,
      `write ${longestChained} or less: AWS caps what one role gets from another`,
    );
  }
  if (through.length === 0 && externalId !== undefined && hasToken(env)) {
    throw invalid(
      'role-external-id',
      'cannot be passed with an OIDC token, which is what role-to-assume is asked for with',
      'leave it out and let the trust policy of the role check the token; or write a chain of roles whose last one asks for it',
    );
  }
  const audience = input(env, 'audience') || standardAudience(arn);
  return { arn, through, sessionName, durationSeconds, audience, externalId, policy };
}

/** Not `list`: a chain may come back to a role that it has been through. */
function parseRoles(env: Env): string[] {
  const text = input(env, 'role-to-assume');
  const roles = text
    .split(/[,\r\n]/)
    .map((role) => role.trim())
    .filter((role) => role !== '');
  const wrong = roles.find((role) => !roleArn.test(role));
  if (wrong !== undefined || (text !== '' && roles.length === 0)) {
    throw invalid(
      'role-to-assume',
      `is not the ARN of a role: "${wrong ?? text}"`,
      'write arn:aws:iam::ACCOUNT:role/NAME, one a line for a chain',
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
  return arn.startsWith('arn:aws-cn:') ? 'sts.amazonaws.com.cn' : 'sts.amazonaws.com';
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

function parseSessionPolicy(env: Env): SessionPolicy {
  const text = input(env, 'session-policy');
  if (text === 'auto' || text === 'none') return text;
  const fail = (problem: string, hint: string): Error => invalid('session-policy', problem, hint);
  if (!text.startsWith('{')) throw fail('is no policy', 'write auto, none, or the JSON of a policy');
  // Written anew: the white space that makes it readable in a workflow file would count.
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

/** The same two variables that the token is asked for with. */
function hasToken(env: Env): boolean {
  return Boolean(env['ACTIONS_ID_TOKEN_REQUEST_URL'] && env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']);
}

function needsRole(name: string, what: string): Error {
  return invalid(name, `${what}, and role-to-assume names no role`, 'write role-to-assume, or leave it out');
}

/** Characters of a session's name. */
const longestName = 64;

/**
 * The name that CloudTrail shows for the run: `<owner>-<repo>-<run id>-<attempt>`, cut and cleaned to STS's rules. The end,
 * which names the run, stays whole.
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
