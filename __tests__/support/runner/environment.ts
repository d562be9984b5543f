/** The variables of every step of a job. Of the test's own environment, only PATH and compileCache are passed on. */
import type { Folders } from './folders.ts';

/** The `github` context with its own names: `repository`, `ref`, `run_id` and so on. */
export type GithubContext = Readonly<Record<string, string>>;

export const defaultGithubContext: GithubContext = {
  action: 'load-keys',
  action_ref: 'v1',
  action_repository: 'ssm-ssh-agent/ssm-ssh-agent',
  actor: 'octocat',
  actor_id: '583231',
  api_url: 'https://api.github.com',
  event_name: 'push',
  graphql_url: 'https://api.github.com/graphql',
  job: 'build',
  ref: 'refs/heads/main',
  ref_name: 'main',
  ref_type: 'branch',
  repository: 'acme/app',
  repository_id: '123456789',
  repository_owner: 'acme',
  repository_owner_id: '9919',
  retention_days: '90',
  run_attempt: '1',
  run_id: '1658821493',
  run_number: '3',
  server_url: 'https://github.com',
  sha: 'ffac537e6cbbf934b08745a378932722df287a53',
  triggering_actor: 'octocat',
  workflow: 'CI',
  workflow_ref: 'acme/app/.github/workflows/ci.yml@refs/heads/main',
};

const { NODE_COMPILE_CACHE } = process.env;
/** Where a run of the tests keeps what Node compiled; empty outside of one. suite/setup.ts sets it. */
export const compileCache: Readonly<Record<string, string>> =
  NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };

/** RUNNER_ARCH's spelling of Node's `process.arch`. */
const architectures: Readonly<Record<string, string>> = {
  x64: 'X64',
  arm64: 'ARM64',
  arm: 'ARM',
  ia32: 'X86',
};

export function githubVariables(context: GithubContext): Record<string, string> {
  return Object.fromEntries(
    Object.entries(context).map(([name, value]) => [`GITHUB_${name.toUpperCase()}`, value]),
  );
}

export function runnerVariables(
  folders: Folders,
  trackingId: string,
  debug: boolean,
): Record<string, string> {
  return {
    ...{ CI: 'true', GITHUB_ACTIONS: 'true', HOME: folders.home, LANG: 'C.UTF-8' },
    ...compileCache,
    GITHUB_WORKSPACE: folders.workspace,
    GITHUB_EVENT_PATH: folders.eventFile,
    RUNNER_ARCH: architectures[process.arch] ?? process.arch.toUpperCase(),
    RUNNER_ENVIRONMENT: 'github-hosted',
    RUNNER_NAME: 'GitHub Actions 1',
    RUNNER_OS: process.platform === 'darwin' ? 'macOS' : 'Linux',
    RUNNER_TEMP: folders.temp,
    RUNNER_TOOL_CACHE: folders.toolCache,
    RUNNER_TRACKING_ID: trackingId,
    RUNNER_WORKSPACE: folders.runnerWorkspace,
    ...(debug ? { RUNNER_DEBUG: '1' } : {}),
  };
}
