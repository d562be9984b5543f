/** Takes the keys out of an agent through its socket: its process may be in a namespace where we cannot see it. */
import { exchange } from '../process/exchange.ts';

/** Length, and SSH_AGENTC_REMOVE_ALL_IDENTITIES (draft-ietf-sshm-ssh-agent, 3.3). */
const removeAll = Buffer.from([0, 0, 0, 1, 19]);
const success = Buffer.from([0, 0, 0, 1, 6]);

/** Milliseconds. */
const patience = 2000;

/** `refused` by an agent that is locked, or that does not answer. */
export type Forgetting = 'forgotten' | 'refused' | 'nobody';

export async function forgetKeys(socket: string): Promise<Forgetting> {
  const answer = await exchange(socket, removeAll, {
    signal: AbortSignal.timeout(patience),
    isWhole: ({ length }) => length >= success.length,
  });
  if (!answer) return 'nobody';
  return answer.subarray(0, success.length).equals(success) ? 'forgotten' : 'refused';
}
