/** Starts the agent in front for the lines of a command whose keys sign and cannot be read. */
import type { Order, SigningOrder } from '../../src/host/front-order.ts';
import type { FrontProcess, Starting } from '../../src/host/start-front.ts';
import type { Running } from './command.ts';
import { inHost, voiceOf, type Speech } from './keys.ts';
import type { Account } from './account.ts';

interface Wanted {
  readonly place: Pick<FrontProcess, 'socket' | 'control' | 'back'>;
  readonly account: Account & Speech;
  readonly running: Running;
}

/**
 * @param start one of the two functions of start-front.ts
 * @throws the errors of reading keys, of KMS and of assuming the role; AGENT_FAILED
 */
export async function startFrontFor<T>(
  keys: readonly SigningOrder[],
  { place, account, running }: Wanted,
  start: (front: FrontProcess, order: Order, starting: Starting) => Promise<T>,
): Promise<T> {
  const { installation, node, signal } = running;
  return await inHost(account, running, async (host, env) => {
    const { hostOrder } = await import('../../src/host/host-order.ts');
    const order = await hostOrder(keys, host, withProfile(env, account));
    const voice = voiceOf(account, running);
    return await start({ ...place, installation, node }, order, { env, signal, voice });
  });
}

/** The AWS SDK prints a warning if a profile and access keys are both set. */
export function withProfile(env: Running['env'], { profile }: Account): Running['env'] {
  const rivals = /^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)$/;
  if (profile === undefined) return env;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !rivals.test(name)));
}
