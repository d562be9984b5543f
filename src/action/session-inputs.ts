/** The inputs that say what the last role's session also gets: managed policies and tags. Pure. */
import type { SessionTag } from '../aws/caller.ts';
import { input, invalid, list, type Env } from './input.ts';

/** @source AWS STS API Reference, AssumeRole, `PolicyArns` */
const mostPolicies = 10;
const policyArn = /^arn:(aws[a-z-]*):iam::(aws|\d{12}):policy\/[\w+=,.@/-]+$/;

/** Not `list`: a policy's name may hold a comma. @throws INPUT_INVALID */
export function parseManagedPolicies(env: Env): string[] {
  const lines = input(env, 'managed-session-policies').split(/[\r\n]+/);
  const arns = [...new Set(lines.map((line) => line.trim()).filter((line) => line !== ''))];
  const fail = (problem: string, hint: string): Error => invalid('managed-session-policies', problem, hint);
  const wrong = arns.find((arn) => !policyArn.test(arn));
  if (wrong !== undefined) {
    const hint = 'write arn:aws:iam::ACCOUNT:policy/NAME or arn:aws:iam::aws:policy/NAME, one on each line';
    throw fail(`has a line that is not the ARN of a managed policy: "${wrong}"`, hint);
  }
  if (arns.length <= mostPolicies) return arns;
  throw fail(
    `names ${arns.length} policies, and AWS takes ${mostPolicies}`,
    'write fewer, or put what they allow into one policy',
  );
}

/** AWS looks policies up in the account of the role. @throws INPUT_INVALID */
export function checkManagedPolicies(arns: readonly string[], role: string): void {
  const [, partition = '', , , account = ''] = role.split(':');
  const foreign = arns.find((arn) => {
    const [, policyPartition, , , owner = ''] = arn.split(':');
    return policyPartition !== partition || !['aws', account].includes(owner);
  });
  if (foreign === undefined) return;
  throw invalid(
    'managed-session-policies',
    `names ${foreign}, which is not in the account of the role ${role}`,
    `write policies of the account ${account}, or AWS's own: arn:${partition}:iam::aws:policy/NAME`,
  );
}

/** @source AWS STS API Reference, Tag */
const mostTags = 50;
const longestKey = 128;
const longestValue = 256;
const characters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const tagForm = 'write a JSON object of strings, for example {"Team": "build", "Repository": "acme/app"}';

/** @throws INPUT_INVALID; no message repeats a value */
export function parseTags(env: Env): SessionTag[] {
  const tags = parseObject(input(env, 'custom-tags')).map(parseTag);
  const going = list(env, 'transitive-tag-keys');
  const fail = (name: string, problem: string, hint: string): Error => invalid(name, problem, hint);
  if (tags.length > mostTags) {
    throw fail('custom-tags', `has ${tags.length} tags, and AWS takes ${mostTags}`, 'write fewer');
  }
  const keys = tags.map(([key]) => key);
  const twin = keys.find((key, index) => keys.slice(0, index).map(lower).includes(lower(key)));
  if (twin !== undefined) {
    throw fail('custom-tags', `has the key "${twin}" twice`, 'write it once: AWS does not look at the case');
  }
  const unknown = going.find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    const problem = `names "${unknown}", which is not a key of custom-tags`;
    throw fail(
      'transitive-tag-keys',
      problem,
      `write keys of custom-tags: ${keys.join(', ') || 'it has none'}`,
    );
  }
  return tags.map(([key, value]) => ({ key, value, transitive: going.includes(key) }));
}

function lower(text: string): string {
  return text.toLowerCase();
}

function parseObject(text: string): [string, unknown][] {
  if (text === '') return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw invalid('custom-tags', 'is not valid JSON', tagForm);
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return Object.entries(parsed);
  throw invalid('custom-tags', 'is not a JSON object', tagForm);
}

function parseTag([key, value]: [string, unknown]): [string, string] {
  const fail = (problem: string, hint: string): Error => invalid('custom-tags', problem, hint);
  const wrong = problemOfText(key, longestKey);
  if (key === '' || wrong !== undefined) {
    throw fail(`has a key that AWS does not take: "${key}" ${wrong ?? 'is empty'}`, keyRule);
  }
  if (/^aws:/i.test(key)) throw fail(`has the key "${key}"`, 'write another: AWS keeps aws: for itself');
  const text = textOf(value);
  if (text === undefined) {
    throw fail(`has a value for "${key}" that is not a string`, `${tagForm}; put numbers in quotes`);
  }
  const problem = problemOfText(text, longestValue);
  if (problem === undefined) return [key, text];
  throw fail(`has a value for "${key}" that AWS does not take: it ${problem}`, valueRule);
}

const allowed = 'letters, digits, spaces and _.:/=+-@';
const keyRule = `write 1 to ${longestKey} ${allowed}`;
const valueRule = `write up to ${longestValue} ${allowed}`;

/** A number that JavaScript may have rounded is not what was written. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value);
  return undefined;
}

function problemOfText(text: string, longest: number): string | undefined {
  if (text.length > longest) return `has ${text.length} characters`;
  return characters.test(text) ? undefined : 'has a character that is not allowed';
}
