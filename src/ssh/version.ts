/** Whether this machine's OpenSSH is new enough for what it is to do. */
import { Failure } from '../errors.ts';
import type { Run } from '../process/run.ts';
import { agentEnv, found, type AgentOptions } from './agent.ts';

interface Needed {
  /** How messages call what needs it. */
  readonly by: string;
  readonly version: readonly [major: number, minor: number];
}

/** An older ssh does not tell the agent which host it talks to, and an older agent refuses the key. */
export const forRestrictions: Needed = { by: 'restrict-to-hosts', version: [8, 9] };

/**
 * A version that cannot be read is no reason to fail: the agent says what it cannot do.
 *
 * @throws AGENT_NOT_FOUND where there is no ssh, AGENT_FAILED where it is too old
 */
export async function requireSsh(
  { by, version: [wantedMajor, wantedMinor] }: Needed,
  { env, signal, run }: AgentOptions & { readonly run: Run },
): Promise<void> {
  const { stderr } = await found(run(['ssh', '-V'], { env: agentEnv(env), signal }));
  const [version, major, minor] = /OpenSSH_(\d+)\.(\d+)\w*/.exec(stderr) ?? [];
  if (version === undefined) return;
  if (Number(major) > wantedMajor || (Number(major) === wantedMajor && Number(minor) >= wantedMinor)) return;
  throw new Failure('AGENT_FAILED', `${by} needs OpenSSH ${wantedMajor}.${wantedMinor}, this is ${version}`, {
    hint: `install OpenSSH ${wantedMajor}.${wantedMinor} or newer, or leave ${by} out`,
  });
}
