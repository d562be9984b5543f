/** Takes the keys out of an agent through its socket: its process may be in a namespace where we cannot see it. */
import { Failure } from '../errors.ts';
import { removeAllKeys } from './agent-keys.ts';

/** Milliseconds. */
const patience = 2000;

/** `refused` by an agent that is locked, or that does not answer. */
export type Forgetting = 'forgotten' | 'refused' | 'nobody';

export async function forgetKeys(socket: string): Promise<Forgetting> {
  try {
    await removeAllKeys({ socket }, { signal: AbortSignal.timeout(patience), patience });
    return 'forgotten';
  } catch (error) {
    return error instanceof Failure && error.code === 'AGENT_NOT_FOUND' ? 'nobody' : 'refused';
  }
}
