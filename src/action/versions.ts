/** Whether this machine's git and OpenSSH are new enough for what they are to do. */
import { Failure } from '../errors.ts';
import { ProgramNotFound, type Run } from '../process/run.ts';
import { agentEnv, found, type AgentOptions } from '../ssh/agent.ts';

interface Needed {
  /** How messages call what needs it. */
  readonly by: string;
  readonly version: readonly [major: number, minor: number];
}

/** An older git fails at each commit over the format that it does not know. */
export const forSigning: Needed = { by: 'git-signing', version: [2, 34] };

/** An older git does not read GIT_CONFIG_COUNT. */
export const forTokens: Needed = { by: 'as=github-app', version: [2, 31] };

/** An older ssh does not tell the agent which host it talks to, and an older agent refuses the key. */
export const forRestrictions: Needed = { by: 'restrict-to-hosts', version: [8, 9] };

/** @throws GIT_NOT_FOUND */
export async function requireGit(
  needed: Needed,
  options: {
    readonly env: { readonly PATH?: string | undefined; readonly RUNNER_TRACKING_ID?: string | undefined };
    readonly signal: AbortSignal;
    readonly run: Run;
  },
): Promise<void> {
  const { signal, run } = options;
  const { PATH = '', RUNNER_TRACKING_ID } = options.env;
  // By RUNNER_TRACKING_ID the runner finds a git that hangs.
  const env = { PATH, ...(RUNNER_TRACKING_ID !== undefined && { RUNNER_TRACKING_ID }) };
  const { by, version } = needed;
  const wanted = version.join('.');
  const hint = `install git ${wanted} or newer: apt-get install git, dnf install git, or apk add git`;
  try {
    const { stdout } = await run(['git', '--version'], { env, signal });
    const [, major, minor] = /(\d+)\.(\d+)/.exec(stdout) ?? [];
    if (isEnough(needed, major, minor)) return;
    throw new Failure('GIT_NOT_FOUND', `${by} needs git ${wanted}, this is ${stdout.trim()}`, { hint });
  } catch (error) {
    if (!(error instanceof ProgramNotFound)) throw error;
    throw new Failure('GIT_NOT_FOUND', `${by} needs git: ${error.message}`, { hint, cause: error });
  }
}

/**
 * A version that cannot be read is no reason to fail: the agent says what it cannot do.
 *
 * @throws AGENT_NOT_FOUND where there is no ssh, AGENT_FAILED where it is too old
 */
export async function requireSsh(
  needed: Needed,
  { env, signal, run }: AgentOptions & { readonly run: Run },
): Promise<void> {
  const { stderr } = await found(run(['ssh', '-V'], { env: agentEnv(env), signal }));
  const [there, major, minor] = /OpenSSH_(\d+)\.(\d+)\w*/.exec(stderr) ?? [];
  if (there === undefined || isEnough(needed, major, minor)) return;
  const { by, version } = needed;
  const wanted = version.join('.');
  throw new Failure('AGENT_FAILED', `${by} needs OpenSSH ${wanted}, this is ${there}`, {
    hint: `install OpenSSH ${wanted} or newer, or leave ${by} out`,
  });
}

function isEnough({ version: [wantedMajor, wantedMinor] }: Needed, major?: string, minor?: string): boolean {
  return Number(major) > wantedMajor || (Number(major) === wantedMajor && Number(minor) >= wantedMinor);
}
