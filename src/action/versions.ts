/** Checks that git and OpenSSH are new enough for the inputs. */
import { Failure } from '../errors.ts';
import { ProgramNotFound } from '../process/program-not-found.ts';
import type { Run } from '../process/run.ts';
import { agentEnv, found, type AgentOptions } from '../ssh/agent.ts';

interface Needed {
  /** What needs this version, as messages name it. */
  readonly by: string;
  readonly version: readonly [major: number, minor: number];
}

/** An older git does not know the format, and fails at each commit. */
export const forSigning: Needed = { by: 'git-signing', version: [2, 34] };

/** An older git does not read GIT_CONFIG_COUNT. */
export const forTokens: Needed = { by: 'as=github-app', version: [2, 31] };

/** An older ssh does not tell the agent its host, and an older agent refuses the key. */
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
  // The runner finds a git that hangs by RUNNER_TRACKING_ID.
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
 * Does not fail if the version cannot be read: the agent reports what it cannot do.
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
