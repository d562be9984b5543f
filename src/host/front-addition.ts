/** What `add` asks an agent in front that runs already, over its control socket: `add@ssm-ssh-agent`. Pure. */
import { Failure } from '../errors.ts';
import { readAnswer, readOrder, writeLine, type FrontAnswer, type FrontOrder } from './front-order.ts';

export const additionName = 'add@ssm-ssh-agent';
/** Increased with each change of the order or of the answer: the agent may be of another version. */
const format = 1;

export type Addition = Pick<FrontOrder, 'keys' | 'wanted' | 'missing' | 'env'>;

/** The environment is only compared, and a message has limits. @returns a JSON value */
export function writeAddition(addition: Addition): unknown {
  const compared = Object.entries(addition.env).filter(([name]) => surroundings.test(name));
  const env = Object.fromEntries(compared);
  return { format, order: writeLine({ ...addition, env, endsWithInput: false }) };
}

/**
 * The agent calls AWS with one environment, so an addition of another one is refused. The agent's own pinned keys stand in
 * front of the caller's known hosts.
 *
 * @param running the order that the agent was started with
 * @throws AGENT_FAILED, INPUT_INVALID
 */
export function readAddition(question: unknown, running: FrontOrder): FrontOrder {
  const asked = (question ?? {}) as { readonly format?: unknown; readonly order?: unknown };
  if (asked.format !== format || typeof asked.order !== 'string') {
    throw new Failure('AGENT_FAILED', 'the agent is of another version of ssm-ssh-agent', { hint: another });
  }
  const order = readOrder(asked.order);
  const different = differences(order.env, running.env);
  if (different.length > 0) {
    throw new Failure(
      'INPUT_INVALID',
      `the agent was started with another value of ${different.join(', ')}, and calls AWS with that one`,
      { hint: another },
    );
  }
  const pinned = running.keys[0]?.knownHosts.slice(0, 1) ?? [];
  const keys = order.keys.map((key) => ({ ...key, knownHosts: [...pinned, ...key.knownHosts] }));
  return { ...order, keys, env: running.env };
}

const another = 'start another agent: eval "$(ssm-ssh-agent add --agent \'REF\')"';

/** Variables that say how AWS is called. */
const surroundings = /^(AWS_|NODE_EXTRA_CA_CERTS$|(https?|no)_proxy$)/i;

function differences(one: FrontOrder['env'], other: FrontOrder['env']): string[] {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])].sort();
  return names.filter((name) => surroundings.test(name) && (one[name] ?? '') !== (other[name] ?? ''));
}

/** @returns a JSON value */
export function writeAdded(answer: FrontAnswer): unknown {
  return writeLine(answer);
}

/** @throws SyntaxError */
export function readAdded(answer: unknown): FrontAnswer {
  return readAnswer(String(answer));
}
