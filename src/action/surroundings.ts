/** What a machine may keep later steps from, and main can see: a folder that nothing is started from, a user without a name. */
import { userInfo } from 'node:os';
import type { Workflow } from './workflow.ts';

export function warnOfNoexec(workflow: Pick<Workflow, 'warn'>): void {
  workflow.warn(
    'RUNNER_TEMP is mounted noexec: git works, which is told to start sh with ssm-ssh; the programs on PATH (ssm-ssh, ssm-ssh-agent, git-credential-ssm) cannot be started. Mount it with exec, or write $GIT_SSH_COMMAND instead of ssm-ssh',
  );
}

/** OpenSSH's programs look up the account, and end where there is none (getpwuid(3)). */
export function warnOfAccount(workflow: Pick<Workflow, 'warn'>): void {
  try {
    userInfo();
  } catch {
    const id = process.getuid?.() ?? '';
    workflow.warn(
      `the user ${id} has no entry in the list of accounts (/etc/passwd): OpenSSH does not run for such a user, and git does not reach its hosts by ssh. Start the container as a user that its image knows, or add the entry: docs/containers.md of this action says how`,
    );
  }
}
