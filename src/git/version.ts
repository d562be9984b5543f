/** Whether this machine's git is new enough for what it is to do. */
import { Failure } from '../errors.ts';
import { ProgramNotFound, type Run } from '../process/run.ts';

interface Needed {
  /** How messages call what needs it. */
  readonly by: string;
  readonly version: readonly [major: number, minor: number];
}

/** An older one fails at each commit over the format that it does not know. */
export const forSigning: Needed = { by: 'git-signing', version: [2, 34] };

/** An older one does not read GIT_CONFIG_COUNT. */
export const forTokens: Needed = { by: 'as=github-app', version: [2, 31] };

/** @throws GIT_NOT_FOUND */
export async function requireGit(
  { by, version: [wantedMajor, wantedMinor] }: Needed,
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
  const wanted = `${wantedMajor}.${wantedMinor}`;
  const hint = `install git ${wanted} or newer: apt-get install git, dnf install git, or apk add git`;
  try {
    const { stdout } = await run(['git', '--version'], { env, signal });
    const [, major, minor] = /(\d+)\.(\d+)/.exec(stdout) ?? [];
    if (Number(major) > wantedMajor || (Number(major) === wantedMajor && Number(minor) >= wantedMinor))
      return;
    throw new Failure('GIT_NOT_FOUND', `${by} needs git ${wanted}, this is ${stdout.trim()}`, { hint });
  } catch (error) {
    if (!(error instanceof ProgramNotFound)) throw error;
    throw new Failure('GIT_NOT_FOUND', `${by} needs git: ${error.message}`, { hint, cause: error });
  }
}
